"""The whole app in a real terminal, once with harmless texts and once with hostile ones, key for key.

A share of each family of hostile texts is shown and pasted; all of them with BATCHTUI_EXHAUSTIVE=1.
"""

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hostile import hostile_bytes, hostile_strings

from batchtui.model import Batch, Context, Draft, Request

from .escape_sequences import Output, read_output
from .support import LONG, environment, fill, opened, sample, sendable
from .terminal import Terminal, terminal

F2, F3, F4, F6, F7 = "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[17~", "\x1b[18~"
PASTE_STARTS, PASTE_ENDS = b"\x1b[200~", b"\x1b[201~"
ESCAPE, TAB, ENTER, PAGE_DOWN, DOWN = "\x1b", "\t", "\r", "\x1b[6~", "\x1b[B"
# An ESC right before another key would be read as alt; this is the key itself, as kitty sends it.
LEAVE = "\x1b[27u"
SHARE = 8
HARMLESS = [f"text {number}" for number in range(30)]
HOSTILE = [text[:LONG] for _, text in sample(hostile_strings(), SHARE)]
# What ends its own paste types the rest: a terminal takes the mark out of what it pastes.
PASTED = [data for _, data in sample(hostile_bytes(), SHARE) if len(data) <= LONG and PASTE_ENDS not in data]


@contextmanager
def answering_service(words_said: Sequence[str]) -> Iterator[str]:
    """A service whose every word is a text of the walk; the base URL."""
    calls = iter(range(10**9))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            number = next(calls)
            words = words_said[number % len(words_said)]
            error = {"code": 5006, "message": words}
            body = json.dumps({"errors": [error], "success": False, "result": {}, "messages": []}).encode()
            if number % 3 == 1:
                body = words.encode("utf-8", "replace")
            self.send_response(400 if number % 3 < 2 else 502)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/client/v4"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def furnish(home: Path, words: Sequence[str]) -> None:
    """A store, drafts and a directory of files, with these words."""
    service, refused = opened(home), opened(home, refuses=True)
    texts = [sendable(word) for word in words]
    contexts = tuple(Context(text or "c", text) for text in texts)
    requests = tuple(Request(text if text.strip() else "q", contexts[:2], text) for text in texts)

    async def submit() -> None:
        await fill(service, texts)
        await fill(refused, texts[::10])
        every = Batch((*requests, Request("every context", contexts)))
        jobs = [service.submit(every, backend="http://x", label="every").id for _ in range(2)]
        await service.follow_until_done(jobs)

    asyncio.run(submit())
    for word, request in zip(words, requests, strict=True):
        service.save_draft(Draft(0, Batch((request,), word or "m"), word, word))
    service.save_draft(Draft(0, Batch((Request("every context", contexts),)), "every", ""))
    service.close()
    refused.close()
    for number, word in enumerate(words):
        name = word.replace("/", "∕").replace("\0", "")[:60] or "empty"
        for path in (home / "files" / f"{number} {name}", home / "files" / f"{number} {name}.d"):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("one\ntwo\n") if path.suffix != ".d" else path.mkdir()
            except (OSError, UnicodeEncodeError):
                continue


