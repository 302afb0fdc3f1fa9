"""Input that is at fault is refused with a code, and the property named."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from .support import BGE_M3, QUEUED, RERANKER, SAMPLE, emulating, options_at


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with emulating(options_at(tmp_path)) as client:
        yield client


def _context(text: object) -> dict[str, object]:
    return {"requests": [{"query": "q", "contexts": [{"text": "c"}, {"text": text}]}]}


WRONG = [
    ([], "/", "'object' not in 'array'"),
    ({"requests": 3}, "/requests", "'array' not in 'integer'"),
    ({"requests": []}, "/requests", "must be >= 1"),
    ({"requests": [3]}, "/requests/0", "'object' not in 'integer'"),
    ({"requests": [{}]}, "/requests/0", "'contexts', or 'text'"),
    ({"requests": [{"query": "q"}]}, "/requests/0", "'contexts', or 'text'"),
    ({"requests": [{"query": "", "contexts": []}]}, "/requests/0/query", "must be >= 1"),
    ({"requests": [{"query": None, "contexts": []}]}, "/requests/0/query", "'string' not in 'null'"),
    ({"requests": [{"query": "q", "contexts": "c"}]}, "/requests/0/contexts", "'array' not in 'string'"),
    ({"requests": [{"contexts": [], "text": "t"}]}, "/requests/0", "exclude each other"),
    ({"requests": [{"text": []}]}, "/requests/0/text", "must be >= 1"),
    ({"requests": [{"text": ["a", ""]}]}, "/requests/0/text/1", "must be >= 1"),
    ({"requests": [{"text": ["a"] * 101}]}, "/requests/0/text", "must be <= 100"),
    (
        {"requests": [{"text": "a", "truncate_inputs": "yes"}]},
        "/requests/0/truncate_inputs",
        "'boolean' not in 'string'",
    ),
    (
        {"requests": [{"text": "a", "external_reference": 7}]},
        "/requests/0/external_reference",
        "not in 'integer'",
    ),
    (_context(""), "/requests/0/contexts/1/text", "must be >= 1"),
    (_context(1.5), "/requests/0/contexts/1/text", "'string' not in 'number'"),
    ({"requests": [{"contexts": ["c"]}]}, "/requests/0/contexts/0", "'object' not in 'string'"),
    ({"requests": [{"contexts": [{"txt": "c"}]}]}, "/requests/0/contexts/0", "'text'"),
    ({"request_id": 5}, "/request_id", "'string' not in 'integer'"),
    ({"request_id": ""}, "/request_id", "must be >= 1"),
    ({"request_id": "x", **SAMPLE}, "/", "exclude each other"),
    ({}, "/", "'contexts', or 'text'"),
]


@pytest.mark.parametrize("queued", [QUEUED, {}])
@pytest.mark.parametrize(("body", "where", "why"), WRONG)
async def test_the_property_at_fault_is_named(
    client: httpx.AsyncClient, body: object, where: str, why: str, queued: dict[str, str]
) -> None:
    answer = await client.post(BGE_M3, params=queued, json=body)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["code"] == 5006
    assert error["message"].startswith("AiError: Bad input: Error: ")
    assert f"'{where}'" in error["message"]
    assert why in error["message"]
    assert answer.json()["result"] == {}
    assert answer.json()["success"] is False


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"contexts": []}, "'query'"),
        ({"query": "q"}, "'contexts'"),
        ({"query": "q", "contexts": [], "top_k": 0}, "/top_k"),
        ({"query": "q", "contexts": [], "top_k": "3"}, "/top_k"),
        (SAMPLE, "'query'"),
    ],
)
async def test_the_reranker_names_what_it_misses(
    client: httpx.AsyncClient, body: dict[str, object], where: str
) -> None:
    answer = await client.post(RERANKER, json=body)
    assert answer.json()["errors"][0]["code"] == 5006
    assert where in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("model", [BGE_M3, RERANKER])
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"requests": [',
        b"nonsense",
        b"\xff\xfe",
        b'{"requests": [{"query": "\xff", "contexts": []}]}',
        b'{"requests": [{"query": "\\ud800", "contexts": []}]}',
        b"[" * 100_000,
        b'{"unknown": ' + b"[" * 100_000,
        b"\xef\xbb\xbf{}",
        b'{"requests": NaN}',
    ],
)
async def test_what_is_not_json_is_bad_input(client: httpx.AsyncClient, model: str, body: bytes) -> None:
    answer = await client.post(model, content=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == 5006


@pytest.mark.parametrize("model", [BGE_M3, RERANKER])
@pytest.mark.parametrize("body", [b"", b" \n"])
async def test_an_empty_body_is_said_to_be_missing(
    client: httpx.AsyncClient, model: str, body: bytes
) -> None:
    answer = await client.post(model, content=body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 3003)


async def test_a_body_may_be_as_large_as_the_limit_and_no_larger(tmp_path: Path) -> None:
    body = json.dumps(SAMPLE).encode()
    async with emulating(options_at(tmp_path, body_limit=len(body))) as client:
        fits = await client.post(BGE_M3, content=body)
        over = await client.post(BGE_M3, content=body + b" ")

        async def in_parts() -> AsyncIterator[bytes]:
            yield body
            yield b" "

        undeclared = await client.post(BGE_M3, content=in_parts())
    assert fits.status_code == 200
    for answer in (over, undeclared):
        assert answer.status_code == 413
        assert answer.json()["errors"][0]["code"] == 3006
        assert str(len(body)) in answer.json()["errors"][0]["message"]


async def test_a_body_that_does_not_come_in_time_is_given_up(tmp_path: Path) -> None:
    async with emulating(options_at(tmp_path, body_seconds=0.05)) as client:

        async def never_ends() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.sleep(30)

        answer = await client.post(BGE_M3, content=never_ends())
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (408, 3007)


async def test_nothing_at_fault_is_kept(client: httpx.AsyncClient, tmp_path: Path) -> None:
    for body, _, _ in WRONG:
        await client.post(BGE_M3, params=QUEUED, json=body)
    with sqlite3.connect(tmp_path / "queue.db") as db:
        assert db.execute("SELECT count(*) FROM batches").fetchone() == (0,)
