"""`batchtui jobs` and `batchtui show`: they read the store and follow nothing."""

import argparse
import sys

from batchtui.commands.store import grades_of, named_job, opened_service, terminal_width
from batchtui.exchange.json_form import job_object
from batchtui.exchange.json_text import to_json
from batchtui.exchange.source import InputError
from batchtui.exchange.table_form import write_jobs_table
from batchtui.exchange.writing import export
from batchtui.jobs.parts import takes_batches
from batchtui.jobs.search import JobQuery
from batchtui.model import Job, JobState
from batchtui.settings import Settings

PAGE = 1000


def list_jobs(namespace: argparse.Namespace, settings: Settings) -> int:
    """Print all jobs, or those in one state, newest first."""
    query = JobQuery(states=frozenset({JobState(namespace.state)})) if namespace.state else JobQuery()
    with opened_service(settings) as (service, _):
        jobs: list[Job] = []
        while page := service.page(query, len(jobs), PAGE):
            jobs += page
    # A pinned job stands on top of the screen's list; here only the number counts.
    jobs.sort(key=lambda job: job.id, reverse=True)
    if namespace.json:
        print(to_json([job_object(job) for job in jobs], indent=2))
    elif jobs:
        sys.stdout.write(write_jobs_table(jobs, terminal_width()))
    else:
        print("No jobs." if namespace.state is None else f"No {namespace.state} jobs.", file=sys.stderr)
    return 0


def show(namespace: argparse.Namespace, settings: Settings) -> int:
    """Print one job in the form asked for."""
    with opened_service(settings) as (service, _):
        job = named_job(service, namespace.job)
        batch = service.batch(job.id)
        try:
            text = export(
                job,
                batch,
                service.results(job.id),
                grades_of(service, batch),
                namespace.format,
                width=terminal_width(),
                linear_gain=service.linear_gain,
                takes_batches=takes_batches(batch.model),
            )
        except ValueError as error:
            # No command of curl can be made of its base URL or its model.
            raise InputError(str(error), f"job {job.id} as {namespace.format}") from None
    sys.stdout.write(text)
    return 0
