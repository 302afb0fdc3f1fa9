"""What goes over the wire in each call, and what comes out of its answer."""

import json
from contextlib import aclosing
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchtui.model import Context, Request, Usage
from batchtui.workers_ai.client import Collected, Ran, Submitted, WorkersAI, retry_after
from batchtui.workers_ai.endpoint import Endpoint
from batchtui.workers_ai.errors import AnswerLost, ApiError, ErrorKind
from batchtui.workers_ai.wire import BatchFailed, Complete, Queued, Response, encode_batch, encode_request

from .raw_server import MODEL, QUEUED, REQUEST_ID, TOKEN, answering, refusal, serving

REQUEST = Request("q", (Context("c"),))
BODY = encode_batch([REQUEST])
NOON = 1_767_268_800.0  # 2026-01-01 12:00:00 UTC


class FrozenClock:
    """Noon, for ever."""

    def now(self) -> float:
        return NOON

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("the client never waits")


async def submit_refused(status: int, body: Any, headers: dict[str, str] | None = None) -> ApiError:
    async with serving(answering(status, body, headers)) as server, aclosing(server.client()) as client:
        with pytest.raises(ApiError) as caught:
            await client.submit(MODEL, BODY)
        return caught.value


class TestWhatGoesOut:
    async def test_a_submit_is_the_documented_post(self) -> None:
        async with serving(answering(200, QUEUED)) as server, aclosing(server.client()) as client:
            await client.submit(MODEL, BODY)
        head, _, body = server.received[0].partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        headers = {line.partition(b": ")[0].lower(): line.partition(b": ")[2] for line in lines[1:]}
        assert lines[0] == b"POST /client/v4/accounts/acc/ai/run/@cf/baai/bge-m3?queueRequest=true HTTP/1.1"
        assert body == BODY
        assert headers[b"authorization"] == f"Bearer {TOKEN}".encode()
        assert headers[b"content-type"] == b"application/json"
        assert headers[b"content-length"] == str(len(BODY)).encode()
        assert b"transfer-encoding" not in headers

    async def test_a_large_body_arrives_whole(self) -> None:
        body = encode_batch([Request("q", tuple(Context(f"context {n} é") for n in range(100_000)))])
        async with serving(answering(200, QUEUED)) as server, aclosing(server.client()) as client:
            await client.submit(MODEL, body)
        assert server.received[0].partition(b"\r\n\r\n")[2] == body

    async def test_a_collect_goes_to_the_same_url(self) -> None:
        async with serving(answering(200, QUEUED)) as server, aclosing(server.client()) as client:
            await client.collect(MODEL, REQUEST_ID)
        head, _, body = server.received[0].partition(b"\r\n\r\n")
        assert head.startswith(
            b"POST /client/v4/accounts/acc/ai/run/@cf/baai/bge-m3?queueRequest=true HTTP/1.1\r\n"
        )
        assert json.loads(body) == {"request_id": REQUEST_ID}

    async def test_a_run_does_not_queue(self) -> None:
        answer = {"success": True, "result": {"response": [{"id": 0, "score": 0.5}]}}
        async with serving(answering(200, answer)) as server, aclosing(server.client()) as client:
            await client.run("@cf/baai/bge-reranker-base", encode_request(REQUEST))
        assert server.received[0].startswith(
            b"POST /client/v4/accounts/acc/ai/run/@cf/baai/bge-reranker-base HTTP/1.1\r\n"
        )

    async def test_behind_an_ai_gateway_the_model_follows_the_base(self) -> None:
        async with serving(answering(200, QUEUED)) as server:
            base = f"http://127.0.0.1:{server.port}/v1/acc/gateway/workers-ai/"
            async with aclosing(server.client(base_url=base)) as client:
                await client.submit(MODEL, BODY)
                with pytest.raises(ApiError, match="AI Gateway"):
                    await client.models()
        assert server.received[0].startswith(
            b"POST /v1/acc/gateway/workers-ai/@cf/baai/bge-m3?queueRequest=true HTTP/1.1\r\n"
        )
        assert len(server.received) == 1

    async def test_without_a_token_no_authorization_is_sent(self) -> None:
        async with serving(answering(200, QUEUED)) as server, aclosing(server.client(token=None)) as client:
            await client.submit(MODEL, BODY)
        assert b"authorization" not in server.received[0].lower()

    @pytest.mark.parametrize(
        "model", ["", "..", "@cf/../../../user/tokens", "@cf//x", "/x", "x/", "@cf/\ud800"]
    )
    async def test_what_is_no_name_of_a_model_is_not_sent(self, model: str) -> None:
        async with serving(answering(200, QUEUED)) as server, aclosing(server.client()) as client:
            with pytest.raises(ApiError) as caught:
                await client.submit(model, BODY)
        assert caught.value.kind is ErrorKind.NO_MODEL
        assert server.connections == 0

    async def test_an_odd_name_of_a_model_stays_in_its_place_in_the_url(self) -> None:
        async with serving(answering(200, QUEUED)) as server, aclosing(server.client()) as client:
            await client.submit("@cf/a b?c=d#e%2e\r\nX: y/ü", BODY)
        line = server.received[0].partition(b"\r\n")[0]
        assert line == (
            b"POST /client/v4/accounts/acc/ai/run/"
            b"@cf/a%20b%3Fc%3Dd%23e%252e%0D%0AX%3A%20y/%C3%BC?queueRequest=true HTTP/1.1"
        )


