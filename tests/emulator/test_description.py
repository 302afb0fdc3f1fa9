"""The emulator describes itself, and keeps to it whatever it is sent."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchtui.emulator.openapi import describe

from .support import BGE_M3, RERANKER, emulating, options_at

ACCOUNT = "0123456789abcdef" * 2
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = (
    "requests",
    "request_id",
    "query",
    "contexts",
    "text",
    "truncate_inputs",
    "external_reference",
    "top_k",
)


def _near_misses(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Bodies with the right names and, now and then, the right values."""
    texts = st.text(max_size=8) | st.lists(st.text(max_size=8), max_size=3)
    contexts = st.lists(st.fixed_dictionaries({"text": st.text(max_size=8)}) | inner, max_size=3)
    one = st.fixed_dictionaries(
        {},
        optional={
            "query": st.text(max_size=8) | inner,
            "contexts": contexts | inner,
            "text": texts | inner,
            "truncate_inputs": st.booleans() | inner,
            "external_reference": st.none() | st.text(max_size=8) | inner,
            "top_k": st.integers(-1, 3) | inner,
        },
    )
    return one | st.fixed_dictionaries({"requests": st.lists(one, max_size=4) | inner})


BODIES = JSON | _near_misses(JSON) | st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with emulating(options_at(tmp_path)) as client:
        yield client


async def test_every_path_of_the_description_is_served(client: httpx.AsyncClient) -> None:
    description = (await client.get("openapi.json")).json()
    assert description == json.loads(json.dumps(describe("/client/v4", embeds=False)))
    assert description["openapi"] == "3.1.0"
    for path, methods in description["paths"].items():
        for method in methods:
            url = path.replace("{account_id}", ACCOUNT).lstrip("/")
            answer = await client.request(method, url)
            assert answer.status_code not in (404, 405), path


async def test_the_description_may_be_read_without_a_token(tmp_path: Path) -> None:
    async with emulating(options_at(tmp_path, token="secret")) as client:
        assert (await client.get("openapi.json")).status_code == 200
        assert (await client.get("accounts")).status_code == 401


@pytest.mark.parametrize("path", [BGE_M3, RERANKER])
def test_no_body_at_all_makes_it_stumble(tmp_path_factory: pytest.TempPathFactory, path: str) -> None:
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(BODIES, min_size=1, max_size=4), st.booleans(), st.binary(max_size=40))
    def send(bodies: list[object], queued: bool, noise: bytes) -> None:
        async def talk() -> None:
            options = options_at(tmp_path_factory.getbasetemp())
            async with emulating(options) as client:
                contents = [json.dumps(body).encode() for body in bodies]
                for content in [*contents, noise, contents[0][: len(contents[0]) // 2]]:
                    params = {"queueRequest": "true"} if queued else {}
                    _check(await client.post(path, params=params, content=content))

        asyncio.run(talk())

    send()


@pytest.mark.parametrize(
    "path", ["accounts", "user/tokens/verify", "accounts/x/ai/models/search", "", "..", "%"]
)
def test_no_query_or_header_makes_it_stumble(tmp_path_factory: pytest.TempPathFactory, path: str) -> None:
    plain = st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=30)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.dictionaries(plain, plain, max_size=3), plain)
    def send(query: dict[str, str], header: str) -> None:
        async def talk() -> None:
            async with emulating(options_at(tmp_path_factory.getbasetemp())) as client:
                headers = {
                    name: header.encode("latin-1") for name in (b"authorization", b"origin", b"accept")
                }
                _check(await client.get(path, params=query, headers=headers))

        asyncio.run(talk())

    send()


def _check(answer: httpx.Response) -> None:
    """An envelope with a status of its own, and never a fault of ours."""
    assert answer.status_code < 500
    envelope = answer.json()
    assert envelope["success"] is (answer.status_code == 200)
    assert {"result", "success", "errors", "messages"} <= set(envelope)
    assert bool(envelope["errors"]) is not envelope["success"]
    assert all(isinstance(error["code"], int) and error["message"] for error in envelope["errors"])
