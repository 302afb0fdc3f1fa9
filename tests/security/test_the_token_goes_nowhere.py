"""After runs against servers of every bad kind, no byte that the program wrote holds the token.

The app is run against a few of the servers; against each with BATCHTUI_EXHAUSTIVE=1.
"""

import base64
import contextlib
import json
import os
import socket
import stat
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest

from batchtui.jobs.search import JobQuery
from batchtui.jobs.service import JobsService

from .support import EXHAUSTIVE, PROGRAM, environment, opened
from .terminal import terminal

TOKEN = "tok-Zq7/Rm2+vXw9LkT4NsB8"
# How encoders write it that are not Python's: with every character escaped, or the odd ones alone.
ESCAPED = {
    "json": "".join(f"\\u{ord(character):04x}" for character in TOKEN),
    "capitals": "".join(f"\\u{ord(character):04X}" for character in TOKEN),
    "slash": TOKEN.replace("/", "\\/").replace("+", "\\u002B"),
    "url": quote(TOKEN, safe=""),
    "html": "".join(f"&#{ord(character)};" for character in TOKEN),
}
FORMS = ("table", "json", "curl")
BATCH = {"query": "which one", "contexts": ["the first", "the second"], "external_reference": "r"}
LINK = "batchtui-scorer: {token}\r\nX-Echo: Bearer {token}\r\nSet-Cookie: t={token}\r\n"

# What each server answers: status line and headers, then a body; {request} is all that it was sent.
ANSWERS = {
    "401 that echoes": (
        "401 {token}",
        '{{"success":false,"errors":[{{"code":10000,"message":"{request}"}}]}}',
    ),
    "400 that echoes": (
        "400 Bad",
        '{{"success":false,"errors":[{{"code":5006,"message":"Bearer {token}"}}]}}',
    ),
    "400 that echoes it escaped": (
        "400 Bad",
        '{{"success":false,"result":{{}},"errors":[{{"code":5006,'
        '"message":"{json} {capitals} {slash} {url} {html}"}}]}}',
    ),
    "200 that echoes it escaped": (
        "200 OK",
        '{{"success":true,"result":{{"request_id":"{json}","responses":[{{"id":0,"success":false,'
        '"external_reference":"{slash}","error":"{url} {html}"}}]}}}}',
    ),
    "500 page that echoes": ("500 {token}", "<html>{request}</html>"),
    "502 text that echoes": ("502 {token}", "{request}"),
    "200 that is no contract": ("200 OK", '{{"success":true,"result":{{"responses":"{token}"}}}}'),
    "200 that is no JSON": ("200 OK", "{request}"),
    "200 that is packed as the token": ("200 OK\r\nContent-Encoding: {token}", "{{}}"),
    "queued under the token": (
        "200 OK",
        '{{"success":true,"result":{{"status":"{token}","request_id":"{token}","model":"{token}"}}}}',
    ),
    "answered at once with echoes": (
        "200 OK",
        '{{"success":true,"result":{{"request_id":"a","responses":[{{"id":0,"success":false,'
        '"external_reference":"{token}","error":"Bearer {token}"}}]}}}}',
    ),
    "redirect": ("302 {token}\r\nLocation: http://127.0.0.2:{other}/client/v4?t={token}", ""),
    "redirect to the same path": ("307 Moved\r\nLocation: http://localhost:{other}/{token}", "{token}"),
    "broken status line": ("{token}", ""),
    "cut": ("200 OK\r\nContent-Length: 9999", '{{"success":true,"result":"{token}'),
    "reset": ("", ""),
}


@dataclass
class BadServer:
    """A server that answers every request in one bad way, and counts those that bore the token."""

    answer: tuple[str, str]
    other: int = 0
    requests: list[bytes] = field(default_factory=list)

    def __enter__(self) -> "BadServer":
        self._listener = socket.create_server(("0.0.0.0", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *given: object) -> None:
        # A closed listener does not wake the thread that waits for it.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/client/v4"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(10)
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65_536) or b"\r\n\r\n"
        self.requests.append(request)
        status, body = self.answer
        if not status:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        shown = json.dumps(request.decode("latin-1"))[1:-1]
        words = {"token": TOKEN, "request": shown, "other": self.other, **ESCAPED}
        head = f"HTTP/1.1 {status.format(**words)}\r\n{LINK.format(**words)}Connection: close\r\n\r\n"
        connection.sendall(head.encode() + body.format(**words).encode())
        # Closing with a body unread would reset the connection before the answer is read.
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass


def credentials(home: Path, **more: str) -> dict[str, str]:
    temporary = home / "tmp"
    temporary.mkdir(exist_ok=True)
    return environment(
        home, CLOUDFLARE_API_TOKEN=TOKEN, CLOUDFLARE_ACCOUNT_ID="account", TMPDIR=str(temporary), **more
    )


def holds_token(data: bytes) -> bool:
    kept = (TOKEN.encode(), base64.b64encode(TOKEN.encode()).rstrip(b"="), TOKEN.encode("utf-16-le"))
    # A listing in JSON escapes the backslash of an escape.
    if TOKEN.lower().encode() in data.lower():
        return True
    return any(form in data for form in kept) or any(
        form.encode() in data.replace(b"\\\\", b"\\") for form in ESCAPED.values()
    )


def assert_no_file_holds_it(home: Path) -> None:
    for path in home.rglob("*"):
        assert not holds_token(os.fsencode(path))
        if path.is_file():
            assert not holds_token(path.read_bytes()), path


def assert_the_store_does_not_hold_it(service: JobsService) -> None:
    jobs = service.page(JobQuery(), 0, 1000)
    assert jobs
    for job in jobs:
        assert not holds_token(repr((job, service.results(job.id))).encode())
        for answer in service.raw_answers(job.id):
            assert not holds_token(answer.body)


@contextmanager
def bad_server(kind: str) -> Iterator[tuple[BadServer, BadServer]]:
    with BadServer(("200 OK", "{{}}")) as other, BadServer(ANSWERS[kind], other.port) as server:
        yield server, other


def run(home: Path, *arguments: str, seconds: float = 8) -> bytes:
    """All that a command writes; one that waits for an answer that never comes is interrupted."""
    with subprocess.Popen(
        [*PROGRAM, *arguments],
        env=credentials(home),
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            return process.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0]


@pytest.mark.parametrize("kind", ANSWERS)
def test_commands(kind: str, tmp_path: Path) -> None:
    batch = tmp_path / "batch.json"
    batch.write_text(json.dumps(BATCH))
    with bad_server(kind) as (server, other):
        written = run(tmp_path, "submit", "--backend", server.url, str(batch))
        assert server.requests
        assert all(f"Bearer {TOKEN}".encode() in request for request in server.requests)
        assert not other.requests
    assert written
    for form in FORMS:
        written += run(tmp_path, "show", "--backend", server.url, "last", "--format", form)
    written += run(tmp_path, "jobs", "--json", "--backend", server.url)
    assert not holds_token(written)
    assert_no_file_holds_it(tmp_path)
    service = opened(tmp_path)
    assert_the_store_does_not_hold_it(service)
    service.close()