class TestSubmit:
    async def test_brings_the_request_id_the_raw_answer_and_the_scorer(self) -> None:
        behave = answering(200, QUEUED, {"batchtui-scorer": "lexical"})
        async with serving(behave) as server, aclosing(server.client()) as client:
            submitted = await client.submit(MODEL, BODY)
        assert submitted == Submitted(REQUEST_ID, "queued", json.dumps(QUEUED).encode(), "lexical")

    async def test_a_batch_that_failed_at_once_is_refused(self) -> None:
        body = {"success": True, "result": {"status": "failed", "error": {"code": 5006, "message": "bad"}}}
        failure = await submit_refused(200, body)
        assert (failure.kind, failure.code, failure.may_retry) == (ErrorKind.BAD_INPUT, 5006, False)

    async def test_success_false_with_200_is_refused(self) -> None:
        failure = await submit_refused(200, refusal(3040, "Capacity temporarily exceeded"))
        assert (failure.kind, failure.http_status, failure.may_retry) == (ErrorKind.TRY_AGAIN, 200, True)

    async def test_an_enveloped_500_is_refused_and_may_be_tried_again(self) -> None:
        failure = await submit_refused(500, refusal(8008, "Internal error"))
        assert failure.may_retry
        assert failure.message == "Internal error"

    async def test_a_refusal_keeps_the_raw_answer_and_the_message_as_they_came(self) -> None:
        message = "AiError: Bad input: Error: \x1b[2J\u202e required properties at '/' are 'contexts' (uuid)"
        body = refusal(5006, message)
        failure = await submit_refused(400, body)
        assert (failure.message, failure.raw) == (message, json.dumps(body).encode())

    async def test_a_long_message_is_bounded(self) -> None:
        assert len((await submit_refused(400, refusal(5006, "x" * 100_000))).message) == 500

    async def test_429_without_an_envelope_is_a_rate(self) -> None:
        failure = await submit_refused(429, b"<html>slow down</html>", {"Retry-After": "12"})
        assert (failure.kind, failure.retry_after, failure.may_retry) == (ErrorKind.RATE, 12.0, True)

    async def test_another_4xx_without_an_envelope_names_the_base_url(self) -> None:
        failure = await submit_refused(404, b"404 page not found")
        assert failure.kind is ErrorKind.OTHER
        assert "404 page not found" in failure.message
        assert "Check the base URL http://127.0.0.1:" in failure.hint


class TestCollect:
    async def collect(self, body: Any) -> Collected:
        async with serving(answering(200, body)) as server, aclosing(server.client()) as client:
            return await client.collect(MODEL, REQUEST_ID)

    async def test_pending(self) -> None:
        assert (await self.collect(QUEUED)).answer == Queued(REQUEST_ID, "queued", MODEL)

    async def test_done(self) -> None:
        item = {"id": 0, "success": True, "result": {"response": [{"id": 0, "score": 0.5}]}}
        body = {"success": True, "result": {"responses": [item], "usage": {"prompt_tokens": 2}}}
        collected = await self.collect(body)
        assert collected.answer == Complete((Response(0, True, None, ((0, 0.5),)),), Usage(2, 0, 2))
        assert collected.raw == json.dumps(body).encode()

    async def test_failed(self) -> None:
        body = {"success": True, "result": {"status": "error", "error": "out of luck"}}
        assert (await self.collect(body)).answer == BatchFailed(None, "out of luck")

    async def test_an_answer_of_many_megabytes(self) -> None:
        scores = [{"id": place, "score": 0.5} for place in range(50_000)]
        body = {"success": True, "result": {"responses": [{"id": 0, "success": True, "result": scores}]}}
        answer = (await self.collect(body)).answer
        assert isinstance(answer, Complete)
        assert len(answer.responses[0].scores) == 50_000

    async def test_an_answer_about_another_batch_is_lost(self) -> None:
        with pytest.raises(AnswerLost, match="another batch"):
            await self.collect({"success": True, "result": {"status": "queued", "request_id": "other"}})

    async def test_a_batch_that_is_gone(self) -> None:
        message = f"AiError: AiError: Request not found in queue ({REQUEST_ID})"
        async with (
            serving(answering(404, refusal(5504, message))) as server,
            aclosing(server.client()) as client,
        ):
            with pytest.raises(ApiError) as caught:
                await client.collect(MODEL, REQUEST_ID)
        assert (caught.value.kind, caught.value.code) == (ErrorKind.GONE, 5504)
        assert not caught.value.may_retry


