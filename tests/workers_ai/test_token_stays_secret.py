"""No fault of a server and no log level makes the token show itself."""

import html
import io
import json
import logging
import traceback
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

import pytest

from batchtui.workers_ai.client import WorkersAI
from batchtui.workers_ai.endpoint import Endpoint
from batchtui.workers_ai.errors import NotSent, WorkersAIError
from batchtui.workers_ai.limits import Timeouts
from batchtui.workers_ai.secret import Secret

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


# One of every kind of character that some encoder escapes.
ODD_TOKEN = """aB3/xY+9"kQ\\7m%Z&2<p>L='"""
AS_JSON = "".join(f"\\u{ord(character):04x}" for character in ODD_TOKEN)
# As it stands within a JSON string that this one is put into by replacing `@`.
SPELLINGS = {
    "as it is": json.dumps(ODD_TOKEN)[1:-1],
    "JSON escapes": AS_JSON,
    "JSON escapes in capitals": AS_JSON.upper().replace("U", "u"),
    "one JSON escape": json.dumps(ODD_TOKEN)[1:-1].replace("k", "\\u006b"),
    "an escaped slash": json.dumps(ODD_TOKEN)[1:-1].replace("/", "\\/").replace("+", "\\u002B"),
    "JSON in JSON": json.dumps(json.dumps(ODD_TOKEN)[1:-1])[1:-1],
    "JSON escapes in JSON": json.dumps(AS_JSON)[1:-1],
    "quoted for a URL": quote(ODD_TOKEN, safe=""),
    "quoted twice": quote(quote(ODD_TOKEN, safe=""), safe=""),
    "every byte quoted": "".join(f"%{ord(character):02x}" for character in ODD_TOKEN),
    "HTML": json.dumps(html.escape(ODD_TOKEN))[1:-1],
    "HTML in decimals": "".join(f"&#{ord(character)};" for character in ODD_TOKEN),
    "HTML in hexadecimals": "".join(f"&#x{ord(character):X};" for character in ODD_TOKEN),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_a_token_that_is_echoed_escaped_is_masked_all_the_same(spelling: str) -> None:
    body = json.dumps(refusal(5006, "a \\ and Bearer @ and @")).replace("@", SPELLINGS[spelling]).encode()
    async with (
        serving(answering(400, body)) as server,
        aclosing(server.client(token=ODD_TOKEN)) as client,
    ):
        with pytest.raises(WorkersAIError) as caught:
            await client.submit(MODEL, BODY)
        assert ODD_TOKEN.encode() in server.received[0]
    assert caught.value.message == "a \\ and Bearer *** and ***"
    assert json.loads(caught.value.raw or b"")["errors"][0]["message"] == caught.value.message


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-be"])
def test_a_page_in_a_wide_encoding_holds_no_token_either(encoding: str) -> None:
    page = f"your token is {ODD_TOKEN}.".encode(encoding)
    masked = Secret(ODD_TOKEN).mask_bytes(page).replace(b"\0", b"")
    assert masked == b"your token is ***."


def test_masking_an_answer_made_to_be_slow_ends() -> None:
    secret = Secret(ODD_TOKEN)
    begun = ODD_TOKEN[:-1].encode()
    for piece in (begun + b"\\", b"a\\", b"\\", b"&#0", b"%25", b"\0"):
        body = piece * 200_000
        assert secret.mask_bytes(body) == body


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTPS_PROXY", "http://[user:pr0xysecret"),
        ("HTTPS_PROXY", "://user:pr0xysecret"),
        ("HTTPS_PROXY", "http://user:pr0#xysecret@host:80"),
        ("ALL_PROXY", "ftp://user:pr0xysecret@host"),
        ("NO_PROXY", "[pr0xysecret:x"),
    ],
)
async def test_a_proxy_that_is_not_usable_is_told_without_its_password(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    async with aclosing(WorkersAI(Endpoint("https://api.example", "acc", Secret(TOKEN)))) as client:
        with pytest.raises(NotSent, match="proxy") as caught:
            client.open()
    assert name in caught.value.hint
    assert "pr0" not in all_of(caught.value)
