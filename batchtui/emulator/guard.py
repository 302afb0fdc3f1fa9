"""What stands before the routes: who may ask, faults asked for, and an envelope for what goes wrong."""

import asyncio
import hmac
import logging
import re
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from batchtui.clock import Clock
from batchtui.emulator.answers import error_envelope
from batchtui.emulator.errors import AUTHENTICATION, INTERNAL, TIMED_OUT, TOO_LARGE, AnswerError
from batchtui.emulator.faults import FAULT_HEADER, NO_FAULT, Fault, parse_fault
from batchtui.emulator.moods import Call, Moods

OPEN_PATH = "/client/v4/openapi.json"
FAULT_IN_SCOPE = "batchtui.fault"
GATEWAY_PAGE = (
    b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"
)
FOREIGN = 9109
# Who reads slowly holds one piece of an answer in the connection's buffer, and has to take it in time.
PIECE_BYTES = 250_000

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s\[\]:/?#@]+)(?::[0-9]{1,5})?", re.IGNORECASE)

logger = logging.getLogger(__name__)


def error_response(fault: AnswerError, **headers: str) -> Response:
    """The fault in its envelope."""
    return Response(
        error_envelope(fault),
        fault.status,
        headers={**fault.headers, **headers},
        media_type="application/json",
    )


class Guard:
    """An ASGI app around the routes. `hosts` are the names it answers to; None takes any."""

    def __init__(
        self, app: ASGIApp, *, clock: Clock, moods: Moods, token: str | None, hosts: Collection[str] | None
    ) -> None:
        self._app = app
        self._clock = clock
        self._moods = moods
        self._token = token
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sending = _Sending(send)
        try:
            headers = Headers(scope=scope)
            self._check(headers, scope["path"])
            fault = _fault_in(headers)
            if fault.gateway_page:
                await _gateway_page()(scope, receive, sending)
                return
            self._moods.strike(Call.ANY)
            scope[FAULT_IN_SCOPE] = fault
            if fault.lost or fault.cut or fault.delay:
                await self._suffer(fault, scope, receive, sending)
            else:
                await self._app(scope, receive, sending)
        except AnswerError as error:
            await error_response(error)(scope, receive, sending)
        except ClientDisconnect:
            return
        except Exception:
            logger.exception("the emulator failed to answer %s", scope["path"])
            if not sending.begun:
                await error_response(AnswerError(INTERNAL, detail="see the log of the emulator"))(
                    scope, receive, sending
                )

    def _check(self, headers: Headers, path: str) -> None:
        host = _host_name(headers.get("host", ""))
        if self._hosts is not None and host not in self._hosts:
            raise AnswerError(FOREIGN)
        # A browser names the page that asks. Its port may be another one: a page's own server hands calls on.
        for origin in headers.getlist("origin"):
            name = _origin_name(origin)
            if name is None or name not in (self._hosts or (host,)):
                raise AnswerError(FOREIGN)
        if self._token is not None and path != OPEN_PATH:
            scheme, _, given = headers.get("authorization", "").partition(" ")
            expected = self._token.encode("utf-8", "surrogateescape")
            if scheme.lower() != "bearer" or not hmac.compare_digest(_bytes(given.strip()), expected):
                raise AnswerError(AUTHENTICATION)

    async def _suffer(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry the call out, and then delay, lose or cut its answer."""
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        try:
            await self._app(scope, receive, keep)
        except AnswerError as error:
            await error_response(error)(scope, receive, keep)
        if fault.delay:
            await self._delay(fault.delay, receive)
        if fault.lost:
            await _gateway_page()(scope, receive, send)
            return
        for message in answer:
            if fault.cut and message["type"] == "http.response.body":
                body = message.get("body", b"")
                # The length was promised already, so the server can only close the connection.
                await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
                return
            await send(message)

    async def _delay(self, seconds: float, receive: Receive) -> None:
        """So long, or until who asked has gone: then ClientDisconnect."""
        slept = asyncio.create_task(self._clock.sleep(seconds))
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait((slept, gone), return_when=asyncio.FIRST_COMPLETED)
            if not slept.done():
                raise ClientDisconnect
        finally:
            slept.cancel()
            gone.cancel()


class _Sending:
    """Passes messages on, large bodies in pieces, and knows whether an answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def __call__(self, message: Message) -> None:
        self.begun = True
        body = message.get("body", b"")
        if len(body) <= PIECE_BYTES:
            await self._send(message)
            return
        for start in range(0, len(body), PIECE_BYTES):
            end = start + PIECE_BYTES
            more = end < len(body) or message.get("more_body", False)
            await self._send({"type": message["type"], "body": body[start:end], "more_body": more})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def read_body(request: Request, limit: int, seconds: float) -> bytes:
    """The whole body; 3006 over `limit` bytes, 3007 where it takes longer than `seconds`."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:20]) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                body += part
                if len(body) > limit:
                    raise _too_large(limit)
    except TimeoutError:
        raise AnswerError(TIMED_OUT, detail=f"the body took longer than {seconds:g} seconds") from None
    return bytes(body)


def fault_of(request: Request) -> Fault:
    """The fault that the header of this call asked for."""
    fault: Fault = request.scope.get(FAULT_IN_SCOPE, NO_FAULT)
    return fault


def _too_large(limit: int) -> AnswerError:
    return AnswerError(TOO_LARGE, detail=f"the limit is {limit} bytes")


def _fault_in(headers: Headers) -> Fault:
    try:
        fault = parse_fault(headers.get(FAULT_HEADER, ""))
    except ValueError as error:
        raise bad_header(str(error)) from None
    if fault.code is not None:
        raise AnswerError(fault.code, retry_after=fault.retry_after)
    return fault


def bad_header(detail: str) -> AnswerError:
    """Code 3003 for a header of ours that says nothing known."""
    return AnswerError(3003, detail=f"the header {FAULT_HEADER}: {detail}")


def _gateway_page() -> Response:
    return Response(GATEWAY_PAGE, 502, media_type="text/html")


def _host_name(host: str) -> str | None:
    """The name of a Host header, without its port or an IPv6 address's brackets; None where it is none."""
    found = _HOST.fullmatch(host)
    return found[1].strip("[]").lower() if found else None


def _origin_name(origin: str) -> str | None:
    """The host name of a web page's Origin header; None where it is no page of a host."""
    scheme, _, host = origin.partition("://")
    return _host_name(host) if scheme.lower() in ("http", "https") else None


def _bytes(text: str) -> bytes:
    return text.encode("latin-1", "replace")
