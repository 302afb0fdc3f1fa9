"""The jobs service as the commands use it, and jobs named on the command line."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from batchtui.backends import Backends, open_service
from batchtui.clock import SystemClock
from batchtui.exchange.ranked import RankedJob, ranked_job
from batchtui.exchange.source import InputError
from batchtui.jobs.service import JobsService
from batchtui.model import Batch, Job
from batchtui.settings import Settings

LAST = "last"


@contextmanager
def opened_service(settings: Settings) -> Iterator[tuple[JobsService, Backends]]:
    """The jobs service and its clients for the length of a command. Raises StoreError."""
    clock = SystemClock()
    backends = Backends(settings, clock)
    service = open_service(settings, backends, clock)
    try:
        yield service, backends
    finally:
        service.close()


def named_job(service: JobsService, name: str) -> Job:
    """The job with a number, or the newest for `last`. Raises InputError."""
    if name == LAST:
        job = service.last_job()
        if job is None:
            raise InputError("there is no job yet", "last", "submit a batch first")
        return job
    if not name.isascii() or not name.isdigit() or len(name) > 18:
        raise InputError("it is not the number of a job", name, "give a number from `batchtui jobs`, or last")
    job = service.job(int(name))
    if job is None:
        raise InputError("there is no job with this number", name, "see `batchtui jobs`")
    return job


def ranked(service: JobsService, job: Job) -> RankedJob:
    """A job with its batch, its rankings and every judgment of them."""
    batch = service.batch(job.id)
    grades = grades_of(service, batch)
    return ranked_job(job, batch, service.results(job.id), grades, linear_gain=service.linear_gain)


def grades_of(service: JobsService, batch: Batch) -> tuple[dict[int, int], ...]:
    """The judgments of each request's contexts, by index."""
    return tuple(
        service.judgments(request.query, [context.text for context in request.contexts])
        for request in batch.requests
    )


def terminal_width() -> int:
    """How many cells a table may take."""
    return shutil.get_terminal_size((100, 24)).columns
