"""What the commands print bites nobody who reads it in a terminal, and what is sent stays to the byte.

Each form shows a share of the jobs; all of them with BATCHTUI_EXHAUSTIVE=1.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile import dangerous_in, hostile_bytes, hostile_strings

from batchtui import cli
from batchtui.jobs.part_store import RAW_OF_ERRORS
from batchtui.jobs.search import JobQuery
from batchtui.model import Batch, JobState

from .support import EXHAUSTIVE, PROGRAM, batch_with, environment, fill, opened, sendable, set_environment

LONGEST = 100_000
TEXTS = list(dict.fromkeys(sendable(text) for _, text in hostile_strings() if len(text) <= LONGEST))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a good job and a refused one for each hostile text."""
    home = tmp_path_factory.mktemp("home")
    service, refused = opened(home), opened(home, refuses=True)

    async def submit() -> None:
        await fill(service, TEXTS)
        await fill(refused, TEXTS)

    asyncio.run(submit())
    service.close()
    refused.close()
    return home


@pytest.fixture
def command(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator["Command"]:
    set_environment(monkeypatch, home)
    yield Command(capsys)


class Command:
    """A command run in this process, for speed; what it printed is safe, or the test fails."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str, status: int | None = 0) -> str:
        """Its standard output; without a status asked for, it does what it should or tells why it can't."""
        ended = cli.main(arguments)
        printed = self._capsys.readouterr()
        if status is None:
            assert ended == (0 if printed.out else 2), arguments
            assert bool(printed.out) != bool(printed.err), arguments
        else:
            assert ended == status, arguments
        for text in printed:
            assert dangerous_in(text) == [], arguments
            text.encode()
        return printed.out


def test_the_list_of_jobs(command: Command) -> None:
    assert len(command("jobs").splitlines()) == 2 * len(TEXTS) + 1
    listed = json.loads(command("jobs", "--json"))
    assert {job["label"] for job in listed} >= set(TEXTS)
    assert len(command("jobs", "--state", "failed").splitlines()) == len(TEXTS) + 1


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv", "md", "trec", "qrels"])
def test_every_job_in_every_form(command: Command, form: str) -> None:
    for number in range(1, 2 * len(TEXTS) + 1, 1 if EXHAUSTIVE or form == "table" else 5):
        shown = command("show", str(number), "--format", form)
        text = TEXTS[(number - 1) % len(TEXTS)]
        if form == "json":
            assert json.loads(shown)["requests"][0]["external_reference"] == text
        elif form == "jsonl":
            assert json.loads(shown.splitlines()[0])["contexts"][0]["text"] == text


def test_every_job_as_curl_or_a_word_on_why_not(command: Command) -> None:
    made = [
        # The base URL and the model are hostile too, and few are a part of a URL.
        command("show", str(number), "--format", "curl", status=None)
        for number in range(1, len(TEXTS) + 1, 1 if EXHAUSTIVE else 5)
    ]
    assert 0 < sum(map(bool, made)) < len(made)


def test_jobs_side_by_side(command: Command) -> None:
    for number in range(1, len(TEXTS) + 1, 1 if EXHAUSTIVE else 3):
        command("compare", str(number), str(len(TEXTS) + number))
        command("compare", str(number), str(len(TEXTS) + number), "--json")


def test_words_on_the_command_line_that_are_wrong(command: Command) -> None:
    for text in TEXTS:
        name = text.replace("\0", "")[:200]
        if not name.startswith("-"):
            command("show", name, status=0 if name == "last" else 2)
            command("submit", f"nowhere/{name}", status=2)
            command("compare", name, name, status=2)
        command("jobs", "--backend", f"x{name}", status=2)


def test_files_with_hostile_names_and_contents(command: Command, tmp_path: Path) -> None:
    tried = 0
    for number, (_, data) in enumerate(hostile_bytes()):
        if len(data) > LONGEST:
            continue
        name = data.decode("utf-8", "surrogateescape").replace("/", "∕").replace("\0", "")[:60]
        path = tmp_path / f"{number} {name}"
        try:
            path.write_bytes(b'{"query": "' + data + b'", "contexts": "no list"}')
        except (OSError, UnicodeEncodeError):
            continue
        command("submit", str(path), status=2)
        tried += 1
    assert tried > 400


@pytest.mark.parametrize("place", ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"])
def test_directories_with_hostile_names(place: str, tmp_path: Path) -> None:
    hostile = str(tmp_path / "a\x1b]0;pwned\x07\u202eb\udc9bc")
    for arguments in (["jobs"], ["locate"], ["show", "1"]):
        done = subprocess.run(
            [*PROGRAM, *arguments],
            env={**environment(tmp_path), place: hostile},
            cwd=tmp_path,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert b"Traceback" not in done.stderr
        assert dangerous_in(done.stdout + done.stderr) == []


def test_what_is_stored_and_sent_is_the_text_to_the_byte(home: Path) -> None:
    service = opened(home)
    jobs = sorted(service.page(JobQuery(), 0, 10_000), key=lambda job: job.id)
    assert len(jobs) == 2 * len(TEXTS)
    for job, text in zip(jobs, TEXTS + TEXTS, strict=True):
        sent: Batch = batch_with(text)
        assert service.batch(job.id) == sent
        assert (job.label, job.note, job.model) == (text, text, sent.model)
        # The service echoed the query that it was sent, as UTF-8.
        [raw] = {answer.body for answer in service.raw_answers(job.id)}
        whole = sent.requests[0].query.encode()
        assert raw == (whole if job.state is JobState.DONE else whole[:RAW_OF_ERRORS])
    service.close()


def test_the_program_itself_prints_the_same_as_its_parts(home: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "batchtui", "jobs"],
        env=environment(home),
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert dangerous_in(done.stdout + done.stderr) == []
    assert "␛".encode() in done.stdout