class TestRun:
    async def test_brings_the_scores(self) -> None:
        body = {
            "success": True,
            "result": {"response": [{"id": 0, "score": 0.5}], "usage": {"prompt_tokens": 2}},
        }
        async with serving(answering(200, body)) as server, aclosing(server.client()) as client:
            ran = await client.run("@cf/baai/bge-reranker-base", encode_request(REQUEST))
        response = Response(0, True, None, ((0, 0.5),))
        assert ran == Ran(response, Usage(2, 0, 2), json.dumps(body).encode())


class TestModels:
    async def test_all_pages_are_read_once(self) -> None:
        names = [f"@cf/x/{number}" for number in range(150)]
        asked: list[str] = []

        def handle(request: httpx.Request) -> httpx.Response:
            asked.append(str(request.url))
            page = int(request.url.params["page"])
            rows = [{"name": name} for name in names[(page - 1) * 100 : page * 100]]
            return httpx.Response(200, json={"success": True, "result": rows})

        endpoint = Endpoint("https://api.example/client/v4", "acc")
        async with aclosing(WorkersAI(endpoint, transport=httpx.MockTransport(handle))) as client:
            models = await client.models()
        assert [model.name for model in models] == names
        assert asked == [
            f"https://api.example/client/v4/accounts/acc/ai/models/search?page={page}&per_page=100"
            for page in (1, 2)
        ]

    async def test_a_server_without_pages_is_not_asked_for_ever(self) -> None:
        rows = [{"name": f"@cf/x/{number}"} for number in range(150)]
        behave = answering(200, {"success": True, "result": rows})
        async with serving(behave) as server, aclosing(server.client()) as client:
            assert len(await client.models()) == 150
            assert len(server.received) == 2

    async def test_verify_passes_with_a_good_token(self) -> None:
        behave = answering(200, {"success": True, "result": []})
        async with serving(behave) as server, aclosing(server.client()) as client:
            await client.verify()
        assert server.received[0].startswith(b"GET /client/v4/accounts/acc/ai/models/search?")

    async def test_verify_tells_a_bad_token(self) -> None:
        body = {**refusal(10000, "Authentication error"), "result": None}
        async with serving(answering(403, body)) as server, aclosing(server.client()) as client:
            with pytest.raises(ApiError) as caught:
                await client.verify()
        assert caught.value.kind is ErrorKind.CREDENTIALS


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("0", 0.0),
            (" 120 ", 120.0),
            ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
            ("Thu, 01 Jan 2026 13:00:30 +0100", 30.0),
            ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
            ("Fri, 01 Jan 2100 12:00:00 GMT", 86_400.0),
            ("999999999", 86_400.0),
            ("9" * 10_000, 86_400.0),
            ("-5", None),
            ("soon", None),
            ("", None),
            ("1e9", None),
            ("Thu, 99 Jan 2026 12:00:30 GMT", None),
            ("Thu, 01 Jan 99999 12:00:30 GMT", None),
        ],
    )
    def test_is_seconds_or_a_date_within_a_day(self, value: str, seconds: float | None) -> None:
        assert retry_after(value, NOON) == seconds

    @given(st.text() | st.from_regex(r"\A\w{3}, \d+ Jan \d{1,6} \d+:\d+:\d+ [-+]?\w{1,4}\Z"))
    def test_is_never_more_than_none_or_a_day(self, value: str) -> None:
        seconds = retry_after(value, NOON)
        assert seconds is None or 0 <= seconds <= 86_400

    async def test_a_date_is_counted_from_the_clock_of_the_client(self) -> None:
        def handle(request: httpx.Request) -> httpx.Response:
            return httpx.Response(429, headers={"Retry-After": "Thu, 01 Jan 2026 12:01:00 GMT"})

        endpoint = Endpoint("https://api.example", "acc")
        client = WorkersAI(endpoint, transport=httpx.MockTransport(handle), clock=FrozenClock())
        async with aclosing(client):
            with pytest.raises(ApiError) as caught:
                await client.submit(MODEL, BODY)
        assert caught.value.retry_after == 60.0
