"""What reaches the emulator's port from a web page, another machine or a slow client gets nothing."""

import contextlib
import hmac
import json
import re
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from starlette.datastructures import Headers

from batchtui.emulator import guard
from batchtui.emulator.errors import AnswerError

from .support import PROGRAM, environment

PATH = "/client/v4/accounts/abc/ai/run/@cf/baai/bge-m3?queueRequest=true"
BODY = json.dumps({"requests": [{"query": "q", "contexts": [{"text": "a"}]}]}).encode()
TOKEN = "tok-network-7Hq2"


@dataclass
class Server:
    """A running `batchtui serve`."""

    port: int
    pid: int

    def connection(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def memory(self) -> int:
        """Resident bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()


@contextmanager
def serving(home: Path, *flags: str, before: tuple[str, ...] = ()) -> Iterator[Server]:
    """`batchtui serve` on a free port, started by `before`; at the end it has said no traceback."""
    command = [*before, *PROGRAM, "serve", "--port", "0", *flags]
    with Popen(command, env=environment(home), cwd=home, stdout=PIPE, stderr=PIPE) as process:
        assert process.stdout is not None
        found = re.fullmatch(rb"http://\S+:(\d+)/client/v4\n", process.stdout.readline())
        try:
            assert found, process.stderr.read() if process.stderr else b""
            yield Server(int(found[1]), process.pid)
        finally:
            process.terminate()
            _, said = process.communicate(timeout=30)
    assert b"Traceback" not in said


def ask(server: Server, head: str, body: bytes = b"", *, path: str = "/client/v4/accounts") -> bytes:
    """Send one request with the lines of `head`, and return all that comes back."""
    method = "POST" if body else "GET"
    lines = [f"{method} {path} HTTP/1.1", *head.splitlines(), f"Content-Length: {len(body)}"]
    request = "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body
    with server.connection() as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    return answer


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_it_listens_on_loopback_alone_unless_told_otherwise(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        listening = [
            line.split()[1]
            for table in ("/proc/net/tcp", "/proc/net/tcp6")
            if Path(table).exists()
            for line in Path(table).read_text().splitlines()[1:]
            if line.split()[1].endswith(f":{server.port:04X}") and line.split()[3] == "0A"
        ]
    assert listening == [f"0100007F:{server.port:04X}"]


def test_a_name_that_was_rebound_to_this_machine_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        for host in (
            "evil.example",
            f"evil.example:{server.port}",
            "127.0.0.1.evil.example",
            "localhost.evil",
            "",
        ):
            for sent in (b"", BODY):
                answer = ask(server, f"Host: {host}", sent, path=PATH if sent else "/client/v4/accounts")
                assert status(answer) in (400, 403), (host, answer)
        for host in ("127.0.0.1", f"localhost:{server.port}", f"[::1]:{server.port}", "LOCALHOST"):
            assert status(ask(server, f"Host: {host}")) == 200, host


def test_a_page_of_another_origin_is_refused_and_told_nothing_it_could_read(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        host = f"Host: 127.0.0.1:{server.port}"
        for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example", "file://"):
            answer = ask(server, f"{host}\nOrigin: {origin}\nContent-Type: text/plain", BODY, path=PATH)
            assert status(answer) == 403, origin
            assert b"access-control" not in answer.lower()
        own = ask(server, f"{host}\nOrigin: http://127.0.0.1:{server.port}", BODY, path=PATH)
        assert status(own) == 200
        assert b"access-control" not in own.lower()


@pytest.mark.parametrize("address", ["127.1", "0x7f000001", "::ffff:127.0.0.1"])
def test_loopback_in_any_spelling_answers_to_its_own_names_alone(tmp_path: Path, address: str) -> None:
    with serving(tmp_path, "--host", address) as server:
        assert status(ask(server, f"Host: evil.example:{server.port}")) == 403
        assert status(ask(server, f"Host: localhost:{server.port}")) == 200


def test_bound_to_all_addresses_a_page_of_another_host_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path, "--host", "0.0.0.0") as server:
        host = f"Host: my-machine:{server.port}"
        for origin in (
            "https://evil.example",
            "http://localhost",
            "null",
            "http://[evil]",
            "http://my-machine\nOrigin: https://evil.example",
        ):
            answer = ask(server, f"{host}\nOrigin: {origin}\nContent-Type: text/plain", BODY, path=PATH)
            assert status(answer) == 403, origin
        assert status(ask(server, f"{host}\nOrigin: http://my-machine:3000", BODY, path=PATH)) == 200


def test_no_preflight_is_ever_allowed(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        preflight = (
            f"OPTIONS {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nOrigin: http://localhost:{server.port}\r\n"
            "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n"
            "Connection: close\r\n\r\n"
        )
        with server.connection() as connection:
            connection.sendall(preflight.encode())
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert status(answer) >= 400
    assert b"access-control" not in answer.lower()


def test_a_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(given: bytes, expected: bytes) -> bool:
        compared.append((given, expected))
        return given == expected

    monkeypatch.setattr(hmac, "compare_digest", compare)
    asked = guard.Guard(None, clock=None, moods=None, token=TOKEN, hosts=None)  # type: ignore[arg-type]
    for given in ("", "t", TOKEN[:-1], TOKEN + "x"):
        with pytest.raises(AnswerError):
            asked._check(Headers({"authorization": f"Bearer {given}"}), "/client/v4/accounts")
    asked._check(Headers({"authorization": f"Bearer {TOKEN}"}), "/client/v4/accounts")
    assert [given for given, _ in compared] == [
        b"",
        b"t",
        TOKEN[:-1].encode(),
        f"{TOKEN}x".encode(),
        TOKEN.encode(),
    ]


def test_who_has_no_token_or_another_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path, "--token", TOKEN) as server:
        host = f"Host: 127.0.0.1:{server.port}"
        for line in (
            "",
            "Authorization: Bearer",
            f"Authorization: Basic {TOKEN}",
            "Authorization: Bearer tök",
        ):
            answer = ask(server, f"{host}\n{line}".strip(), BODY, path=PATH)
            assert status(answer) in (400, 401), line
            assert TOKEN.encode() not in answer
        assert status(ask(server, f"{host}\nAuthorization: Bearer {TOKEN}", BODY, path=PATH)) == 200


def test_a_body_without_end_is_not_kept(tmp_path: Path) -> None:
    with serving(tmp_path) as server, server.connection() as connection:
        before = server.memory()
        head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        with contextlib.suppress(OSError):
            for _ in range(100):
                connection.sendall(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413")
        assert server.memory() - before < 50_000_000


def test_what_is_no_http_is_answered_in_the_envelope_or_closed(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        for sent in (b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n"):
            with server.connection() as connection:
                connection.sendall(sent)
                answer = b"".join(iter(lambda: connection.recv(65_536), b""))
            assert status(answer) == 400
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["errors"][0]["code"] == 3003
        with server.connection() as connection:
            head = "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            connection.sendall(head.encode())
            assert status(connection.recv(65_536)) == 404
            with contextlib.suppress(OSError):
                connection.sendall(b"zz\r\nzz\r\n")
                while connection.recv(65_536):
                    pass


def test_more_connections_than_files_may_be_open_are_served(tmp_path: Path) -> None:
    with serving(tmp_path, before=("sh", "-c", 'ulimit -Sn 256; exec "$@"', "sh")) as server:
        idle = [server.connection() for _ in range(400)]
        assert status(ask(server, f"Host: localhost:{server.port}")) == 200
        for connection in idle:
            connection.close()


def test_an_answer_that_is_delayed_waits_for_nobody_who_has_gone(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        head = (
            f"GET /client/v4/accounts HTTP/1.1\r\nHost: localhost:{server.port}\r\nBatchtui-Fault: delay=600"
        )
        for _ in range(20):
            with server.connection() as connection:
                connection.sendall(f"{head}\r\n\r\n".encode())
        assert status(ask(server, f"Host: localhost:{server.port}")) == 200


def test_a_head_without_end_is_cut_off(tmp_path: Path) -> None:
    with serving(tmp_path) as server, server.connection() as connection:
        connection.sendall(b"GET /client/v4/accounts HTTP/1.1\r\nHost: localhost\r\n")
        sent = 0
        try:
            while sent < 50_000_000:
                connection.sendall(b"X-More: " + b"x" * 8000 + b"\r\n")
                sent += 8000
        except OSError:
            pass
    assert sent < 50_000_000


def test_who_reads_nothing_and_asks_on_holds_up_nobody(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        idle = [server.connection() for _ in range(200)]
        for number, connection in enumerate(idle):
            connection.sendall(b"GET /client/v4/accounts HT"[: 5 + number % 20])
        begun = time.monotonic()
        assert status(ask(server, f"Host: localhost:{server.port}")) == 200
        assert time.monotonic() - begun < 10
        for connection in idle:
            connection.close()
