"""The wire format: every form in which the service is known, or assumed, to answer."""

import json
import math
from typing import Any

import pytest

from batchtui.model import Context, Request, Usage
from batchtui.workers_ai.wire import (
    BatchFailed,
    Complete,
    Envelope,
    MalformedAnswer,
    Queued,
    Response,
    UnencodableText,
    decode_answer,
    decode_envelope,
    decode_run,
    encode_batch,
    encode_collect,
    encode_request,
)

REQUEST = Request("cloud", (Context("orange", id="doc-1", relevance=3), Context("llama")), "reference-1")


def answer(result: Any, **more: Any) -> bytes:
    return json.dumps({"result": result, "success": True, "errors": [], "messages": [], **more}).encode()


def complete(*responses: Any, **more: Any) -> Complete:
    decoded = decode_answer(answer({"responses": list(responses), **more}))
    assert isinstance(decoded, Complete)
    return decoded


def ranked(index: int, *scores: float, **more: Any) -> dict[str, Any]:
    entries = [{"id": place, "score": score} for place, score in enumerate(scores)]
    return {"id": index, "success": True, "result": {"response": entries}, **more}


def fault(body: bytes) -> MalformedAnswer:
    with pytest.raises(MalformedAnswer) as caught:
        decode_answer(body)
    return caught.value


class TestBodiesThatAreSent:
    def test_a_batch_holds_query_texts_and_reference_and_nothing_of_ours(self) -> None:
        assert json.loads(encode_batch([REQUEST])) == {
            "requests": [
                {
                    "query": "cloud",
                    "contexts": [{"text": "orange"}, {"text": "llama"}],
                    "external_reference": "reference-1",
                }
            ]
        }

    def test_a_missing_reference_is_not_sent(self) -> None:
        assert b"external_reference" not in encode_batch([Request("q", (Context("c"),))])

    def test_truncation_is_asked_of_every_request(self) -> None:
        body = json.loads(encode_batch([REQUEST, REQUEST], truncate_inputs=False))
        assert [request["truncate_inputs"] for request in body["requests"]] == [False, False]

    def test_a_single_request_is_the_body_itself(self) -> None:
        assert json.loads(encode_request(REQUEST, truncate_inputs=True, top_k=1)) == {
            "query": "cloud",
            "contexts": [{"text": "orange"}, {"text": "llama"}],
            "truncate_inputs": True,
            "top_k": 1,
        }

    def test_a_collect_holds_the_request_id(self) -> None:
        assert json.loads(encode_collect("abc")) == {"request_id": "abc"}

    def test_texts_go_out_as_they_are(self) -> None:
        text = '\x1b]52;c;eA==\x07 \u202e "quoted" \\ \x00 \U0001f9e1'
        body = json.loads(encode_batch([Request(text, (Context(text),))]))
        assert body["requests"][0] == {"query": text, "contexts": [{"text": text}]}

    def test_half_a_character_is_named_with_its_place(self) -> None:
        requests = [REQUEST, Request("q", (Context("fine"), Context("half \ud83d")))]
        with pytest.raises(UnencodableText, match=r"requests\[1\]\.contexts\[1\]\.text"):
            encode_batch(requests)
        with pytest.raises(UnencodableText, match=r"the request\.query"):
            encode_request(Request("\udfff", ()))


class TestABatchThatIsNotDone:
    def test_queued(self) -> None:
        body = answer({"status": "queued", "request_id": "id-1", "model": "@cf/baai/bge-m3"})
        assert decode_answer(body) == Queued("id-1", "queued", "@cf/baai/bge-m3")

    def test_running_without_a_model(self) -> None:
        assert decode_answer(answer({"status": "running", "request_id": "id-1"})) == Queued("id-1", "running")

    def test_without_a_status(self) -> None:
        assert decode_answer(answer({"request_id": "id-1"})) == Queued("id-1", "queued")

    @pytest.mark.parametrize("word", ["complete", "done", "warming up", "QUEUED"])
    def test_a_word_that_is_not_known_is_still_pending(self, word: str) -> None:
        assert decode_answer(answer({"status": word, "request_id": "id-1"})) == Queued("id-1", word)

    def test_no_answers_yet(self) -> None:
        body = answer({"status": "running", "request_id": "id-1", "responses": []})
        assert decode_answer(body) == Queued("id-1", "running")


