"""What the app starts learns no secret and holds nothing up; a path that leads nowhere is told."""

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from app_run import app_run
from textual import events
from textual.pilot import Pilot

from batchtui import settings
from batchtui.backends import Backends
from batchtui.children import child_environment
from batchtui.clock import SystemClock
from batchtui.jobs.service import JobsService
from batchtui.model import Batch, Draft
from batchtui.ui import clipboard
from batchtui.ui.app import BatchtuiApp
from batchtui.ui.open_screen import OpenScreen
from batchtui.ui.widgets.text_screen import TextScreen

from .support import environment, fill, opened, set_environment
from .terminal import terminal

TOKEN = "tok-Zq7Rm2vXw9LkT4NsB8"
SECRETS = {
    "CLOUDFLARE_API_TOKEN": TOKEN,
    "CLOUDFLARE_ACCOUNT_ID": "account",
    "HF_TOKEN": "another",
    "HTTPS_PROXY": "http://user:pr0xysecret@127.0.0.1:9",
}
NOBODY = "~nosuchuser/x"
PATIENCE = 30.0


def put(directory: Path, name: str, script: str) -> Path:
    """A program of that name, which the program under test finds first."""
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return path


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's clipboard tools go, found before the system's; the display is that of X."""
    directory = tmp_path / "tools"
    set_environment(monkeypatch, tmp_path)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    for name in ("wl-copy", "xclip", "xsel"):
        put(directory, name, "exit 1")
    return directory


class AtTheApp:
    """The app in this process, with one job that is done."""

    def __init__(self, app: BatchtuiApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def paste(self, text: str) -> None:
        self.app.post_message(events.Paste(text))
        await self.pilot.pause()

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():  # noqa: ASYNC110 (the app has no event for it)
                await asyncio.sleep(0.02)

    async def told(self, words: str) -> str:
        """The notice with these words, waited for."""
        await self.until(lambda: any(words in one.message for one in self.app._notifications))
        return next(one.message for one in self.app._notifications if words in one.message)


@asynccontextmanager
async def at_the_app(home: Path) -> AsyncIterator[AtTheApp]:
    service: JobsService = opened(home)
    await fill(service, ["a text to copy"])
    chosen, clock = settings.load(), SystemClock()
    app = BatchtuiApp(service, Backends(chosen, clock), chosen, clock, Draft(0, Batch(())))
    try:
        async with app_run(app, (150, 44)) as pilot:
            yield AtTheApp(app, pilot)
    finally:
        service.close()


# Secrets


def test_a_child_is_given_what_it_needs_and_nothing_that_may_be_a_secret() -> None:
    needed = {
        "PATH": "/bin",
        "DISPLAY": ":0",
        "XAUTHORITY": "/home/a/.Xauthority",
        "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/1000/bus",
        "NO_PROXY": "localhost",
        "HTTP_PROXY": "http://proxy.example:3128",
    }
    copies = {
        "MY_PAT": TOKEN,
        "CURL_HEADER": f"Authorization: Bearer {TOKEN}",
        "HTTPS_PROXY": "user:pr0xysecret@127.0.0.1:9",
        "DEPLOY_PRIVATE_KEY": "another",
    }
    assert child_environment(needed | SECRETS) == needed
    assert child_environment(needed | SECRETS | copies) == needed
    assert child_environment(needed | {"CLOUDFLARE_API_TOKEN": "b"}) == needed


def test_neither_the_editor_nor_any_clipboard_tool_sees_a_secret_or_the_screen(tmp_path: Path) -> None:
    batch = tmp_path / "batch.json"
    batch.write_text(json.dumps({"query": "q", "contexts": ["a", "b"]}))
    directory = tmp_path / "tools"
    fails = "echo SPILT; echo SPILT >&2; echo SPILT >/dev/tty; exit 3"
    for name, does in (("editor", ""), ("wl-copy", fails), ("xclip", fails), ("xsel", "cat >taken")):
        put(directory, name, f"cat /proc/$$/environ >seen-{name}\n{does}")
    surroundings = environment(
        tmp_path,
        **SECRETS,
        BATCHTUI_BACKEND="local",
        EDITOR=str(directory / "editor"),
        DISPLAY=":9",
        WAYLAND_DISPLAY="wayland-9",
        PATH=f"{directory}{os.pathsep}{os.environ['PATH']}",
    )
    with terminal([str(batch)], surroundings, tmp_path) as app:
        app.read_until("Compose")
        app.settle(0.4)
        app.press("\x05", until="Compose", quiet=0.05)
        app.press("\x13", until="done", quiet=0.05)
        app.press("\x1bOQ", quiet=0.05)
        app.press("y", until="Markdown", quiet=0.05)
        app.press("\r", until="clipboard (xsel)", quiet=0.05)
    assert (tmp_path / "taken").read_text() == "a"
    for name in ("editor", "wl-copy", "xclip", "xsel"):
        seen = (tmp_path / f"seen-{name}").read_bytes()
        assert b"DISPLAY=:9" in seen
        assert not any(secret.encode() in seen for secret in SECRETS.values()), name
    assert b"SPILT" not in app.written


# The clipboard


async def test_a_tool_that_takes_its_time_holds_up_no_key(tools: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    put(tools, "xclip", f"cat >{tmp_path}/taken; cat {tmp_path}/go; exit 0")
    async with at_the_app(tmp_path) as person:
        await person.press("f2", "y", "enter")
        await person.until((tmp_path / "taken").exists)
        await person.press("f1")
        assert isinstance(person.app.screen, TextScreen)
        assert not person.app._notifications
        # Opened for writing, the pipe lets the tool go on.
        threading.Thread(target=(tmp_path / "go").write_bytes, args=(b"",), daemon=True).start()
        assert "system's clipboard (xclip)" in await person.told("clipboard")


async def test_a_tool_that_never_answers_is_ended_and_the_terminal_is_asked(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clipboard, "PATIENCE", 0.2)
    pid = tmp_path / "pid"
    put(tools, "xclip", f"echo $$ >{pid}; exec sleep 600")
    async with at_the_app(tmp_path) as person:
        await person.press("f2", "y", "enter")
        notice = await person.told("OSC 52")
        assert "xclip does not answer" in notice and "xsel ended with status 1" in notice
        assert "a text to copy" in person.app.clipboard
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


async def test_without_a_tool_a_text_too_long_for_the_terminal_is_told(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY")
    monkeypatch.setattr(clipboard, "LONGEST_FOR_TERMINAL", 10)
    async with at_the_app(tmp_path) as person:
        await person.press("f2", "y", "enter")
        assert "export it to a file" in await person.told("There is no clipboard tool here")
        assert not person.app.clipboard


# The editor


# What the editor does, and a word of what is told then.
BAD_EDITORS = {
    "leaves a pipe": ('rm "$1"; mkfifo "$1"', "pipe"),
    "leaves what never ends": ('rm "$1"; ln -s /dev/zero "$1"', "device"),
    "fails, and is gone": ("rm $0; exit 3", "status"),
    "can't be started": ("", "your"),
}


def test_an_editor_that_leaves_no_text_is_told_and_the_app_goes_on(tmp_path: Path) -> None:
    editor = put(tmp_path / "tools", "editor", ". ./does")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    surroundings = environment(tmp_path, EDITOR=str(editor), TMPDIR=str(temporary))
    with terminal([], surroundings, tmp_path) as app:
        app.read_until("Compose")
        app.settle(0.4)
        app.press("kept")
        for script, told in BAD_EDITORS.values():
            (tmp_path / "does").write_text(script)
            app.press("\x05", until=told, quiet=0.05)
        app.press("\x1bOP", until="Help", quiet=0.05)
        assert app.quit() == 0
    assert not list(temporary.iterdir())
    service = opened(tmp_path)
    assert [draft.batch.requests[0].query for draft in service.drafts()] == ["kept"]
    service.close()


@pytest.mark.parametrize("key", ["\x03", "\x1c"])
def test_the_keys_that_end_an_editor_do_not_end_the_app(key: str, tmp_path: Path) -> None:
    editor = put(tmp_path / "tools", "editor", "echo 'it runs'; sleep 60")
    with terminal([], environment(tmp_path, EDITOR=str(editor)), tmp_path) as app:
        app.read_until("Compose")
        app.settle(0.4)
        app.press("\x05", until="it runs")
        app.press(key, until="was not taken", quiet=0.05)
        app.press("\x1bOP", until="Help", quiet=0.05)
        assert app.quit() == 0


# Paths


async def test_a_path_below_the_home_of_nobody_is_told(tools: Path, tmp_path: Path) -> None:
    async with at_the_app(tmp_path) as person:
        await person.press("ctrl+o")
        await person.paste(NOBODY)
        await person.press("enter")
        assert isinstance(person.app.screen, OpenScreen)
        complaint = str(person.app.screen.query_one("#open-trouble").render())
        assert NOBODY in complaint and "no such home directory" in complaint
        await person.press("escape", "f2", "x", "enter", "ctrl+u")
        await person.paste(NOBODY)
        await person.press("enter")
        assert "no such home directory" in await person.told(NOBODY)


async def test_where_the_working_directory_is_gone_an_export_goes_home(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    async with at_the_app(tmp_path) as person:
        gone.rmdir()
        await person.press("f2", "x", "enter", "enter")
        assert await person.told("Written to") == f"Written to {tmp_path}/job-1.json"
        assert json.loads((tmp_path / "job-1.json").read_text())


def test_weights_below_the_home_of_nobody_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    from argparse import ArgumentParser

    from batchtui.emulator.options import add_arguments

    parser = ArgumentParser()
    add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--model-path", NOBODY])
    assert f"{NOBODY}: there is no such home directory" in capsys.readouterr().err
