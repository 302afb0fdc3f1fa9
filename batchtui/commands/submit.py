"""`batchtui submit`: files become jobs, which are sent and, on request, followed to their end."""

import argparse
import asyncio
import sys
from pathlib import Path

import msgspec

from batchtui import logs
from batchtui.backends import Backends
from batchtui.commands.store import opened_service, terminal_width
from batchtui.drafting import problems_of, with_references
from batchtui.exchange.json_form import job_object
from batchtui.exchange.json_text import to_json
from batchtui.exchange.opening import read_file, read_stream
from batchtui.exchange.reading import Opened
from batchtui.exchange.source import InputError
from batchtui.exchange.table_form import write_jobs_table
from batchtui.jobs.service import JobsService
from batchtui.model import Batch, Job, JobState
from batchtui.settings import CLOUDFLARE, LOCAL, CredentialsError, Settings, credentials_missing
from batchtui.text import one_line
from batchtui.workers_ai.errors import ErrorKind, kind_of

BAD_STATES = frozenset({JobState.FAILED, JobState.UNCONFIRMED, JobState.EXPIRED})
REFUSED = frozenset({ErrorKind.CREDENTIALS, ErrorKind.ACCOUNT, ErrorKind.NOT_ALLOWED})


def submit(namespace: argparse.Namespace, settings: Settings) -> int:
    """Read every file before anything is sent, then submit each as a job; returns the exit status."""
    if settings.backend == CLOUDFLARE and (missing := credentials_missing(settings)):
        raise CredentialsError(missing)
    batches = [
        (name, batch) for given in namespace.files for name, batch in _read(given, namespace, settings)
    ]
    logs.start(settings.locations.log_file, settings.token)
    with opened_service(settings) as (service, backends):
        ids = [service.submit(batch, backend=settings.backend).id for _, batch in batches]
        # The emulator runs only while this program does, so its jobs are always waited for.
        wait = namespace.wait or settings.backend == LOCAL
        interrupted = _follow(service, backends, ids, wait)
        jobs = [job for job in map(service.job, ids) if job is not None]
    if namespace.json:
        print(to_json([job_object(job) for job in jobs], indent=2))
    else:
        sys.stdout.write(write_jobs_table(jobs, terminal_width()))
    for job in jobs:
        _report(job)
    return 130 if interrupted else _status(jobs)


def _read(given: str, namespace: argparse.Namespace, settings: Settings) -> list[tuple[str, Batch]]:
    if given == "-":
        return [
            ("standard input", _checked("standard input", read_stream(sys.stdin.buffer), namespace, settings))
        ]
    if not given:
        raise InputError("its name is empty", "the batch to submit", "name a file, or - for standard input")
    path = Path(given)
    if not path.is_dir():
        return [(given, _checked(given, read_file(given), namespace, settings))]
    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    if not files:
        raise InputError("there is no file in it", given, "name a folder with batches in it")
    return [(str(file), _checked(str(file), read_file(file), namespace, settings)) for file in files]


def _follow(service: JobsService, backends: Backends, ids: list[int], wait: bool) -> bool:
    """Follow until every job ended, or is sent; True where the person interrupted it. The jobs are kept."""

    async def follow() -> None:
        progress = _Progress(service, frozenset(ids))
        unsubscribe = service.subscribe(progress.tell)
        try:
            await (service.follow_until_done(ids) if wait else service.follow_until_sent(ids))
        finally:
            unsubscribe()
            await backends.aclose()

    try:
        asyncio.run(follow())
    except KeyboardInterrupt:
        print("interrupted; the jobs are kept and followed when batchtui runs again", file=sys.stderr)
        return True
    return False


def _checked(name: str, opened: Opened, namespace: argparse.Namespace, settings: Settings) -> Batch:
    """The batch of one input as it goes out. Raises InputError for what can't be sent."""
    batch = opened.batch
    if opened.needs_query:
        if not namespace.query:
            raise InputError("it has contexts and no query", name, "give the query with --query")
        only = msgspec.structs.replace(batch.requests[0], query=namespace.query)
        batch = msgspec.structs.replace(batch, requests=(only,))
    if namespace.model or not opened.names_model:
        batch = msgspec.structs.replace(batch, model=namespace.model or settings.model)
    try:
        batch.model.encode()
    except UnicodeEncodeError:
        raise InputError("the model's name is not UTF-8", name, "name one with --model") from None
    for problem in problems_of(batch):
        if problem.blocks:
            raise InputError(problem.text, f"{name}, request {problem.request_index + 1}")
    for note in opened.notes:
        print(f"{one_line(name, 120)}: {one_line(note)}", file=sys.stderr)
    return msgspec.structs.replace(batch, requests=with_references(list(batch.requests)))


class _Progress:
    """Each change of a job's state or problem, a line on standard error."""

    def __init__(self, service: JobsService, ids: frozenset[int]) -> None:
        self._service = service
        self._ids = ids
        self._told: dict[int, str] = {}

    def tell(self, changed: frozenset[int]) -> None:
        for job_id in sorted(changed & self._ids):
            if job := self._service.job(job_id):
                self._tell(job)

    def _tell(self, job: Job) -> None:
        said = str(job.state)
        if job.parts > 1 and job.state.open:
            said += f" {job.parts_done}/{job.parts}"
        if job.problem is not None:
            said += f": {one_line(job.problem.message, 200)}"
        if self._told.get(job.id) != said:
            self._told[job.id] = said
            print(f"job {job.id} {said}", file=sys.stderr)


def _report(job: Job) -> None:
    error = job.error or (job.problem if job.state is JobState.SENDING else None)
    if error is not None:
        code = f" ({error.code})" if error.code is not None else ""
        print(f"job {job.id}: {one_line(error.message, 500)}{code}", file=sys.stderr)
        if error.hint:
            print(f"  {one_line(error.hint)}", file=sys.stderr)


def _status(jobs: list[Job]) -> int:
    errors = [error for job in jobs for error in (job.error, job.problem) if error is not None]
    if any(kind_of(error.code, error.message) in REFUSED for error in errors):
        return 3
    unsent = any(job.state is JobState.SENDING for job in jobs)
    return 1 if unsent or any(job.state in BAD_STATES for job in jobs) else 0
