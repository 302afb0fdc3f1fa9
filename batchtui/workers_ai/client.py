"""Workers AI as its clients see it: submit a batch, ask for it, run one request, list the models.

httpx is imported with the first call.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

from batchtui.clock import Clock, SystemClock
from batchtui.model import Usage
from batchtui.workers_ai.catalogue import ModelInfo, from_search
from batchtui.workers_ai.endpoint import Endpoint, EndpointError
from batchtui.workers_ai.errors import (
    AnswerLost,
    ApiError,
    ErrorKind,
    NotSent,
    WorkersAIError,
    api_error,
    kind_of,
)
from batchtui.workers_ai.limits import Limits, Timeouts
from batchtui.workers_ai.strict_json import bounded
from batchtui.workers_ai.wire import (
    BatchFailed,
    Complete,
    Envelope,
    MalformedAnswer,
    Queued,
    Response,
    decode_answer,
    decode_envelope,
    decode_run,
    encode_collect,
)

if TYPE_CHECKING:
    import httpx

    from batchtui.workers_ai.transport import Answer, Channel

__all__ = ["Collected", "Endpoint", "Limits", "Ran", "Submitted", "Timeouts", "WorkersAI"]

LONGEST_RETRY_AFTER = 86_400.0
_MODELS_A_PAGE = 100
_MOST_PAGES = 50
_LONGEST_SNIPPET = 120
_LONGEST_SCORER = 200
_DECODED_AT_ONCE = 256 * 1024

Decoded = TypeVar("Decoded")


@dataclass(frozen=True)
class Submitted:
    """A batch that was taken; `raw` is the answer's body, `scorer` who scores where the server says so."""

    request_id: str
    status: str
    raw: bytes
    scorer: str | None = None


@dataclass(frozen=True)
class Collected:
    """How a batch stands, or what it brought."""

    answer: Queued | Complete | BatchFailed
    raw: bytes
    scorer: str | None = None


@dataclass(frozen=True)
class Ran:
    """What a synchronous call brought."""

    response: Response
    usage: Usage | None
    raw: bytes
    scorer: str | None = None