class TestABatchThatIsDone:
    def test_the_documented_form(self) -> None:
        decoded = complete(
            ranked(0, 0.73974609375, 0.642578125, external_reference="reference-1"),
            usage={"prompt_tokens": 12, "completion_tokens": 0, "total_tokens": 12},
        )
        assert decoded == Complete(
            (Response(0, True, "reference-1", ((0, 0.73974609375), (1, 0.642578125))),), Usage(12, 0, 12)
        )

    def test_answers_keep_the_order_in_which_they_came(self) -> None:
        decoded = complete(ranked(1, 0.1), ranked(0, 0.2), ranked(2, 0.3))
        assert [response.index for response in decoded.responses] == [1, 0, 2]

    def test_results_with_an_index(self) -> None:
        item = {"index": 4, "success": True, "result": {"response": [{"id": 0, "score": 0.5}]}}
        decoded = decode_answer(answer({"results": [item]}))
        assert decoded == Complete((Response(4, True, None, ((0, 0.5),)),))

    def test_a_status_word_beside_the_answers_does_not_matter(self) -> None:
        assert complete(ranked(0, 0.5), status="whatever").responses[0].scores == ((0, 0.5),)

    def test_scores_directly_under_result(self) -> None:
        item = {"id": 0, "success": True, "result": [{"id": 1, "score": 0.5}]}
        assert complete(item).responses[0].scores == ((1, 0.5),)

    def test_a_missing_success_is_told_by_the_scores(self) -> None:
        item = {"id": 0, "result": {"response": [{"id": 0, "score": 0.5}]}}
        assert complete(item).responses[0].success
        assert not complete({"id": 0}).responses[0].success

    @pytest.mark.parametrize(
        "error",
        ["too long", {"message": "too long"}, [{"message": "too long", "code": "5006"}], ["too long"]],
    )
    def test_a_request_that_failed(self, error: Any) -> None:
        item = {"id": 3, "success": False, "error": error, "external_reference": "x"}
        assert complete(item).responses[0] == Response(3, False, "x", (), "too long")

    def test_null_nan_and_missing_scores_are_kept_for_the_matching(self) -> None:
        body = (
            b'{"success": true, "result": {"responses": [{"id": 0, "success": true, "result": {"response": '
            b'[{"id": 0, "score": null}, {"id": 1, "score": NaN}, {"score": 1}, {"id":3,"score":1e999}]}}]}}'
        )
        decoded = decode_answer(body)
        assert isinstance(decoded, Complete)
        (zero, none), (one, nan), (nothing, whole), (three, infinite) = decoded.responses[0].scores
        assert (zero, none, one, nothing, whole, three, infinite) == (0, None, 1, None, 1.0, 3, math.inf)
        assert nan is not None
        assert math.isnan(nan)

    def test_bytes_that_are_not_utf_8_and_half_characters_are_replaced(self) -> None:
        body = (
            b'{"success": true, "result": {"responses": [{"id": 0, "success": false, "error": "\xff\\ud800",'
            b'"external_reference": "\\udfff"}]}}'
        )
        decoded = decode_answer(body)
        assert decoded == Complete((Response(0, False, "\ufffd", (), "\ufffd\ufffd"),))

    def test_a_byte_order_mark_is_no_fault(self) -> None:
        assert decode_answer(b"\xef\xbb\xbf" + answer({"status": "queued"})) == Queued(None, "queued")

    def test_a_message_is_bounded(self) -> None:
        item = {"id": 0, "success": False, "error": "x" * 10_000}
        assert len(complete(item).responses[0].error or "") == 500


