"""A walk through every screen, list and dialog of the program in a real terminal, key for key."""

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from batchtui.model import Batch, Context, Draft, Request

from .support import environment, fill, opened, sendable
from .terminal import Terminal, terminal

F2, F3, F4, F6, F7 = "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[17~", "\x1b[18~"
ESCAPE, TAB, ENTER, DOWN, PAGE_DOWN, PAGE_UP = "\x1b", "\t", "\r", "\x1b[B", "\x1b[6~", "\x1b[5~"
NEW, OPEN, PALETTE, SUBMIT = "\x0e", "\x0f", "\x10", "\x13"


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


def look_through(app: Terminal, rows: int, key: str = PAGE_DOWN) -> bytes:
    """Page on until nothing more is drawn; what was drawn."""
    drawn = b""
    for _ in range(rows):
        page = app.press(key, quiet=0.04, first=0.6)
        drawn += page
        if not page:
            break
    return drawn


def walk(home: Path, words: Sequence[str]) -> tuple[bytes, dict[str, bytes]]:
    """What the terminal was told, and of it what was drawn of each list that holds every text."""
    furnish(home, words)
    (home / "files").mkdir(exist_ok=True)
    lists: dict[str, bytes] = {}
    with (
        answering_service(words) as base_url,
        terminal(["--backend", base_url], environment(home), home / "files") as app,
    ):
        rows = len(words)
        lists["jobs"] = lists["contexts"] = app.read_until("Compose") + app.settle(1.0)
        app.press(TAB)
        lists["contexts"] += look_through(app, rows)
        app.press(F2)
        lists["jobs"] += look_through(app, 2 * rows)
        app.press("g")
        for _ in range(2):
            for keys in ("v", "l", "n", "y", "x"):
                app.press(keys)
                app.press(ESCAPE)
            app.press(DOWN)
        app.press("g")
        app.press(ENTER)
        lists["requests"] = app.press("o") + look_through(app, rows)
        lists["ranking"] = app.press(ENTER) + look_through(app, rows)
        lists["compared requests"] = app.press("c", quiet=0.2) + look_through(app, rows)
        lists["compared contexts"] = app.press(TAB) + look_through(app, rows)
        app.press(ESCAPE)
        app.press("?")
        app.press(ESCAPE)
        lists["files"] = app.press(OPEN, quiet=0.2) + app.press(TAB) + look_through(app, 2 * rows)
        app.press(ENTER, quiet=0.2)
        app.press(ENTER, quiet=0.2)
        app.press(ESCAPE)
        app.press(F6)
        look_through(app, 1)
        app.press(ENTER)
        app.press(ESCAPE, quiet=0.2)
        lists["drafts"] = app.press(F7, first=0.6) + look_through(app, rows)
        # Where an answer takes two lines, Textual's list pages past a line.
        lists["drafts"] += look_through(app, rows, PAGE_UP)
        app.press(ENTER)
        app.press(PALETTE, quiet=0.2)
        app.press("batch", quiet=0.2)
        app.press(ESCAPE)
        for _ in range(3):
            app.press(SUBMIT, quiet=0.3)
        assert app.alive
        assert app.quit() == 0
        return app.written, lists
