"""When a call breaks, the error says whether the service may have taken the request."""

import asyncio
import gzip
import json
import shutil
import socket
import ssl
import subprocess
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from batchtui.workers_ai.client import WorkersAI
from batchtui.workers_ai.endpoint import Endpoint
from batchtui.workers_ai.errors import AnswerLost, ApiError, ErrorKind, NotSent
from batchtui.workers_ai.limits import Limits, Timeouts
from batchtui.workers_ai.secret import Secret

from .raw_server import MODEL, QUEUED, TOKEN, Behaviour, Connection, Server, answering, http, serving

BODY = b'{"requests": [{"query": "q", "contexts": [{"text": "c"}]}]}'
SHORT = Timeouts(connect=5, read=0.2, write=0.2, pool=5, total=5)

Failure = TypeVar("Failure", bound=BaseException)


async def submit_fails(
    kind: type[Failure],
    behave: Behaviour,
    *,
    timeouts: Timeouts | None = None,
    limits: Limits | None = None,
    body: bytes = BODY,
) -> tuple[Failure, Server]:
    async with serving(behave) as server, aclosing(server.client(timeouts=timeouts, limits=limits)) as client:
        with pytest.raises(kind) as caught:
            await client.submit(MODEL, body)
        return caught.value, server


def raw(data: bytes) -> Behaviour:
    """Answer with these bytes, whatever they are, and close."""

    async def behave(connection: Connection) -> None:
        await connection.request()
        await connection.send(data)

    return behave


