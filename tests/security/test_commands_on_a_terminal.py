"""What `show` prints of every hostile text: the same on a terminal and into a file, and safe on both.

Who pipes it may well have it on a terminal in the end (`| head`, `| less -R`), so nothing depends on where it
goes. JSON, JSONL and curl are exact by escaping; CSV, TREC, Markdown and tables show pictures.
"""

import asyncio
import contextlib
import csv
import io
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pexpect
import pytest
from hostile import dangerous_in, hostile_strings

from batchtui import cli
from batchtui.clock import SystemClock
from batchtui.exchange.writing import EXPORT_FORMS
from batchtui.jobs.service import JobsService
from batchtui.model import Batch, Context, Request, Usage
from batchtui.workers_ai.client import Collected, Submitted, WorkersAI
from batchtui.workers_ai.wire import Complete, Response

from .support import AT_ONCE, LONG, PROGRAM, database_of, environment, sendable, set_environment

TEXTS = list(dict.fromkeys(sendable(text[:LONG]) for _, text in hostile_strings()))
EVERY = Batch(
    tuple(
        Request(text, (Context(text, text[:60] or None, 3), Context(f"{text}!", None, 0)), text)
        for text in TEXTS
    )
)
# Also what a service answers is written.
WORDS = TEXTS[0]
EXACT = ("json", "jsonl", "curl")


class RankingClients:
    """Clients of a service that is not there, and that ranks both contexts of every request."""

    def account_id(self, backend: str) -> str | None:
        return "account"

    def client(self, backend: str, account_id: str | None) -> WorkersAI:
        return cast(WorkersAI, self)

    def open(self) -> None:
        """Nothing is needed before the first call."""

    async def submit(self, model: str, body: bytes) -> Submitted:
        return Submitted(WORDS, "queued", b"", None)

    async def collect(self, model: str, request_id: str) -> Collected:
        ranked = [
            Response(index, True, request.external_reference, ((1, 0.5), (0, 0.25)))
            for index, request in enumerate(EVERY.requests)
        ]
        return Collected(Complete(tuple(ranked), Usage(3, 0, 3)), b"", request_id)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one job that holds every text as reference, query, id and context."""
    home = tmp_path_factory.mktemp("home")
    service = JobsService.open(database_of(home), RankingClients(), SystemClock(), AT_ONCE)
    job = service.submit(EVERY, backend="local", label=WORDS)
    asyncio.run(service.follow_until_done([job.id]))
    service.close()
    return home


@pytest.fixture(scope="module")
def on_a_terminal(home: Path) -> dict[str, bytes]:
    """What each form writes to a real terminal, line breaks as the program wrote them."""
    show = shlex.join([*PROGRAM, "show", "last", "--format"])
    forms = " ".join(EXPORT_FORMS)
    script = f"for form in {forms}; do {show} $form || echo FAILED; printf '\\036\\n'; done"
    shell = pexpect.spawn(
        "/bin/sh",
        ["-c", script],
        env=environment(home, COLUMNS="100", LINES="30"),
        cwd=str(home),
        dimensions=(30, 100),
        timeout=60,
    )
    shell.expect(pexpect.EOF)
    shell.close()
    *written, last = shell.before.replace(b"\r\n", b"\n").split(b"\x1e\n")
    assert last == b""
    return dict(zip(EXPORT_FORMS, written, strict=True))


@pytest.fixture
def user(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, home)
    monkeypatch.setenv("COLUMNS", "100")


def to_a_file(form: str, encoding: str = "utf-8") -> bytes:
    """What a form writes to a file, or to a pipe: to what is no terminal."""
    written = io.BytesIO()
    with io.TextIOWrapper(written, encoding=encoding, newline="\n") as file:
        with contextlib.redirect_stdout(file):
            assert cli.main(["show", "last", "--format", form]) == 0
        file.flush()
        return written.getvalue()


def requests_in(form: str, written: str) -> Iterator[tuple[str, str, list[str]]]:
    """Reference, query and contexts of each request, contexts in the order in which they were sent."""
    if form == "json":
        for request in json.loads(written)["requests"]:
            ranking = sorted(request["ranking"], key=lambda row: row["index"])
            yield request["external_reference"], request["query"], [row["text"] for row in ranking]
        return
    if form == "jsonl":
        sent = [json.loads(line) for line in written.splitlines()]
    else:
        # A body this long goes through printf; how shells read it is tested with the shells.
        command, _, word, body, *_ = written.split("'")
        assert (command, word) == ("printf ", " ")
        sent = json.loads(body)["requests"]
    for request in sent:
        texts = [context["text"] for context in request["contexts"]]
        yield request["external_reference"], request["query"], texts


@pytest.mark.parametrize("form", EXPORT_FORMS)
@pytest.mark.usefixtures("user")
def test_a_terminal_gets_what_a_file_gets_and_nothing_that_it_obeys(
    form: str, on_a_terminal: dict[str, bytes]
) -> None:
    assert len(on_a_terminal[form]) > 10_000
    assert dangerous_in(on_a_terminal[form]) == []
    assert on_a_terminal[form] == to_a_file(form)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("form", EXACT)
@pytest.mark.usefixtures("user")
def test_what_is_written_for_programs_is_exact_in_every_encoding(form: str, encoding: str) -> None:
    written = to_a_file(form, encoding).decode(encoding)
    assert list(requests_in(form, written)) == [(text, text, [text, f"{text}!"]) for text in TEXTS]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("form", EXPORT_FORMS)
@pytest.mark.usefixtures("user")
def test_a_terminal_that_is_not_utf8_gets_nothing_that_it_obeys(form: str, encoding: str) -> None:
    written = to_a_file(form, encoding)
    assert {byte for byte in written if byte < 0x20 or byte == 0x7F} <= {0x0A}
    if encoding == "latin-1":
        assert not any(0x80 <= byte < 0xA0 for byte in written)


@pytest.mark.usefixtures("user")
def test_csv_has_every_context_once_and_an_ordinary_text_as_it_is() -> None:
    rows = list(csv.DictReader(io.StringIO(to_a_file("csv").decode(), newline=""), strict=True))
    assert len(rows) == 2 * len(TEXTS)
    ordinary = {text for name, text in hostile_strings() if name.startswith("script: ")}
    for row, text in zip(rows[1::2], TEXTS, strict=True):
        if text in ordinary:
            assert (row["external_reference"], row["query"], row["context"]) == (text, text, text)


@pytest.mark.parametrize(("form", "fields"), [("trec", 6), ("qrels", 4)])
@pytest.mark.usefixtures("user")
def test_trec_has_a_line_of_words_for_every_context(form: str, fields: int) -> None:
    lines = [line.split() for line in to_a_file(form).decode().split("\n")[:-1]]
    assert {len(line) for line in lines} == {fields}
    assert len({(line[0], line[2]) for line in lines}) == len(lines) == 2 * len(TEXTS)


def test_the_list_of_jobs_on_a_terminal_that_is_not_utf8(home: Path) -> None:
    shown = pexpect.run(
        shlex.join([*PROGRAM, "jobs"]), env=environment(home, PYTHONIOENCODING="ascii"), withexitstatus=True
    )
    assert shown[1] == 0
    assert b"Traceback" not in shown[0]
    assert shown[0].isascii()
