"""No fault of a server and no log level makes the token show itself."""

import io
import json
import logging
import traceback
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import pytest

from batchtui.workers_ai.errors import WorkersAIError
from batchtui.workers_ai.limits import Timeouts

from .raw_server import MODEL, TOKEN, Behaviour, Connection, answering, http, refusal, serving

BODY = b'{"requests": []}'


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged anywhere, at DEBUG."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


async def echo_the_head(connection: Connection) -> None:
    """A gateway that shows the request on its error page."""
    request = await connection.request()
    await connection.send(http(502, request))


async def echo_in_headers(connection: Connection) -> None:
    """A server that puts the token in every header, and in its reason phrase."""
    await connection.request()
    head = (
        f"HTTP/1.1 302 {TOKEN}\r\nLocation: https://evil.example/?t={TOKEN}\r\nbatchtui-scorer: {TOKEN}\r\n"
    )
    await connection.send(f"{head}Content-Length: 0\r\n\r\n".encode())


async def reset(connection: Connection) -> None:
    await connection.request()
    connection.reset()


async def break_the_protocol(connection: Connection) -> None:
    await connection.request()
    await connection.send(f"HTTP/1.1 {TOKEN}\r\n\r\n".encode())


async def say_nothing(connection: Connection) -> None:
    await connection.request()
    await connection.reader.read()


def with_locals(error: BaseException) -> str:
    """The traceback with the local variables of each frame, as crash reports show it."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(report.format())


def all_of(error: WorkersAIError) -> str:
    fields: list[Any] = [
        str(error),
        repr(error),
        error.hint,
        error.message,
        error.args,
        (error.raw or b"").decode(),
    ]
    return json.dumps([str(each) for each in fields])


@pytest.mark.parametrize(
    "behave",
    [
        echo_the_head,
        echo_in_headers,
        reset,
        break_the_protocol,
        say_nothing,
        answering(400, refusal(5006, f"your token is {TOKEN}")),
        answering(200, refusal(10000, f"Bearer {TOKEN} is not good")),
        answering(404, f"no {TOKEN} here".encode()),
        answering(200, {"success": True, "result": {"request_id": TOKEN, "responses": 5}}),
    ],
)
async def test_a_fault_shows_no_token(behave: Behaviour, log: io.StringIO) -> None:
    async with serving(behave) as server, aclosing(server.client(timeouts=Timeouts(read=0.2))) as client:
        with pytest.raises(WorkersAIError) as caught:
            await client.submit(MODEL, BODY)
        assert TOKEN.encode() in server.received[0]
    error = caught.value
    assert TOKEN not in all_of(error)
    assert TOKEN not in log.getvalue()
    assert "send_request_headers.started" in log.getvalue()
    assert error.__context__ is None
    assert error.__cause__ is None
    # The frames of the test itself hold the constant; those of the program come after them.
    program = with_locals(error).partition("workers_ai/client.py")[2]
    assert "transport.py" in program or "_refusal" in program or "_decoded" in program
    assert TOKEN not in program


async def test_an_answer_that_holds_the_token_is_kept_without_it(log: io.StringIO) -> None:
    item = {"id": 0, "success": False, "error": f"Bearer {TOKEN}"}
    body = {"success": True, "result": {"responses": [item]}}
    behave = answering(200, body, {"batchtui-scorer": TOKEN})
    async with serving(behave) as server, aclosing(server.client()) as client:
        collected = await client.collect(MODEL, "a")
    assert TOKEN not in repr(collected)
    assert "Bearer ***" in repr(collected.answer)
    assert collected.scorer == "***"
    assert TOKEN not in log.getvalue()


async def test_a_closed_client_leaves_no_filter_behind() -> None:
    before = list(logging.getLogger("httpx").filters)
    body = {"success": True, "result": []}
    async with serving(answering(200, body)) as server, aclosing(server.client()) as client:
        await client.verify()
        assert len(logging.getLogger("httpx").filters) == len(before) + 1
    assert logging.getLogger("httpx").filters == before


async def test_no_token_goes_through_a_proxy_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"success": True, "result": []}
    async with serving(answering(200, body)) as proxy, serving(answering(200, body)) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        async with aclosing(server.client()) as client:
            await client.verify()
        assert (proxy.connections, server.connections) == (0, 1)