@pytest.fixture
def own_certificate(tmp_path: Path) -> ssl.SSLContext:
    """A server's TLS with a certificate that nobody trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


class TestNotSent:
    async def test_nobody_listens(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        async with aclosing(WorkersAI(Endpoint(f"http://127.0.0.1:{port}", "acc"))) as client:
            with pytest.raises(NotSent, match=f"No connection to 127.0.0.1:{port}: ") as caught:
                await client.submit(MODEL, BODY)
        assert caught.value.may_retry
        assert f"http://127.0.0.1:{port}" in caught.value.hint

    async def test_a_name_that_is_not_known(self) -> None:
        async with aclosing(WorkersAI(Endpoint("https://nowhere.invalid", "acc"))) as client:
            with pytest.raises(NotSent):
                await client.submit(MODEL, BODY)

    async def test_a_server_that_speaks_no_tls(self) -> None:
        async def behave(connection: Connection) -> None:
            await connection.send(b"220 mail.example ESMTP\r\n")

        async with serving(behave) as server:
            endpoint = Endpoint(f"https://127.0.0.1:{server.port}", "acc", Secret(TOKEN))
            async with aclosing(WorkersAI(endpoint)) as client:
                with pytest.raises(NotSent):
                    await client.submit(MODEL, BODY)

    async def test_a_certificate_that_is_not_trusted(self, own_certificate: ssl.SSLContext) -> None:
        async with serving(answering(200, QUEUED), tls=own_certificate) as server:
            endpoint = Endpoint(f"https://127.0.0.1:{server.port}", "acc", Secret(TOKEN))
            async with aclosing(WorkersAI(endpoint)) as client:
                with pytest.raises(NotSent, match="certificate is not trusted"):
                    await client.submit(MODEL, BODY)
            assert server.received == []

    async def test_no_free_connection(self) -> None:
        arrived, hold = asyncio.Event(), asyncio.Event()

        async def behave(connection: Connection) -> None:
            await connection.request()
            arrived.set()
            await hold.wait()
            await connection.send(http(200, b'{"success": true, "result": {"status": "queued"}}'))

        timeouts = Timeouts(pool=0.1)
        async with serving(behave) as server:
            async with aclosing(server.client(timeouts=timeouts, limits=Limits(connections=1))) as client:
                first = asyncio.create_task(client.collect(MODEL, "a"))
                await arrived.wait()
                with pytest.raises(NotSent, match="PoolTimeout"):
                    await client.submit(MODEL, BODY)
                hold.set()
                await first
            assert len(server.received) == 1

    async def test_a_proxy_that_does_not_connect(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with serving(raw(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
            async with aclosing(WorkersAI(Endpoint("https://api.example", "acc", Secret(TOKEN)))) as client:
                with pytest.raises(NotSent, match="502"):
                    await client.submit(MODEL, BODY)
            assert TOKEN.encode() not in b"".join(proxy.received)

    async def test_a_proxy_of_a_kind_that_is_not_known(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "gopher://127.0.0.1:70")
        async with aclosing(WorkersAI(Endpoint("https://api.example", "acc"))) as client:
            with pytest.raises(NotSent) as caught:
                await client.submit(MODEL, BODY)
        assert "HTTPS_PROXY" in caught.value.hint

    async def test_a_deadline_that_passes_before_anything_is_sent(self) -> None:
        class Stuck(httpx.AsyncHTTPTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                await asyncio.Event().wait()
                raise AssertionError

        client = WorkersAI(
            Endpoint("https://api.example", "acc"), transport=Stuck(), timeouts=Timeouts(total=0.05)
        )
        async with aclosing(client):
            with pytest.raises(NotSent, match=r"within 0\.05 s"):
                await client.submit(MODEL, BODY)


class TestAnswerLost:
    async def test_a_reset_before_reading(self) -> None:
        async def behave(connection: Connection) -> None:
            connection.reset()

        failure, _ = await submit_fails(AnswerLost, behave)
        assert not failure.may_retry
        assert "decide" in failure.hint

    async def test_a_reset_after_reading(self) -> None:
        async def behave(connection: Connection) -> None:
            await connection.request()
            connection.reset()

        _, server = await submit_fails(AnswerLost, behave)
        assert len(server.received) == 1

    async def test_an_end_without_an_answer(self) -> None:
        failure, _ = await submit_fails(AnswerLost, raw(b""))
        assert failure.http_status is None

    @pytest.mark.parametrize(
        "data",
        [
            b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"success": true, "result": {"requ',
            b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"success": true, "re',
            b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"success": true, "result": {"requ',
        ],
    )
    async def test_a_body_that_is_cut(self, data: bytes) -> None:
        failure, _ = await submit_fails(AnswerLost, raw(data))
        assert failure.http_status == 200
        assert (failure.raw or b"").startswith(b'{"success": true, "re')

    @pytest.mark.parametrize(
        "data",
        [
            b"SSH-2.0-OpenSSH_9.6\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            b"HTTP/1.1 2000 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
            b"\x00" * 1000,
        ],
    )
    async def test_what_is_not_http(self, data: bytes) -> None:
        await submit_fails(AnswerLost, raw(data))

    async def test_silence_after_the_request(self) -> None:
        async def behave(connection: Connection) -> None:
            await connection.request()
            await asyncio.Event().wait()

        failure, _ = await submit_fails(AnswerLost, behave, timeouts=SHORT)
        assert "timed out" in failure.message

    async def test_a_body_that_drips_past_the_deadline(self) -> None:
        async def behave(connection: Connection) -> None:
            await connection.request()
            await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while True:
                await connection.send(b" ")
                await asyncio.sleep(0.01)

        timeouts = Timeouts(read=5, total=0.3)
        failure, _ = await submit_fails(AnswerLost, behave, timeouts=timeouts)
        assert "within 0.3 s" in failure.message

    async def test_a_server_that_stops_reading(self) -> None:
        async def behave(connection: Connection) -> None:
            await connection.reader.readuntil(b"\r\n\r\n")
            connection.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await asyncio.Event().wait()

        await submit_fails(AnswerLost, behave, timeouts=SHORT, body=b" " * 30_000_000)

    @pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 408])
    async def test_a_gateway_s_page(self, status: int) -> None:
        page = b"<html><body>gateway</body></html>"
        failure, _ = await submit_fails(AnswerLost, answering(status, page, {"Retry-After": "7"}))
        assert (failure.http_status, failure.raw, failure.retry_after) == (status, page, 7.0)
        assert str(status) in failure.message
        assert "a page of HTML" in failure.message

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>sign in to the hotel's network</html>",
            b"\xff\xfe\x00",
            b"null",
            b'{"success": true, "result": {}}',
            b'{"success": true, "result": null}',
            b'{"success": true, "result": {"status": "queued"}}',
            b'{"success": true, "result": {"request_id": ""}}',
            b'{"success": true, "result": {"request_id": 5}}',
            b'{"success": true, "result": {"request_id": "a", "request_id": "b"}}',
            b'{"success": true, "result": {"response": [{"id": 0, "score": 0.5}]}}',
            b'{"success": false}',
        ],
    )
    async def test_a_2xx_that_is_not_the_contract(self, body: bytes) -> None:
        failure, _ = await submit_fails(AnswerLost, answering(200, body))
        assert (failure.http_status, failure.raw) == (200, body)

    async def test_no_content(self) -> None:
        await submit_fails(AnswerLost, raw(b"HTTP/1.1 204 No Content\r\n\r\n"))

    async def test_a_5xx_that_claims_success(self) -> None:
        await submit_fails(AnswerLost, answering(500, QUEUED))

    async def test_a_packed_body_that_grows_without_end(self) -> None:
        bomb = gzip.compress(b" " * 50_000_000)
        behave = answering(200, bomb, {"Content-Encoding": "gzip"})
        tracemalloc.start()
        failure, _ = await submit_fails(AnswerLost, behave, limits=Limits(answer_bytes=1_000_000))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 10_000_000
        assert "larger than 1,000,000 bytes" in failure.message
        assert len(failure.raw or b"") <= 1_000_000

    async def test_a_plain_body_without_end(self) -> None:
        async def behave(connection: Connection) -> None:
            await connection.request()
            await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                await connection.send(b"10000\r\n" + b" " * 0x10000 + b"\r\n")

        failure, _ = await submit_fails(AnswerLost, behave, limits=Limits(answer_bytes=1_000_000))
        assert "larger than" in failure.message

    @pytest.mark.parametrize(
        "packed", [gzip.compress(json.dumps(QUEUED).encode(), mtime=0)[:-8], b"not gzip"]
    )
    async def test_a_packed_body_that_is_broken(self, packed: bytes) -> None:
        await submit_fails(AnswerLost, answering(200, packed, {"Content-Encoding": "gzip"}))

    async def test_a_packing_that_was_not_asked_for(self) -> None:
        failure, _ = await submit_fails(AnswerLost, answering(200, QUEUED, {"Content-Encoding": "br"}))
        assert "'br'" in failure.message

    async def test_an_app_in_process_that_breaks(self) -> None:
        async def app(scope: object, receive: object, send: object) -> None:
            raise RuntimeError("the app broke")

        transport = httpx.ASGITransport(app=app)
        async with aclosing(WorkersAI(Endpoint("http://localhost", "acc"), transport=transport)) as client:
            with pytest.raises(AnswerLost, match="the app broke"):
                await client.submit(MODEL, BODY)


class TestRefusedForCertain:
    async def test_a_refusal_whose_body_is_cut_is_a_refusal(self) -> None:
        data = b'HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nContent-Length: 99\r\n\r\n{"succ'
        failure, _ = await submit_fails(ApiError, raw(data))
        assert (failure.kind, failure.retry_after) == (ErrorKind.RATE, 3.0)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_redirects_are_not_followed(self, status: int) -> None:
        async with serving(answering(200, QUEUED)) as other:
            target = f"http://127.0.0.1:{other.port}/elsewhere"
            failure, server = await submit_fails(ApiError, answering(status, b"", {"Location": target}))
            assert target in failure.message
            assert server.base_url in failure.hint
            assert not failure.may_retry
            assert other.connections == 0


class TestCallsThatMayBeRepeated:
    @pytest.mark.parametrize(
        "call",
        [
            lambda client: client.collect(MODEL, "a"),
            lambda client: client.models(),
            lambda client: client.verify(),
        ],
    )
    async def test_a_lost_answer_says_so(self, call: Callable[[WorkersAI], Awaitable[object]]) -> None:
        async with serving(raw(b"")) as server, aclosing(server.client()) as client:
            with pytest.raises(AnswerLost) as caught:
                await call(client)
        assert caught.value.hint == "Nothing is lost by it: ask again."


class TestConnections:
    async def test_are_used_again(self) -> None:
        async with serving(answering(200, QUEUED)) as server, aclosing(server.client()) as client:
            for _ in range(5):
                await client.submit(MODEL, BODY)
            assert server.connections == 1

    async def test_that_were_idle_too_long_are_not_used_again(self) -> None:
        limits = Limits(idle_seconds=0.01)
        async with (
            serving(answering(200, QUEUED)) as server,
            aclosing(server.client(limits=limits)) as client,
        ):
            for _ in range(3):
                await client.submit(MODEL, BODY)
                await asyncio.sleep(0.05)
            assert server.connections == 3

    async def test_that_the_server_closed_meanwhile_cost_nothing(self) -> None:
        async def behave(connection: Connection) -> None:
            await connection.request()
            await connection.send(http(200, b'{"success": true, "result": {"request_id": "a"}}'))
            connection.writer.close()

        async with serving(behave) as server, aclosing(server.client()) as client:
            for _ in range(3):
                await client.submit(MODEL, BODY)
                await asyncio.sleep(0.05)
            assert server.connections == 3

    async def test_many_calls_share_few(self) -> None:
        limits = Limits(connections=2)
        async with (
            serving(answering(200, QUEUED)) as server,
            aclosing(server.client(limits=limits)) as client,
        ):
            await asyncio.gather(*(client.submit(MODEL, BODY) for _ in range(50)))
            assert len(server.received) == 50
            assert server.connections <= 2

    def test_idle_ones_are_dropped_before_servers_drop_them(self) -> None:
        assert Limits().idle_seconds < 5

    async def test_may_be_closed_and_opened_again(self) -> None:
        async with serving(answering(200, QUEUED)) as server, aclosing(server.client()) as client:
            await client.submit(MODEL, BODY)
            await client.aclose()
            await client.submit(MODEL, BODY)
            assert server.connections == 2