def look_through(app: Terminal, rows: int, page: int) -> None:
    for _ in range(rows // page + 1):
        app.press(PAGE_DOWN, quiet=0.04)


def walk(home: Path, words: Sequence[str]) -> bytes:
    """Every screen, list and dialog; what the terminal was told."""
    furnish(home, words)
    (home / "files").mkdir(exist_ok=True)
    with (
        answering_service(words) as base_url,
        terminal(["--backend", base_url], environment(home), home / "files") as app,
    ):
        app.read_until("Compose")
        app.settle(1.0)
        app.press(TAB)
        look_through(app, len(words), 9)
        app.press(F2)
        look_through(app, len(words), 8)
        app.press("g")
        for _ in range(2):
            for keys in ("v", "l", "n", "y", "x"):
                app.press(keys)
                app.press(ESCAPE)
            app.press(DOWN)
        app.press("g")
        app.press(ENTER)
        app.press("o")
        look_through(app, len(words), 34)
        app.press(ENTER)
        look_through(app, len(words), 10)
        app.press("c", quiet=0.2)
        look_through(app, len(words), 8)
        app.press(TAB)
        look_through(app, len(words), 8)
        app.press(ESCAPE)
        app.press("?")
        app.press(ESCAPE)
        app.press("\x0f", quiet=0.2)
        app.press(TAB)
        look_through(app, 2 * len(words), 34)
        app.press(ENTER, quiet=0.2)
        app.press(ENTER, quiet=0.2)
        app.press(ESCAPE)
        for keys in (F6, F7):
            app.press(keys)
            look_through(app, len(words) if keys == F7 else 1, 12)
            app.press(ENTER)
        app.press("\x10", quiet=0.2)
        app.press("batch", quiet=0.2)
        app.press(ESCAPE)
        for _ in range(3):
            app.press("\x13", quiet=0.3)
        assert app.alive
        assert app.quit() == 0
        return app.written


def paste_everything(home: Path, pasted: list[bytes]) -> bytes:
    """A bracketed paste of each into one of three fields in turn, left by escape."""
    with terminal([], environment(home), home) as app:
        app.read_until("Compose")
        app.settle(1.0)
        fields = (F3, F3 + TAB + TAB, F2 + "/")
        for number, data in enumerate(pasted):
            app.press(b"\x0e" + fields[number % len(fields)].encode(), quiet=0.04, first=0.5)
            app.press(PASTE_STARTS + data + PASTE_ENDS, quiet=0.04, first=0.5)
            app.press(LEAVE, quiet=0.03)
            assert app.alive, data
        assert app.quit() == 0
        return app.written


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Output:
    """What Textual tells a terminal where no text is hostile."""
    walked = walk(tmp_path_factory.mktemp("harmless"), HARMLESS)
    pasted = paste_everything(tmp_path_factory.mktemp("pasted"), [b"a line", b"two\nlines", b"more"])
    output = read_output(walked + pasted)
    # Textual sets the pointer's shape, and nothing else, by a control string.
    strings = {kind for kind in output.kinds if kind.startswith(("string", "control", "ESC"))}
    assert strings == {"string ]22;default"}
    assert output.dangers == []
    return output


def assert_harmless(written: bytes, ordinary: Output) -> None:
    output = read_output(written)
    assert output.kinds - ordinary.kinds == set()
    assert output.dangers == []


def test_a_walk_through_every_screen(ordinary: Output, tmp_path: Path) -> None:
    written = walk(tmp_path, HOSTILE)
    assert "␛".encode() in written
    assert_harmless(written, ordinary)


def test_pastes_of_any_bytes_into_every_field(ordinary: Output, tmp_path: Path) -> None:
    assert_harmless(paste_everything(tmp_path, PASTED), ordinary)


@pytest.mark.parametrize(
    ("written", "kinds"),
    [
        (b"a\x1b]52;c;eA==\x07b", {"string ]52;c;eA=="}),
        (b"\x1b[38;2;1;2;3;1mx\x1b[0m", {"SGR colour", "SGR 1", "SGR 0"}),
        (b"\x1b[2J\x1b[3;4H", {"CSI 2J", "CSI H"}),
        (b"\x1bP$qm\x1b\\\x1bc\x07", {"string P$qm", "ESC c", "control b'\\x07'"}),
    ],
)
def test_the_reader_tells_sequences_apart(written: bytes, kinds: set[str]) -> None:
    assert read_output(written).kinds == kinds
    assert read_output("a\u202e\x9bb".encode()).dangers == ["U+202E at 1", "U+009B at 2"]
    assert read_output(b"\x9b2J").dangers != []