@pytest.mark.parametrize("kind", ANSWERS if EXHAUSTIVE else ["401 that echoes", "queued under the token"])
def test_the_app_with_its_editor_raw_answers_and_exports(kind: str, tmp_path: Path) -> None:
    batch, editor = tmp_path / "batch.json", tmp_path / "editor.sh"
    batch.write_text(json.dumps(BATCH))
    editor.write_text(
        "#!/bin/sh\ntr '\\0' '\\n' < /proc/$$/environ > seen-environment\n"
        'stat -c %a "$1" > seen-mode\nstat -c %a "$(dirname "$1")" >> seen-mode\necho "$1" > seen-name\n'
        "cat /proc/$$/cmdline >> seen-environment\n"
    )
    editor.chmod(0o700)
    with bad_server(kind) as (server, other):
        surroundings = credentials(tmp_path, EDITOR=str(editor))
        with terminal(["--backend", server.url, str(batch)], surroundings, tmp_path) as app:
            app.read_until("Compose")
            app.settle(1.0)
            app.press("\x05", quiet=0.5)
            app.press("\x13", quiet=0.9)
            for keys in ("\x1bOQ", "v", "\x1b", "x", "\r", "\r", "y", "\x1b", "?", "\x1b"):
                app.press(keys, quiet=0.25)
            app.quit()
        assert server.requests
        assert not other.requests
    assert not holds_token(app.written)
    assert "HOME=" in (tmp_path / "seen-environment").read_text()
    edited = Path((tmp_path / "seen-name").read_text().strip())
    assert not edited.exists()
    assert (tmp_path / "seen-mode").read_text().split()[0] == oct(stat.S_IRUSR | stat.S_IWUSR)[2:]
    assert list(tmp_path.glob("job-*"))
    assert_no_file_holds_it(tmp_path)
    service = opened(tmp_path)
    assert_the_store_does_not_hold_it(service)
    service.close()


def children_of(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry.name))
    return found


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def status_of(port: int, *headers: str) -> bytes:
    """The status of the answer of the emulator to a call with these headers."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        head = (f"GET /client/v4/user/{TOKEN} HTTP/1.1", "Host: localhost", "Connection: close", *headers)
        connection.sendall("\r\n".join((*head, "", "")).encode())
        answer = b""
        while received := connection.recv(65_536):
            answer += received
    return answer.split(b" ")[1]


@pytest.mark.parametrize("given", ["nowhere", "--token", "BATCHTUI_SERVE_TOKEN"])
def test_the_emulator_and_its_scoring_processes(given: str, tmp_path: Path) -> None:
    flags = [given, TOKEN] if given == "--token" else []
    with subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0", *flags],
        env=credentials(tmp_path, **({given: TOKEN} if given.isupper() else {})),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().decode().strip()
        eventually(lambda: bool(children_of(process.pid)))
        port = int(url.rpartition(":")[2].partition("/")[0])
        assert status_of(port, f"Authorization: Bearer {TOKEN}") == b"404"
        assert status_of(port) == (b"404" if given == "nowhere" else b"401")
        shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        assert holds_token(shown) == (given == "--token")
        for child in children_of(process.pid):
            for about in ("environ", "cmdline"):
                assert not holds_token(Path(f"/proc/{child}/{about}").read_bytes())
        process.terminate()
        written = b"".join(process.communicate(timeout=30))
    assert not holds_token(written + url.encode())
    assert_no_file_holds_it(tmp_path)


@pytest.mark.parametrize("place", ["--token", "BATCHTUI_SERVE_TOKEN"])
def test_an_emulator_is_never_open_for_a_token_that_is_empty(place: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "serve", "--port", "0", *(["--token", ""] if place == "--token" else [])],
        env=environment(tmp_path, **({place: ""} if place.isupper() else {})),
        cwd=tmp_path,
        capture_output=True,
        timeout=15,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"the token is empty" in done.stderr


@pytest.mark.parametrize("place", ["environment", "--backend"])
def test_it_is_never_sent_in_the_clear_off_this_machine(place: str, tmp_path: Path) -> None:
    batch = tmp_path / "batch.json"
    batch.write_text(json.dumps(BATCH))
    flags = ("--backend", "http://192.0.2.1/client/v4") if place == "--backend" else ()
    surroundings = credentials(tmp_path, CLOUDFLARE_BASE_URL="http://192.0.2.1/client/v4")
    done = subprocess.run(
        [*PROGRAM, "submit", *flags, str(batch)],
        env=surroundings,
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert b"https" in done.stderr
    assert not holds_token(done.stdout + done.stderr)


@pytest.mark.parametrize("setting", ["api_token", "token", "keys"])
def test_a_config_file_that_holds_one_is_refused_without_showing_it(setting: str, tmp_path: Path) -> None:
    config = tmp_path / "config" / "batchtui" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'{setting} = "{TOKEN}"\n')
    written = run(tmp_path, "jobs")
    assert written.startswith(b"batchtui: ")
    assert not holds_token(written)
