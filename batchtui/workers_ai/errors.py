"""What can go wrong with Workers AI, as types that say whether the batch was taken and what to do.

Source of codes and statuses: Cloudflare's Workers AI error reference, and published captures.
"""

from enum import StrEnum

from batchtui.workers_ai.strict_json import bounded, whole_text
from batchtui.workers_ai.wire import LONGEST_MESSAGE, Envelope

_QUOTA_WORDS = "daily free allocation"
_NO_QUEUE_WORDS = "not support request queuing"
_GONE_WORDS = "not found in queue"


class ErrorKind(StrEnum):
    """What an error of the API is about."""

    CREDENTIALS = "credentials"
    ACCOUNT = "account"
    NO_MODEL = "no_model"
    BAD_INPUT = "bad_input"
    TOO_LARGE = "too_large"
    TRY_AGAIN = "try_again"
    RATE = "rate"
    QUOTA = "quota"
    NOT_ALLOWED = "not_allowed"
    GONE = "gone"
    NO_QUEUE = "no_queue"
    OTHER = "other"


_KIND_OF_CODE = {
    **dict.fromkeys((10000, 9106, 9109, 1000, 1031), ErrorKind.CREDENTIALS),
    **dict.fromkeys((7003, 7000), ErrorKind.ACCOUNT),
    **dict.fromkeys((5007, 3042), ErrorKind.NO_MODEL),
    **dict.fromkeys((5006, 3003, 3030, 8001), ErrorKind.BAD_INPUT),
    3006: ErrorKind.TOO_LARGE,
    **dict.fromkeys((3007, 3008, 3040, 3043, 3050, 8008), ErrorKind.TRY_AGAIN),
    3021: ErrorKind.RATE,
    **dict.fromkeys((3036, 4006), ErrorKind.QUOTA),
    **dict.fromkeys((3041, 5018, 5016, 3023, 5035), ErrorKind.NOT_ALLOWED),
    5504: ErrorKind.GONE,
}

_KIND_OF_STATUS = {
    400: ErrorKind.BAD_INPUT,
    401: ErrorKind.CREDENTIALS,
    403: ErrorKind.CREDENTIALS,
    408: ErrorKind.TRY_AGAIN,
    409: ErrorKind.TRY_AGAIN,
    413: ErrorKind.TOO_LARGE,
    422: ErrorKind.BAD_INPUT,
    429: ErrorKind.RATE,
}

HINTS = {
    ErrorKind.CREDENTIALS: "Check the API token, its permission (Workers AI Read or Edit), the account ID.",
    ErrorKind.ACCOUNT: "Check the account ID and the base URL.",
    ErrorKind.NO_MODEL: "Choose another model.",
    ErrorKind.BAD_INPUT: "Mend the input: the message names what is wrong with it.",
    ErrorKind.TOO_LARGE: "Split the batch: send fewer or shorter contexts at a time.",
    ErrorKind.TRY_AGAIN: "Try again later.",
    ErrorKind.RATE: "Slow down, and try again later.",
    ErrorKind.QUOTA: "Wait until 00:00 UTC, when the free allocation is new, or use a paid plan.",
    ErrorKind.NOT_ALLOWED: "This account may not use the model: choose another, or ask for access to it.",
    ErrorKind.GONE: "The service no longer knows this batch: submit it again.",
    ErrorKind.NO_QUEUE: "This model takes no batches: call it request by request, or choose another model.",
    ErrorKind.OTHER: "Read the service's message; if it says nothing, try again later.",
}


class WorkersAIError(Exception):
    """A call that did not bring what was asked for.

    `code` is the API's own; `message` is what went wrong, at most 500 characters, and may be the server's
    own hostile text; `hint` is what a person can do; `retry_after` is in seconds; `raw` is the body that
    came, as far as it came.
    """

    def __init__(
        self,
        message: str,
        hint: str,
        *,
        code: int | None = None,
        http_status: int | None = None,
        retry_after: float | None = None,
        raw: bytes | None = None,
    ) -> None:
        self.message = bounded(whole_text(message), LONGEST_MESSAGE)
        super().__init__(self.message)
        self.hint = hint
        self.code = code
        self.http_status = http_status
        self.retry_after = retry_after
        self.raw = raw

    @property
    def may_retry(self) -> bool:
        """Whether the same call may be made again by itself without risk of doing the work twice."""
        return False


class NotSent(WorkersAIError):  # noqa: N818
    """No connection was made: the service certainly did not take the request."""

    @property
    def may_retry(self) -> bool:
        """Always: nothing was taken."""
        return True


class AnswerLost(WorkersAIError):  # noqa: N818
    """The request was sent, and no answer of the contract came: the service may have taken it."""


class ApiError(WorkersAIError):
    """The service's own refusal: it certainly did not take the request."""

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        *,
        kind: ErrorKind,
        code: int | None = None,
        http_status: int | None = None,
        retry_after: float | None = None,
        raw: bytes | None = None,
    ) -> None:
        super().__init__(
            message,
            HINTS[kind] if hint is None else hint,
            code=code,
            http_status=http_status,
            retry_after=retry_after,
            raw=raw,
        )
        self.kind = kind

    @property
    def may_retry(self) -> bool:
        """For 408, 409, 429, 5xx and the codes that say so, but never for a spent daily quota."""
        if self.kind is ErrorKind.QUOTA:
            return False
        if self.kind in (ErrorKind.TRY_AGAIN, ErrorKind.RATE):
            return True
        status = self.http_status or 0
        return status in (408, 409, 429) or status >= 500


def kind_of(code: int | None, message: str, http_status: int | None = None) -> ErrorKind:
    """What an error is about: by its code, else by its text, else by the HTTP status."""
    words = message.lower()
    # A code may stand for several things (8007 does), and a quota may come under a rate's code.
    if _QUOTA_WORDS in words:
        return ErrorKind.QUOTA
    if _NO_QUEUE_WORDS in words:
        return ErrorKind.NO_QUEUE
    if code in _KIND_OF_CODE:
        return _KIND_OF_CODE[code]
    if _GONE_WORDS in words:
        return ErrorKind.GONE
    if http_status is not None and http_status >= 500:
        return ErrorKind.TRY_AGAIN
    return _KIND_OF_STATUS.get(http_status or 0, ErrorKind.OTHER)


def api_error(
    envelope: Envelope,
    http_status: int | None = None,
    *,
    retry_after: float | None = None,
    raw: bytes | None = None,
) -> ApiError:
    """The error that an envelope without success holds; of several, the first that says what it is about."""
    faults = envelope.errors or ((None, ""),)
    kinds = [kind_of(code, message, http_status) for code, message in faults]
    telling = [place for place, (code, _) in enumerate(faults) if code in _KIND_OF_CODE]
    place = telling[0] if telling else 0
    code, message = faults[place]
    return ApiError(
        message or f"the service refused and gave no reason (HTTP {http_status})",
        kind=kinds[place],
        code=code,
        http_status=http_status,
        retry_after=retry_after,
        raw=raw,
    )