class TestUsage:
    def test_cached_tokens_and_other_details_are_passed_over(self) -> None:
        usage = {"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 5}
        details = {"prompt_tokens_details": {"cached_tokens": 2}}
        assert complete(ranked(0, 0.5), usage={**usage, **details}).usage == Usage(5, 0, 5)

    def test_a_usage_per_answer_is_added_up(self) -> None:
        one = ranked(0, 0.5, usage={"prompt_tokens": 5, "total_tokens": 5})
        two = ranked(1, 0.5)
        two["result"]["usage"] = {"prompt_tokens": 7, "completion_tokens": 1}
        assert complete(one, two).usage == Usage(12, 1, 13)

    def test_the_usage_of_the_batch_comes_before_that_of_the_answers(self) -> None:
        item = ranked(0, 0.5, usage={"prompt_tokens": 5})
        assert complete(item, usage={"prompt_tokens": 9}).usage == Usage(9, 0, 9)

    def test_none_is_none(self) -> None:
        assert complete(ranked(0, 0.5), usage=None).usage is None


class TestABatchThatFailed:
    @pytest.mark.parametrize("word", ["error", "failed", "cancelled", "Failed"])
    @pytest.mark.parametrize(
        "more",
        [
            {"error": {"code": 3030, "message": "no"}},
            {"error": [{"code": "3030", "message": "no"}]},
            {"errors": [{"code": 3030, "message": "no"}]},
        ],
    )
    def test_with_its_error(self, word: str, more: dict[str, Any]) -> None:
        assert decode_answer(answer({"status": word, **more})) == BatchFailed(3030, "no")

    def test_with_its_error_outside_of_the_result(self) -> None:
        body = answer({"status": "failed"}, errors=[{"code": 3043, "message": "internal"}])
        assert decode_answer(body) == BatchFailed(3043, "internal")

    def test_with_no_reason(self) -> None:
        assert decode_answer(answer({"status": "cancelled"})) == BatchFailed(
            None, "the service says only: cancelled"
        )


class TestWhatIsNotTheContract:
    @pytest.mark.parametrize(
        "result", [{}, None, [], "", 0, {"responses": []}, {"usage": {}}, {"status": ""}]
    )
    def test_an_empty_answer_is_neither_done_nor_queued(self, result: Any) -> None:
        assert fault(answer(result)).where.startswith("$.result")

    def test_success_must_be_true(self) -> None:
        body = json.dumps({"success": False, "result": {"status": "queued"}}).encode()
        assert fault(body).where == "$.success"
        assert "success" in fault(b'{"result": {"status": "queued"}}').what

    @pytest.mark.parametrize(
        ("result", "where"),
        [
            ({"request_id": 7}, "$.result.request_id"),
            ({"responses": {}}, "$.result.responses"),
            ({"responses": [ranked(0, 0.5), {"id": "1"}]}, "$.result.responses[1].id"),
            ({"responses": [{"id": True}]}, "$.result.responses[0].id"),
            ({"responses": [{"id": 2**63}]}, "$.result.responses[0].id"),
            ({"responses": [{"id": 0, "success": "yes"}]}, "$.result.responses[0].success"),
            (
                {"responses": [{"id": 0, "result": {"response": [{"id": 0, "score": "0.5"}]}}]},
                "$.result.responses[0].result.response[0].score",
            ),
            (
                {"responses": [{"id": 0, "result": {"response": [[0.1, 0.2]]}}]},
                "$.result.responses[0].result.response[0]",
            ),
            ({"status": "x", "usage": {"prompt_tokens": -1}}, "$.result.usage.prompt_tokens"),
        ],
    )
    def test_a_wrong_type_is_named_with_its_place(self, result: Any, where: str) -> None:
        assert fault(answer(result)).where == where

    def test_a_key_that_stands_twice(self) -> None:
        body = b'{"success": true, "result": {"request_id": "a", "status": "queued", "request_id": "b"}}'
        assert fault(body).where == "$.result"
        assert "'request_id'" in fault(body).what
        deep = b'{"success": true, "result": {"status": "queued", "other": [0, {"a": 1, "a": 1}]}}'
        assert fault(deep).where == "$.result.other[1]"

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"\x00",
            b"<html>",
            b'{"success": true',
            b'{"success": true} {}',
            b"[" * 200_000,
            b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
            b"9" * 100_000,
            b'{"success": true, "result": {"responses": [{"id": ' + b"9" * 5_000 + b"}]}}",
            b'{"success": true, "result": {"responses": [{"id": 0, "result": [{"score": '
            + b"9" * 999
            + b"}]}]}}",
            b'{"success": true, "result": {"status": "' + b"x" * 1_000_000 + b'"}}',
            b'{"\\ud800": 1}',
        ],
    )
    def test_a_broken_body_is_malformed_and_nothing_worse(self, body: bytes) -> None:
        assert len(str(fault(body))) < 500


class TestTheSynchronousAnswer:
    def test_scores_and_usage(self) -> None:
        result = {
            "response": [{"id": 1, "score": 0.9}, {"id": 0, "score": 0.1}],
            "usage": {"prompt_tokens": 3},
        }
        response, usage = decode_run(answer(result))
        assert response == Response(0, True, None, ((1, 0.9), (0, 0.1)))
        assert usage == Usage(3, 0, 3)

    def test_scores_directly_under_result(self) -> None:
        response, usage = decode_run(answer([{"id": 0, "score": 0.1}]))
        assert response.scores == ((0, 0.1),)
        assert usage is None

    @pytest.mark.parametrize("result", [{}, None, {"data": [[0.1]]}, {"status": "queued", "request_id": "x"}])
    def test_an_answer_without_scores_is_malformed(self, result: Any) -> None:
        with pytest.raises(MalformedAnswer):
            decode_run(answer(result))

    def test_success_must_be_true(self) -> None:
        with pytest.raises(MalformedAnswer):
            decode_run(b'{"success": false, "result": {"response": []}}')


class TestTheEnvelope:
    @pytest.mark.parametrize("result", [{}, None])
    def test_of_the_ai_layer_and_of_the_gateway(self, result: Any) -> None:
        body = json.dumps(
            {"result": result, "success": False, "errors": [{"code": 5007, "message": "No such model"}]}
        ).encode()
        assert decode_envelope(body) == Envelope(False, ((5007, "No such model"),))

    def test_a_code_may_be_text(self) -> None:
        body = b'{"success": false, "errors": [{"code": "10000", "message": "a"}, {"code": "x1"}, "plain"]}'
        assert decode_envelope(body) == Envelope(False, ((10000, "a"), (None, ""), (None, "plain")))

    def test_the_id_at_the_end_of_a_message_stays(self) -> None:
        message = "AiError: AiError: Request not found in queue (0d1b6a52-1d3b-4c5e-9f57-7d6ed4b4a3f0)"
        body = json.dumps({"success": False, "errors": [{"code": 5504, "message": message}]}).encode()
        assert decode_envelope(body) == Envelope(False, ((5504, message),))

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>502</html>",
            b"[]",
            b"{}",
            b'{"success": false}',
            b'{"success": "false", "errors": []}',
            b'{"success": false, "errors": {}}',
            b'{"success": false, "errors": [{"code": {}}]}',
            b'{"success": false, "success": true, "errors": []}',
            b"[" * 100_000,
        ],
    )
    def test_what_is_none(self, body: bytes) -> None:
        assert decode_envelope(body) is None
