"""Told from outside to end: the draft is kept, and the terminal is as it was."""

import signal
from pathlib import Path

import pytest

from .support import ALTERNATE_SCREEN, CURSOR, terminal

QUERY = "zebra crossing"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_ends_it_with_the_draft_kept_and_the_terminal_restored(
    home: Path, number: signal.Signals
) -> None:
    with terminal(home) as screen:
        screen.until_seen("0 open")
        screen.type(QUERY)
        screen.until_seen(QUERY)
        screen.process.kill(number)
        assert screen.until_ended() == 128 + number
        assert (screen.last(ALTERNATE_SCREEN), screen.last(CURSOR)) == (b"l", b"h")
    with terminal(home) as screen:
        screen.until_seen(QUERY)


def test_a_terminal_that_goes_away_takes_the_program_along_and_not_the_draft(home: Path) -> None:
    with terminal(home) as screen:
        screen.until_seen("0 open")
        screen.type(QUERY)
        screen.until_seen(QUERY)
        screen.hang_up()
    with terminal(home) as screen:
        screen.until_seen(QUERY)
