"""A fault of the program's own ends it with a clear word: no traceback, no token, nothing typed is lost."""

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hostile import dangerous_in
from textual.widgets import Static
from textual.worker import WorkerFailed

from batchtui import logs, settings
from batchtui.ui.app import BatchtuiApp
from batchtui.workers_ai.secret import Secret

from .support import PATIENCE, at_the_app

TOKEN = "tok-Zq7Rm2vXw9LkT4NsB8"
HOSTILE = "\x1b]52;c;cHduZWQ=\x07\u202e\x9b2J[/][bold]\ud800\0"
TYPED = "quick brown fox"
WORDS = "batchtui stopped because of a fault of its own."


class OurError(Exception):
    """What no person can mend."""


def fail() -> NoReturn:
    token = TOKEN
    raise OurError(f"{HOSTILE} {token}")


async def fail_later() -> None:
    await asyncio.sleep(0)
    fail()


class Unprintable(Static):
    def render(self) -> NoReturn:
        fail()


class TellingError(OurError):
    """One that Textual lets say by itself what it is."""

    def __rich__(self) -> str:
        return f"{HOSTILE} {TOKEN}"


def fail_telling() -> NoReturn:
    raise TellingError


def fail_twice(app: BatchtuiApp) -> None:
    app.call_later(fail)
    app.compose_pane.call_later(fail)


FAULTS: dict[str, Callable[[BatchtuiApp], object]] = {
    "a handler": lambda app: app.call_later(fail),
    "a handler of a pane": lambda app: app.compose_pane.call_later(fail),
    "a timer": lambda app: app.set_timer(0.001, fail),
    "a worker": lambda app: app.run_worker(fail_later()),
    "a worker in a thread": lambda app: app.run_worker(fail, thread=True),
    "drawing": lambda app: app.mount(Unprintable()),
    "a fault that tells itself": lambda app: app.call_later(fail_telling),
    "several at once": fail_twice,
}


class Log:
    """What the program has logged."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text()


@pytest.fixture
def log() -> Iterator[Log]:
    """The log, written as the program writes it."""
    logger = logging.getLogger("batchtui")
    before = (logger.handlers[:], logger.level, logger.propagate)
    path = settings.load(None).locations.log_file
    logs.start(path, Secret(TOKEN))
    yield Log(path)
    for handler in set(logger.handlers) - set(before[0]):
        logger.removeHandler(handler)
        handler.close()
    logger.setLevel(before[1])
    logger.propagate = before[2]


async def end_by(fault: Callable[[BatchtuiApp], object]) -> BatchtuiApp:
    """The app after a fault that came while something was typed."""
    with pytest.raises((OurError, WorkerFailed)):
        async with at_the_app() as person:
            await person.type(TYPED)
            fault(person.app)
            async with asyncio.timeout(PATIENCE):
                while person.app.is_running:  # noqa: ASYNC110 (the app has no event for it)
                    await asyncio.sleep(0.01)
    return person.app


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_fault_ends_the_app_with_last_words_and_a_log(
    kind: str, log: Log, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # All that keeps what was typed is then the fault itself.
    monkeypatch.setattr("batchtui.ui.app.INTERVAL", 3600)
    app = await end_by(FAULTS[kind])
    assert app.return_code == 1

    assert app.last_words.startswith(WORDS)
    assert str(log.path) in app.last_words.splitlines()
    # Textual says nothing of its own beside.
    assert capsys.readouterr() == ("", "")

    logged = log.text
    assert "in fail" in logged
    assert "Traceback" in logged
    assert TOKEN not in logged
    assert dangerous_in(logged) == []

    async with at_the_app() as person:
        assert person.batch.requests[0].query == TYPED


async def test_the_log_of_a_fault_stays_short(log: Log) -> None:
    def fail_at_length() -> NoReturn:
        raise OurError("x" * 1_000_000)

    await end_by(lambda app: app.call_later(fail_at_length))
    logged = log.text
    assert len(logged) < 30_000
    assert "in fail_at_length" in logged


async def test_a_fault_before_the_first_screen(
    log: Log, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BatchtuiApp, "compose", lambda _: fail())
    with pytest.raises(OurError):
        async with at_the_app():
            pass
    assert capsys.readouterr() == ("", "")
    assert log.text.count("Traceback") == 1


async def test_where_the_draft_can_not_be_kept_the_log_says_so_too(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BatchtuiApp, "keep", lambda _: fail())
    app = await end_by(FAULTS["a handler"])
    assert app.last_words.startswith(WORDS)
    assert "the draft was not kept" in log.text


async def test_signals_belong_to_the_program_that_has_a_screen() -> None:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    async with at_the_app() as person:
        await person.until_seen("0 open")
        assert {number: signal.getsignal(number) for number in handlers} == handlers
