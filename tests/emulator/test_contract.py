"""The emulator answers as the contract says: forms, envelopes, codes."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from .support import (
    BGE_M3,
    QUEUED,
    RERANKER,
    SAMPLE,
    batch,
    collect,
    emulating,
    options_at,
    request,
    scores_of,
    submit,
)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with emulating(options_at(tmp_path)) as client:
        yield client


async def test_a_submitted_batch_is_queued_under_an_id_of_its_own(client: httpx.AsyncClient) -> None:
    first = await client.post(BGE_M3, params=QUEUED, json=SAMPLE)
    second = await client.post(BGE_M3, params=QUEUED, json=SAMPLE)
    result = first.json()["result"]
    assert first.json() == {
        "result": {"status": "queued", "request_id": result["request_id"], "model": "@cf/baai/bge-m3"},
        "success": True,
        "errors": [],
        "messages": [],
    }
    assert second.json()["result"]["request_id"] != result["request_id"]


async def test_a_finished_batch_has_responses_usage_and_no_status(client: httpx.AsyncClient) -> None:
    envelope = await collect(client, await submit(client, SAMPLE))
    scores = [{"id": 0, "score": 37 / 1024}, {"id": 1, "score": 29 / 1024}]
    assert envelope["result"] == {
        "responses": [
            {
                "id": 0,
                "success": True,
                "external_reference": "reference-1",
                "result": {"response": [*scores, {"id": 2, "score": 37 / 1024}]},
            }
        ],
        "usage": {"prompt_tokens": 135, "completion_tokens": 0, "total_tokens": 135},
    }
    assert envelope["success"] is True


async def test_references_are_echoed_unchecked_and_null_where_none_was_sent(
    client: httpx.AsyncClient,
) -> None:
    references: list[Any] = ["same", "same", None, ""]
    requests = [request("q", "c", external_reference=reference) for reference in references]
    envelope = await collect(client, await submit(client, batch(*requests, request("q", "c"))))
    answers = sorted(envelope["result"]["responses"], key=lambda answer: answer["id"])
    assert [answer["external_reference"] for answer in answers] == [*references, None]


async def test_a_batch_can_be_collected_again_and_without_queue_request(client: httpx.AsyncClient) -> None:
    request_id = await submit(client, SAMPLE)
    envelope = await collect(client, request_id)
    again = await client.post(BGE_M3, json={"request_id": request_id})
    assert again.json() == envelope


@pytest.mark.parametrize(
    ("path", "known"),
    [
        (BGE_M3, False),
        (RERANKER, True),
        (BGE_M3.replace("abc", "another-account"), True),
    ],
)
async def test_an_id_that_is_not_of_that_model_and_account_is_not_found(
    client: httpx.AsyncClient, path: str, known: bool
) -> None:
    request_id = await submit(client, SAMPLE) if known else "768f15b7-4fd6-4498-906e-ad94ffc7f8d2"
    answer = await client.post(path, json={"request_id": request_id})
    assert answer.status_code == 404
    [error] = answer.json()["errors"]
    assert error["code"] == 5504
    assert error["message"].startswith("AiError: AiError: Request not found in queue (")
    assert answer.json()["result"] == {}


async def test_the_scorer_is_named_on_every_answer_of_a_run(client: httpx.AsyncClient) -> None:
    for body in (SAMPLE, request("q", "c"), {"query": 1}, {"request_id": "none"}):
        answer = await client.post(BGE_M3, json=body)
        assert answer.headers["batchtui-scorer"] == "lexical"


async def test_one_request_without_the_envelope_is_taken_and_fails_later(client: httpx.AsyncClient) -> None:
    envelope = await collect(client, await submit(client, request("q", "c")))
    assert envelope["result"]["status"] == "failed"
    assert "'requests'" in envelope["result"]["error"]["message"]


async def test_a_request_run_at_once_is_answered_with_scores(client: httpx.AsyncClient) -> None:
    answer = await client.post(BGE_M3, json=request("four", "1", "333", "333"))
    assert answer.json()["result"] == {
        "response": [
            {"id": 0, "score": 1 / 1024},
            {"id": 1, "score": 3 / 1024},
            {"id": 2, "score": 3 / 1024},
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 0, "total_tokens": 11},
    }


async def test_a_batch_without_the_queue_is_answered_at_once(client: httpx.AsyncClient) -> None:
    answer = await client.post(BGE_M3, json=SAMPLE)
    assert len(scores_of(answer.json())) == 3


async def test_texts_and_contexts_without_a_query_get_embeddings(client: httpx.AsyncClient) -> None:
    shape = {"shape": [2, 2], "pooling": "cls", "usage": {"prompt_tokens": 3, "completion_tokens": 0}}
    shape["usage"]["total_tokens"] = 3  # type: ignore[index]
    vectors = [[1.0, 1.0], [2.0, 1.0]]
    contexts = await client.post(BGE_M3, json={"contexts": [{"text": "a"}, {"text": "bb"}]})
    texts = await client.post(BGE_M3, json={"text": ["a", "bb"]})
    one = await client.post(BGE_M3, json={"text": "bb"})
    assert contexts.json()["result"] == {"response": vectors, **shape}
    assert texts.json()["result"] == {"data": vectors, **shape}
    assert one.json()["result"]["data"] == [[2.0, 1.0]]


async def test_a_scorer_without_embeddings_says_what_helps(tmp_path: Path) -> None:
    async with emulating(options_at(tmp_path), scorer="Bare") as client:
        answer = await client.post(BGE_M3, json={"text": "a"})
        envelope = await collect(client, await submit(client, batch({"text": "a"}, request("q", "c"))))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == 5006
    assert "--scorer fastembed" in answer.json()["errors"][0]["message"]
    assert [entry["success"] for entry in envelope["result"]["responses"]] == [False, True]
    assert "--scorer fastembed" in envelope["result"]["responses"][0]["error"]["message"]


async def test_the_reranker_answers_highest_first_and_no_more_than_top_k(client: httpx.AsyncClient) -> None:
    body = request("q", "1", "333", "22", "333")
    everything = await client.post(RERANKER, json=body)
    two = await client.post(RERANKER, json={**body, "top_k": 2})
    many = await client.post(RERANKER, json={**body, "top_k": 99})
    assert [entry["id"] for entry in everything.json()["result"]["response"]] == [1, 3, 2, 0]
    assert [entry["id"] for entry in two.json()["result"]["response"]] == [1, 3]
    assert many.json()["result"] == everything.json()["result"]


async def test_the_reranker_counts_the_query_with_each_context(client: httpx.AsyncClient) -> None:
    answer = await client.post(RERANKER, json=request("four", "1", "22"))
    assert answer.json()["result"]["usage"]["prompt_tokens"] == 4 + 1 + 4 + 2


@pytest.mark.parametrize("body", [SAMPLE, request("q", "c"), {}])
async def test_the_reranker_cannot_be_queued(client: httpx.AsyncClient, body: dict[str, object]) -> None:
    answer = await client.post(RERANKER, params=QUEUED, json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == 8007
    assert "does not support request queuing" in answer.json()["errors"][0]["message"]


async def test_other_models_are_not_known(client: httpx.AsyncClient) -> None:
    answer = await client.post("accounts/abc/ai/run/@cf/meta/llama-3-8b-instruct", json={"prompt": "x"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == 5007
    assert "@cf/meta/llama-3-8b-instruct" in answer.json()["errors"][0]["message"]


async def test_a_model_may_be_percent_encoded(client: httpx.AsyncClient) -> None:
    answer = await client.post("accounts/abc/ai/run/%40cf%2Fbaai%2Fbge-m3", json=request("q", "c"))
    assert answer.status_code == 200


async def test_an_ai_gateway_path_reaches_the_same_models(client: httpx.AsyncClient) -> None:
    url = "http://emulator.test/v1/abc/gateway/workers-ai/@cf/baai/bge-m3"
    assert (await client.post(url, json=request("q", "c"))).status_code == 200


async def test_the_list_of_models_says_that_it_is_local_and_who_scores(client: httpx.AsyncClient) -> None:
    answer = await client.get("accounts/abc/ai/models/search")
    models = {model["name"]: model for model in answer.json()["result"]}
    assert set(models) == {"@cf/baai/bge-m3", "@cf/baai/bge-reranker-base"}
    for model in models.values():
        assert "Local emulator" in model["description"]
        assert "lexical" in model["description"]
    assert {"property_id": "async_queue", "value": "true"} in models["@cf/baai/bge-m3"]["properties"]
    found = await client.get("accounts/abc/ai/models/search", params={"search": "reranker"})
    assert [model["name"] for model in found.json()["result"]] == ["@cf/baai/bge-reranker-base"]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"per_page": "1"}, ["@cf/baai/bge-m3"]),
        ({"per_page": "1", "page": "2"}, ["@cf/baai/bge-reranker-base"]),
        ({"page": "2"}, []),
        ({"page": "0", "per_page": "none"}, ["@cf/baai/bge-m3", "@cf/baai/bge-reranker-base"]),
    ],
)
async def test_the_list_of_models_comes_in_pages(
    client: httpx.AsyncClient, asked: dict[str, str], names: list[str]
) -> None:
    answer = await client.get("accounts/abc/ai/models/search", params=asked)
    assert [model["name"] for model in answer.json()["result"]] == names
    assert answer.json()["result_info"]["total_count"] == 2


async def test_the_schema_of_a_model_that_takes_batches_has_requests(client: httpx.AsyncClient) -> None:
    answer = await client.get("accounts/abc/ai/models/schema", params={"model": "@cf/baai/bge-m3"})
    assert '"requests"' in answer.text
    unknown = await client.get("accounts/abc/ai/models/schema", params={"model": "nope"})
    assert unknown.json()["errors"][0]["code"] == 5007


async def test_a_token_check_that_goes_well_bears_its_code_in_messages(client: httpx.AsyncClient) -> None:
    for path in ("user/tokens/verify", "accounts/abc/tokens/verify"):
        answer = await client.get(path)
        assert answer.json()["result"]["status"] == "active"
        assert answer.json()["messages"][0]["code"] == 10000
    [account] = (await client.get("accounts")).json()["result"]
    assert account["id"]


@pytest.mark.parametrize("path", ["nothing/here", "accounts/abc/ai/run/", "accounts//ai/run/@cf/baai/bge-m3"])
async def test_an_unknown_route_is_refused_by_the_gateway(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code in (404, 405)
    assert answer.json()["errors"][0]["code"] in (7003, 7001)
    assert answer.json()["result"] is None


async def test_a_wrong_method_is_refused_with_the_right_ones(client: httpx.AsyncClient) -> None:
    answer = await client.get(BGE_M3)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["result"] is None


@pytest.mark.parametrize("given", [None, "Bearer", "Bearer wrong", "Basic secret-é", "secret-é", "Bearer é"])
async def test_a_token_is_asked_for_where_one_is_set(tmp_path: Path, given: str | None) -> None:
    async with emulating(options_at(tmp_path, token="secret-é")) as client:
        headers = {} if given is None else {b"authorization": given.encode()}
        for path in ("accounts", "nothing/here"):
            answer = await client.get(path, headers=headers)
            assert answer.status_code == 401
            assert answer.json()["errors"] == [{"code": 10000, "message": "Authentication error"}]
            assert answer.json()["result"] is None
        right = await client.get("accounts", headers={b"authorization": "Bearer secret-é".encode()})
        assert right.status_code == 200


async def test_a_token_never_shows_in_the_options() -> None:
    assert "hunter2" not in repr(options_at(Path("/nowhere"), token="hunter2"))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "localhost:8787"}, 200),
        ({"host": "LOCALHOST"}, 200),
        ({"host": "127.0.0.1:1"}, 200),
        ({"host": "[::1]:8787"}, 200),
        ({"host": "evil.example"}, 403),
        ({"host": "127.0.0.1.evil.example:8787"}, 403),
        ({"host": ""}, 403),
        ({"host": "localhost", "origin": "http://localhost:3000"}, 200),
        ({"host": "localhost", "origin": "https://evil.example"}, 403),
        ({"host": "localhost", "origin": "null"}, 403),
        ({"host": "[::1].evil.example"}, 403),
        ({"host": "localhost:evil.example"}, 403),
        ({"host": "[127.0.0.1]x:80"}, 403),
        ({"host": "localhost", "origin": "http://[evil]"}, 403),
        ({"host": "localhost", "origin": "//localhost"}, 403),
        ({"host": "localhost", "origin": "http://evil@localhost"}, 403),
    ],
)
async def test_on_loopback_only_its_own_names_are_answered(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    hosts = frozenset({"localhost", "127.0.0.1", "::1"})
    async with emulating(options_at(tmp_path), hosts=hosts) as client:
        answer = await client.get("accounts", headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["result"] is None
        assert "access-control-allow-origin" not in answer.headers


async def test_a_text_over_the_context_window_fails_alone_or_is_cut(client: httpx.AsyncClient) -> None:
    long = "x" * 60_001
    requests = [
        request("q", "fine"),
        request("q", "fine", long),
        request("q", long, truncate_inputs=True),
        request(long, "fine"),
    ]
    envelope = await collect(client, await submit(client, batch(*requests)))
    answers = sorted(envelope["result"]["responses"], key=lambda answer: answer["id"])
    assert [answer["success"] for answer in answers] == [True, False, True, False]
    assert "/contexts/1/text" in answers[1]["error"]["message"]
    assert "60001 tokens" in answers[1]["error"]["message"]
    assert "/query" in answers[3]["error"]["message"]
    assert envelope["result"]["usage"]["prompt_tokens"] == 5 + 60_001
    alone = await client.post(BGE_M3, json=request("q", long))
    assert (alone.status_code, alone.json()["errors"][0]["code"]) == (400, 5006)