class WorkersAI:
    """A client of one endpoint, for one event loop.

    Every call raises NotSent, AnswerLost or ApiError. Nothing is tried again here: the caller knows what may
    be. `transport` reaches a server in process.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        transport: "httpx.AsyncBaseTransport | None" = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._transport = transport
        self._timeouts = timeouts or Timeouts()
        self._limits = limits or Limits()
        self._clock = clock or SystemClock()
        self._channel: Channel | None = None

    async def submit(self, model: str, body: bytes) -> Submitted:
        """Submit a batch, a body of `wire.encode_batch`."""
        answer = await self._run(model, body, queue=True)
        decoded = await self._decoded(answer, decode_answer)
        if isinstance(decoded, BatchFailed):
            raise ApiError(
                decoded.message,
                kind=kind_of(decoded.code, decoded.message),
                code=decoded.code,
                http_status=answer.status,
                raw=answer.body,
            )
        if not isinstance(decoded, Queued) or decoded.request_id is None:
            raise self._lost(answer, "it bears no request_id, so the batch cannot be asked for")
        return Submitted(decoded.request_id, decoded.status, answer.body, _scorer(answer))

    async def collect(self, model: str, request_id: str) -> Collected:
        """Ask how a submitted batch stands, and collect it when it is done; may be repeated."""
        with _repeatable():
            answer = await self._run(model, encode_collect(request_id), queue=True)
            decoded = await self._decoded(answer, decode_answer)
            if isinstance(decoded, Queued) and decoded.request_id not in (None, request_id):
                raise self._lost(answer, "it is about another batch")
        return Collected(decoded, answer.body, _scorer(answer))

    async def run(self, model: str, body: bytes) -> Ran:
        """Run one request at once, a body of `wire.encode_request`."""
        answer = await self._run(model, body, queue=False)
        response, usage = await self._decoded(answer, decode_run)
        return Ran(response, usage, answer.body, _scorer(answer))

    async def models(self) -> tuple[ModelInfo, ...]:
        """The models that the account may see, in the service's order."""
        found: dict[str, ModelInfo] = {}
        for page in range(1, _MOST_PAGES + 1):
            models = await self._models_page(page, _MODELS_A_PAGE)
            before = len(found)
            for model in models:
                found.setdefault(model.name, model)
            # A server without pages answers the same list each time.
            if len(models) < _MODELS_A_PAGE or len(found) == before:
                break
        return tuple(found.values())

    async def verify(self) -> None:
        """Return when the base URL, the account and the token are good; costs nothing."""
        await self._models_page(1, 1)

    def open(self) -> None:
        """Set up what the first call needs, which else sets it up itself. Raises NotSent."""
        self._opened()

    async def aclose(self) -> None:
        """Close every connection; a later call opens new ones."""
        if self._channel is not None:
            channel, self._channel = self._channel, None
            await channel.aclose()

    async def _run(self, model: str, body: bytes, *, queue: bool) -> "Answer":
        try:
            url = self._endpoint.run_url(model, queue=queue)
        except EndpointError as error:
            raise ApiError(str(error), kind=ErrorKind.NO_MODEL) from None
        return await self._call("POST", url, body)

    async def _models_page(self, page: int, per_page: int) -> tuple[ModelInfo, ...]:
        url = self._endpoint.models_url(page=page, per_page=per_page)
        if url is None:
            raise ApiError(
                "An AI Gateway has no list of models.",
                "Use Cloudflare's own base URL to list models or to check the token.",
                kind=ErrorKind.OTHER,
            )
        with _repeatable():
            return await self._decoded(await self._call("GET", url, None), from_search)

    async def _call(self, method: str, url: str, body: bytes | None) -> "Answer":
        answer = await self._opened().call(method, url, body)
        if not 200 <= answer.status < 300:
            raise self._refusal(answer)
        return answer

    def _opened(self) -> "Channel":
        if self._channel is None:
            from batchtui.workers_ai.transport import Channel

            try:
                self._channel = Channel(self._endpoint, self._transport, self._timeouts, self._limits)
            except (ImportError, OSError) as error:
                raise NotSent(
                    f"No connection can be set up: {error}",
                    "Check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR.",
                ) from None
            except Exception:
                # Never quoted: a proxy's URL may hold a password, and a broken one in any of its parts.
                raise NotSent(
                    "No connection can be set up: a proxy in the environment is not usable.",
                    "Write HTTP_PROXY, HTTPS_PROXY and ALL_PROXY as http://USER:PASSWORD@HOST:PORT, with "
                    "/ # ? @ : in a password percent-encoded, and NO_PROXY as names with commas in between.",
                ) from None
        return self._channel

    async def _decoded(self, answer: "Answer", decode: Callable[[bytes], Decoded]) -> Decoded:
        """The decoded body of a 2xx answer."""
        try:
            if len(answer.body) <= _DECODED_AT_ONCE:
                return decode(answer.body)
            return await asyncio.to_thread(decode, answer.body)
        except MalformedAnswer as malformed:
            envelope = decode_envelope(answer.body)
            failure = (
                self._lost(answer, str(malformed))
                if envelope is None or envelope.success
                else self._api_error(answer, envelope)
            )
        raise failure

    def _refusal(self, answer: "Answer") -> WorkersAIError:
        """The error that an answer with a status other than 2xx stands for."""
        envelope = decode_envelope(answer.body)
        if envelope is not None and not envelope.success:
            return self._api_error(answer, envelope)
        status, snippet = answer.status, _snippet(answer.body)
        if status >= 500 or status < 300 or status == 408:
            return self._lost(answer, f"HTTP {status} with {snippet}")
        message = f"{self._endpoint.host} answered HTTP {status} with {snippet}"
        hint = f"Check the base URL {self._endpoint.base_url}: this is not an answer of Workers AI."
        kind = kind_of(None, snippet, status)
        if 300 <= status < 400:
            where = bounded(answer.location or "nowhere", _LONGEST_SNIPPET)
            message = f"{self._endpoint.host} redirects (HTTP {status}) to {where}"
            hint = f"Check the base URL {self._endpoint.base_url}: redirects are not followed."
        return ApiError(
            message,
            hint if kind in (ErrorKind.OTHER, ErrorKind.BAD_INPUT) else None,
            kind=kind,
            http_status=status,
            retry_after=self._retry_after(answer),
            raw=answer.body,
        )

    def _api_error(self, answer: "Answer", envelope: Envelope) -> ApiError:
        return api_error(envelope, answer.status, retry_after=self._retry_after(answer), raw=answer.body)

    def _lost(self, answer: "Answer", reason: str) -> AnswerLost:
        return AnswerLost(
            f"The answer of {self._endpoint.host} is not Workers AI's: {reason}",
            "The service may or may not have taken the request: decide whether to send it again.",
            http_status=answer.status,
            retry_after=self._retry_after(answer),
            raw=answer.body,
        )

    def _retry_after(self, answer: "Answer") -> float | None:
        return None if answer.retry_after is None else retry_after(answer.retry_after, self._clock.now())


def retry_after(value: str, now: float) -> float | None:
    """Seconds from `now` (epoch) that a Retry-After header asks for, 0 to one day; None for what is neither.

    Seconds or an HTTP date, RFC 9110 section 10.2.3.
    """
    text = value.strip()
    if re.fullmatch(r"[0-9]+", text):
        return min(float(text[:10]), LONGEST_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(text)
        moment = (date if date.tzinfo is not None else date.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return min(max(moment - now, 0.0), LONGEST_RETRY_AFTER)


def _scorer(answer: "Answer") -> str | None:
    return None if answer.scorer is None else bounded(answer.scorer, _LONGEST_SCORER)


@contextmanager
def _repeatable() -> Iterator[None]:
    """Gives a lost answer the hint of a call that takes nothing and may be made again."""
    try:
        yield
    except AnswerLost as lost:
        lost.hint = "Nothing is lost by it: ask again."
        raise


def _snippet(body: bytes) -> str:
    """A body that is not the API's, in a few words."""
    text = " ".join(body[:1000].decode("utf-8", errors="replace").split())
    if not text:
        return "an empty body"
    if text.startswith("<"):
        return "a page of HTML"
    return bounded(text, _LONGEST_SNIPPET)
