"""One HTTP exchange with Workers AI, and whether the service may have seen it when it failed."""

import asyncio
import logging
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass, field
from typing import Any

import httpx

from batchtui.workers_ai.endpoint import Endpoint
from batchtui.workers_ai.errors import AnswerLost, NotSent, WorkersAIError
from batchtui.workers_ai.limits import Limits, Timeouts
from batchtui.workers_ai.secret import MaskingFilter, Secret

_PIECE = 64 * 1024
_HTTP_LOGGERS = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)
_NEVER_CONNECTED = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: its status, the headers that matter, and its body, unpacked.

    The token is masked in it, should the server echo it. Only a 3xx or a 4xx may have a body that was
    cut.
    """

    status: int
    body: bytes
    scorer: str | None = None
    location: str | None = None
    retry_after: str | None = None


@dataclass
class _Progress:
    """How far a call has come."""

    sent: bool = False
    status: int = 0
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    body: bytearray = field(default_factory=bytearray)

    async def trace(self, event: str, details: dict[str, Any]) -> None:
        """Take note of the moment from which bytes of the request may be under way."""
        # A proxy's CONNECT goes before the request and carries none of it.
        if event.endswith(".send_request_headers.started") and details["request"].method != b"CONNECT":
            self.sent = True

    @property
    def refused(self) -> bool:
        """Whether the status is worth more than a body that did not come whole."""
        return 300 <= self.status < 500


class _Bearer(httpx.Auth):
    """Adds the token at the last moment, so that it is in no local variable of ours."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._secret.reveal()}"
        yield request


class _Pieces(httpx.AsyncByteStream):
    """A body sent piece by piece, so that the write time-out is for each piece and not for all of it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), _PIECE):
            yield self._body[start : start + _PIECE]


class Channel:
    """The connections to one endpoint."""

    def __init__(
        self,
        endpoint: Endpoint,
        transport: httpx.AsyncBaseTransport | None,
        timeouts: Timeouts,
        limits: Limits,
    ) -> None:
        self._endpoint = endpoint
        self._timeouts = timeouts
        self._limits = limits
        self._traced = transport is None or isinstance(transport, httpx.AsyncHTTPTransport)
        self._filter = None if endpoint.token is None else MaskingFilter(endpoint.token)
        self._client = httpx.AsyncClient(
            auth=None if endpoint.token is None else _Bearer(endpoint.token),
            # A proxy for an address on this machine would get the token in plain text.
            trust_env=not endpoint.loopback,
            transport=transport,
            follow_redirects=False,
            headers={"Accept": "application/json", "Accept-Encoding": "gzip"},
            timeout=httpx.Timeout(
                connect=timeouts.connect, read=timeouts.read, write=timeouts.write, pool=timeouts.pool
            ),
            limits=httpx.Limits(
                max_connections=limits.connections,
                max_keepalive_connections=limits.idle_connections,
                keepalive_expiry=limits.idle_seconds,
            ),
        )
        if self._filter is not None:
            for name in _HTTP_LOGGERS:
                logging.getLogger(name).addFilter(self._filter)

    async def call(self, method: str, url: str, body: bytes | None = None) -> Answer:
        """Send one request and read its answer, whatever its status; raises NotSent or AnswerLost."""
        progress = _Progress()
        try:
            async with asyncio.timeout(self._timeouts.total):
                await self._exchange(method, url, body, progress)
        except TimeoutError:
            failure = self._failure(progress.sent, f"no whole answer within {self._timeouts.total:g} s")
        except WorkersAIError as error:
            failure = error
        except Exception as error:
            sent = progress.sent if self._traced else not isinstance(error, _NEVER_CONNECTED)
            failure = self._failure(sent, _reason(error))
        else:
            return self._answer(progress)
        if progress.refused:
            return self._answer(progress)
        if progress.status:
            failure.http_status = progress.status
            failure.raw = self._answer(progress).body
        # Outside of the except blocks: the HTTP library's exceptions hold requests, and those the token.
        raise failure

    async def aclose(self) -> None:
        """Close every connection."""
        if self._filter is not None:
            for name in _HTTP_LOGGERS:
                logging.getLogger(name).removeFilter(self._filter)
        await self._client.aclose()

    async def _exchange(self, method: str, url: str, body: bytes | None, progress: _Progress) -> None:
        headers = {}
        if body is not None:
            headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        request = self._client.build_request(
            method,
            url,
            headers=headers,
            content=None if body is None else _Pieces(body),
            extensions={"trace": progress.trace},
        )
        # A transport that does not trace may take the request at any moment from here on.
        progress.sent = not self._traced
        response = await self._client.send(request, stream=True)
        try:
            progress.headers = response.headers
            progress.status = response.status_code
            await self._read(response, progress)
        finally:
            await response.aclose()

    async def _read(self, response: httpx.Response, progress: _Progress) -> None:
        if response.is_stream_consumed:
            progress.body += response.content
            return
        packed = response.headers.get("content-encoding", "identity").strip()
        encoding = packed.lower()
        if encoding not in ("identity", "gzip", ""):
            raise self._lost(f"the answer is packed as {packed!r}, which was not asked for")
        unpack = zlib.decompressobj(zlib.MAX_WBITS | 16) if encoding == "gzip" else None
        room = self._limits.answer_bytes
        async for piece in response.aiter_raw():
            # One byte more than there is room for tells an answer that is too large from one that just fits.
            plain = piece if unpack is None else unpack.decompress(piece, room + 1)
            room -= len(plain)
            if room < 0:
                raise self._lost(f"the answer is larger than {self._limits.answer_bytes:,} bytes")
            progress.body += plain
        if unpack is not None and not unpack.eof:
            raise self._lost("the packed answer was cut off")

    def _answer(self, progress: _Progress) -> Answer:
        """What has come so far."""
        token, body = self._endpoint.token, bytes(progress.body)
        return Answer(
            progress.status,
            body if token is None else token.mask_bytes(body),
            scorer=self._header(progress, "batchtui-scorer"),
            location=self._header(progress, "location"),
            retry_after=self._header(progress, "retry-after"),
        )

    def _header(self, progress: _Progress, name: str) -> str | None:
        value = progress.headers.get(name)
        return None if value is None else self._mask(value)

    def _mask(self, text: str) -> str:
        return text if self._endpoint.token is None else self._endpoint.token.mask(text)

    def _lost(self, reason: str) -> WorkersAIError:
        return self._failure(True, reason)

    def _failure(self, sent: bool, reason: str) -> WorkersAIError:
        host = self._endpoint.host
        if sent:
            return AnswerLost(
                f"The answer of {host} was lost: {self._mask(reason)}.",
                "The service may or may not have taken the request: decide whether to send it again.",
            )
        return NotSent(
            f"No connection to {host}: {self._mask(reason)}.",
            f"Check the network and the base URL {self._endpoint.base_url}.",
        )


def _reason(error: BaseException) -> str:
    """Why an exchange failed, in words: the system's own reason where one stands behind the exception."""
    cause: BaseException | None = error
    for _ in range(10):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message})"
        if isinstance(cause, socket.gaierror):
            return "its name is not known to the network"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        if cause is None:
            break
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.TimeoutException):
        return f"timed out ({type(error).__name__})"
    return str(error).rstrip(".") or type(error).__name__
