"""batchtui's own client understands all that the emulator says."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from batchtui.clock import SystemClock
from batchtui.emulator.app import Emulator
from batchtui.model import Context, Request
from batchtui.workers_ai.client import WorkersAI
from batchtui.workers_ai.endpoint import Endpoint
from batchtui.workers_ai.errors import AnswerLost, ApiError, ErrorKind
from batchtui.workers_ai.matching import match
from batchtui.workers_ai.secret import Secret
from batchtui.workers_ai.wire import BatchFailed, Complete, Queued, encode_batch, encode_request

from .support import BASE, options_at, worker_of

M3, RERANKER = "@cf/baai/bge-m3", "@cf/baai/bge-reranker-base"
REQUESTS = [
    Request("first", (Context("a"), Context("ccc"), Context("bb")), "one"),
    Request("second", (Context("dddd"), Context("e"))),
]


@contextlib.asynccontextmanager
async def _client(
    directory: Path, *, given: str | None = None, fault: str = "", **changes: Any
) -> AsyncIterator[WorkersAI]:
    emulator = Emulator(options_at(directory, **changes), SystemClock(), command=worker_of("Lengths"))
    await emulator.start()

    class Faulty(httpx.ASGITransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            request.headers["batchtui-fault"] = fault
            return await super().handle_async_request(request)

    endpoint = Endpoint(BASE.replace("emulator.test", "localhost"), "abc", Secret(given) if given else None)
    client = WorkersAI(endpoint, transport=Faulty(emulator.app), clock=SystemClock())
    try:
        yield client
    finally:
        await client.aclose()
        await emulator.stop()


async def _finished(client: WorkersAI, request_id: str) -> Complete | BatchFailed:
    for _ in range(100_000):
        collected = await client.collect(M3, request_id)
        if not isinstance(collected.answer, Queued):
            return collected.answer
    raise AssertionError(f"{request_id} was never done")


@pytest.mark.parametrize("results_index", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
async def test_a_batch_is_submitted_collected_and_matched(
    tmp_path: Path, shuffle: bool, results_index: bool
) -> None:
    async with _client(tmp_path, shuffle=shuffle, results_index=results_index) as client:
        submitted = await client.submit(M3, encode_batch(REQUESTS))
        answer = await _finished(client, submitted.request_id)
    assert isinstance(answer, Complete)
    results, problems = match(REQUESTS, answer)
    assert problems == ()
    orders = [[entry.index for entry in result.ranking.entries] for result in results if result.ranking]
    assert orders == [[1, 2, 0], [0, 1]]
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == len("first") + 6 + len("second") + 5
    assert submitted.scorer == "lexical"


async def test_a_batch_that_fails_in_part_or_whole_is_told_apart(tmp_path: Path) -> None:
    async with _client(tmp_path, fault="fail=1") as client:
        part = await _finished(client, (await client.submit(M3, encode_batch(REQUESTS))).request_id)
    async with _client(tmp_path, fault="fail-batch") as client:
        whole = await _finished(client, (await client.submit(M3, encode_batch(REQUESTS))).request_id)
    assert isinstance(part, Complete)
    results, _ = match(REQUESTS, part)
    assert [result.success for result in results] == [True, False]
    assert isinstance(whole, BatchFailed)


async def test_a_request_is_run_at_once_by_either_model(tmp_path: Path) -> None:
    async with _client(tmp_path) as client:
        for model in (M3, RERANKER):
            ran = await client.run(model, encode_request(REQUESTS[0]))
            assert sorted(ran.response.scores) == [(0, 1 / 1024), (1, 3 / 1024), (2, 2 / 1024)]
            assert ran.usage is not None


async def test_the_models_are_listed_and_the_token_is_checked(tmp_path: Path) -> None:
    async with _client(tmp_path, given="right", token="right") as client:
        await client.verify()
        assert {model.name: model.takes_batches for model in await client.models()} == {
            M3: True,
            RERANKER: False,
        }
    async with _client(tmp_path, given="wrong", token="right") as client:
        with pytest.raises(ApiError) as refused:
            await client.verify()
    assert refused.value.kind is ErrorKind.CREDENTIALS


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("10000", ErrorKind.CREDENTIALS),
        ("7003", ErrorKind.ACCOUNT),
        ("5007", ErrorKind.NO_MODEL),
        ("5006", ErrorKind.BAD_INPUT),
        ("3006", ErrorKind.TOO_LARGE),
        ("3040", ErrorKind.TRY_AGAIN),
        ("3021", ErrorKind.RATE),
        ("3036", ErrorKind.QUOTA),
        ("3041", ErrorKind.NOT_ALLOWED),
        ("5504", ErrorKind.GONE),
        ("8007", ErrorKind.NO_QUEUE),
    ],
)
async def test_every_fault_is_known_for_what_it_is(tmp_path: Path, fault: str, kind: ErrorKind) -> None:
    async with _client(tmp_path, fault=f"{fault}; retry-after=9") as client:
        with pytest.raises(ApiError) as raised:
            await client.submit(M3, encode_batch(REQUESTS))
    assert raised.value.kind is kind
    assert raised.value.code == int(fault)


@pytest.mark.parametrize("fault", ["502", "lost"])
async def test_a_gateways_page_leaves_open_whether_the_batch_was_taken(tmp_path: Path, fault: str) -> None:
    async with _client(tmp_path, fault=fault) as client:
        with pytest.raises(AnswerLost):
            await client.submit(M3, encode_batch(REQUESTS))
