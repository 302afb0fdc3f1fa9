"""What an error of the API is about, whether it may be tried again, and what a person should do."""

import pytest

from batchtui.workers_ai.errors import HINTS, ApiError, ErrorKind, NotSent, api_error, kind_of
from batchtui.workers_ai.wire import Envelope


@pytest.mark.parametrize(
    ("code", "status", "message", "kind", "may_retry"),
    [
        (10000, 401, "Authentication error", ErrorKind.CREDENTIALS, False),
        (10000, 403, "Authentication error", ErrorKind.CREDENTIALS, False),
        (9106, 400, "Missing X-Auth-Key", ErrorKind.CREDENTIALS, False),
        (9109, 403, "Unauthorized to access", ErrorKind.CREDENTIALS, False),
        (1000, 400, "Invalid API Token", ErrorKind.CREDENTIALS, False),
        (1031, 403, "Expired", ErrorKind.CREDENTIALS, False),
        (7003, 404, "Could not route to /x", ErrorKind.ACCOUNT, False),
        (7000, 404, "No route for that URI", ErrorKind.ACCOUNT, False),
        (5007, 400, "No such model", ErrorKind.NO_MODEL, False),
        (3042, 404, "No such model", ErrorKind.NO_MODEL, False),
        (5006, 400, "AiError: Bad input", ErrorKind.BAD_INPUT, False),
        (3003, 400, "Request is missing headers or body", ErrorKind.BAD_INPUT, False),
        (3030, 400, "upstream validation failed", ErrorKind.BAD_INPUT, False),
        (3006, 413, "Request is too large", ErrorKind.TOO_LARGE, False),
        (3007, 408, "timeout", ErrorKind.TRY_AGAIN, True),
        (3008, 408, "aborted", ErrorKind.TRY_AGAIN, True),
        (3021, 429, "inference request per min rate reached", ErrorKind.RATE, True),
        (3040, 429, "Capacity temporarily exceeded, please try again", ErrorKind.TRY_AGAIN, True),
        (3036, 429, "used up", ErrorKind.QUOTA, False),
        (4006, 429, "used up", ErrorKind.QUOTA, False),
        (None, 429, "You have used up your daily free allocation of 10,000 neurons", ErrorKind.QUOTA, False),
        (3040, 429, "Daily free allocation used up", ErrorKind.QUOTA, False),
        (3041, 403, "not allowed", ErrorKind.NOT_ALLOWED, False),
        (5018, 403, "not allowed", ErrorKind.NOT_ALLOWED, False),
        (5016, 403, "agree first", ErrorKind.NOT_ALLOWED, False),
        (3023, 403, "not allowed", ErrorKind.NOT_ALLOWED, False),
        (5035, 403, "not allowed", ErrorKind.NOT_ALLOWED, False),
        (5504, 404, "AiError: AiError: Request not found in queue (x)", ErrorKind.GONE, False),
        (5504, 400, "gone", ErrorKind.GONE, False),
        (8007, 400, "This model does not support request queuing", ErrorKind.NO_QUEUE, False),
        (8007, 400, "something else", ErrorKind.BAD_INPUT, False),
        (8001, 500, "invalid input", ErrorKind.BAD_INPUT, True),
        (8008, 500, "internal", ErrorKind.TRY_AGAIN, True),
        (3050, 500, "retries exhausted", ErrorKind.TRY_AGAIN, True),
        (3043, 500, "internal server error", ErrorKind.TRY_AGAIN, True),
        (99999, 503, "new", ErrorKind.TRY_AGAIN, True),
        (99999, 409, "conflict", ErrorKind.TRY_AGAIN, True),
        (99999, 418, "teapot", ErrorKind.OTHER, False),
        (None, 200, "", ErrorKind.OTHER, False),
    ],
)
def test_the_table_of_codes(
    code: int | None, status: int, message: str, kind: ErrorKind, may_retry: bool
) -> None:
    error = api_error(Envelope(False, ((code, message),)), status)
    assert (error.kind, error.may_retry, error.code, error.http_status) == (kind, may_retry, code, status)
    assert error.hint == HINTS[kind]


def test_of_several_errors_the_one_that_says_what_it_is_about_counts() -> None:
    envelope = Envelope(False, ((None, "request failed"), (5007, "No such model"), (3021, "rate")))
    assert api_error(envelope, 400).kind is ErrorKind.NO_MODEL


def test_a_refusal_without_a_reason_says_so() -> None:
    assert "gave no reason (HTTP 400)" in api_error(Envelope(False), 400).message


def test_every_kind_has_a_hint() -> None:
    assert set(HINTS) == set(ErrorKind)


def test_a_code_is_known_without_a_status() -> None:
    assert kind_of(5504, "") is ErrorKind.GONE
    assert kind_of(None, "Request not found in queue") is ErrorKind.GONE


def test_a_message_is_bounded_and_can_be_encoded() -> None:
    error = NotSent("\ud800" + "x" * 10_000, "hint")
    assert len(str(error)) == 500
    assert str(error).encode().startswith("\ufffdx".encode())


def test_what_is_not_known_of_an_error_is_none() -> None:
    error = ApiError("no", kind=ErrorKind.OTHER)
    assert (error.code, error.http_status, error.retry_after, error.raw) == (None, None, None, None)
