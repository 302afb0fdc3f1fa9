"""A fault of the program's own: last words, a terminal as it was, a log, and no token anywhere."""

import sys
from pathlib import Path

import pytest
from hostile import dangerous_in

from .support import ALTERNATE_SCREEN, CURSOR, terminal

TOKEN = "tok-Zq7Rm2vXw9LkT4NsB8"
TYPED = "quick brown fox"
F1 = "\x1bOP"
AT_A_KEY, AT_THE_READER = "BatchtuiApp.action_help = fail", "TerminalDriver.process_message = fail_at_f1"
PROGRAM = r"""
import os, sys
from batchtui.cli import main
from batchtui.ui.app import BatchtuiApp
from batchtui.ui.terminal_input import TerminalDriver

def fail(app):
    token = os.environ["CLOUDFLARE_API_TOKEN"]
    raise RuntimeError(f"\x1b]52;c;cHduZWQ=\x07\u202e\x9b2J[/] {token}")

def fail_at_f1(driver, message, process=TerminalDriver.process_message):
    fail(driver) if getattr(message, "key", "") == "f1" else process(driver, message)

PLACE
sys.exit(main())
"""


@pytest.mark.parametrize("place", [AT_A_KEY, AT_THE_READER])
def test_a_fault(home: Path, place: str) -> None:
    program = home / "program.py"
    program.write_text(PROGRAM.replace("PLACE", place))
    with terminal(
        home,
        "--backend",
        "http://127.0.0.1:9/client/v4",
        size=(80, 24),
        program=(sys.executable, str(program)),
        environment={"CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLARE_ACCOUNT_ID": "account"},
    ) as screen:
        screen.until_seen("0 open")
        screen.type(TYPED)
        screen.until_seen(TYPED)
        screen.type(F1)
        screen.until(lambda: b"batchtui stopped" in screen.written, "the last words")
        assert screen.line_by_line
        assert screen.until_ended() == 1
        assert (screen.last(ALTERNATE_SCREEN), screen.last(CURSOR)) == (b"l", b"h")

    words = screen.written[screen.written.index(b"batchtui stopped") :].decode().replace("\r\n", "\n")
    assert dangerous_in(words) == []
    assert b"Traceback" not in screen.written
    assert b"]52;" not in screen.written
    log = Path(words.splitlines()[-1])
    assert "in fail" in log.read_text()
    assert TOKEN.encode() not in screen.written
    for path in home.rglob("*"):
        assert path.is_dir() or TOKEN.encode() not in path.read_bytes(), path
    with terminal(home) as screen:
        screen.until_seen(TYPED)
