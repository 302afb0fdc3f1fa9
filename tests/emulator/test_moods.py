"""The moods of the real service: waiting, disorder, failures, errors and expiry, by flag or by header."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from batchtui.emulator.errors import KNOWN_ERRORS
from batchtui.emulator.faults import Span
from batchtui.emulator.moods import Moods

from .support import (
    BGE_M3,
    QUEUED,
    RERANKER,
    SAMPLE,
    HeldClock,
    batch,
    collect,
    emulating,
    options_at,
    request,
    scores_of,
    submit,
)

MANY = batch(*(request(f"query {place}", "a", "bb", "ccc") for place in range(40)))


async def _status(client: httpx.AsyncClient, request_id: str) -> str:
    answer = await client.post(BGE_M3, json={"request_id": request_id})
    status: str = answer.json()["result"].get("status", "complete")
    return status


async def _until(client: httpx.AsyncClient, request_id: str, status: str) -> None:
    """Ask, with the clock held, until the status is there: scoring itself takes real time."""
    for _ in range(10_000):
        if await _status(client, request_id) == status:
            return
    raise AssertionError(f"{request_id} never became {status}")


async def test_a_batch_is_queued_then_running_then_complete_as_the_clock_goes(tmp_path: Path) -> None:
    clock = HeldClock()
    options = options_at(tmp_path, latency=Span(60, 60), running=Span(30, 30))
    async with emulating(options, clock) as client:
        request_id = await submit(client, SAMPLE)
        clock.advance(59)
        assert await _status(client, request_id) == "queued"
        clock.advance(1)
        await _until(client, request_id, "running")
        clock.advance(29)
        for _ in range(100):
            assert await _status(client, request_id) == "running"
        clock.advance(1)
        await _until(client, request_id, "complete")


async def test_a_batch_is_gone_once_it_has_expired(tmp_path: Path) -> None:
    clock = HeldClock()
    options = options_at(tmp_path, expiry=100)
    async with emulating(options, clock) as client:
        request_id = await submit(client, SAMPLE)
        await _until(client, request_id, "complete")
        clock.advance(99)
        assert await _status(client, request_id) == "complete"
        clock.advance(1)
        answer = await client.post(BGE_M3, json={"request_id": request_id})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, 5504)


def test_latency_is_drawn_from_its_range_and_a_seed_repeats_it(tmp_path: Path) -> None:
    def waits(seed: int | None) -> list[float]:
        moods = Moods(options_at(tmp_path, latency=Span(5, 20), running=Span(1, 2), seed=seed))
        plans = [moods.plan(requests=3) for _ in range(50)]
        assert all(1 <= plan.running <= 2 for plan in plans)
        return [plan.latency for plan in plans]

    assert all(5 <= wait <= 20 for wait in waits(7))
    assert max(waits(7)) - min(waits(7)) > 7
    assert waits(7) == waits(7) != waits(8)
    assert waits(None) != waits(None)


async def test_shuffled_answers_come_out_of_order_and_hold_the_same(tmp_path: Path) -> None:
    async with emulating(options_at(tmp_path, shuffle=True)) as client:
        envelope = await collect(client, await submit(client, MANY))
    answers = envelope["result"]["responses"]
    places = [answer["id"] for answer in answers]
    assert sorted(places) == list(range(40)) != places
    assert any([entry["id"] for entry in a["result"]["response"]] != [0, 1, 2] for a in answers)
    assert all(scores_of(envelope, place) == [1 / 1024, 2 / 1024, 3 / 1024] for place in range(40))


async def test_answers_may_come_as_results_by_index(tmp_path: Path) -> None:
    async with emulating(options_at(tmp_path, results_index=True)) as client:
        result = (await collect(client, await submit(client, MANY)))["result"]
    assert "responses" not in result
    assert [answer["index"] for answer in result["results"]] == list(range(40))
    assert "id" not in result["results"][0]


async def test_a_share_of_the_requests_fails_and_the_rest_is_answered(tmp_path: Path) -> None:
    async with emulating(options_at(tmp_path, fail_rate=0.5, seed=1)) as client:
        answers = (await collect(client, await submit(client, MANY)))["result"]["responses"]
    failed = [answer for answer in answers if not answer["success"]]
    assert 10 < len(failed) < 30
    assert all(answer["error"]["message"].startswith("AiError") for answer in failed)
    assert all("result" not in answer for answer in failed)
    assert all(len(answer["result"]["response"]) == 3 for answer in answers if answer["success"])


@pytest.mark.parametrize("code", sorted(KNOWN_ERRORS))
async def test_any_known_error_can_be_asked_for_once(tmp_path: Path, code: int) -> None:
    known = KNOWN_ERRORS[code]
    async with emulating(options_at(tmp_path)) as client:
        answer = await client.post(
            BGE_M3, params=QUEUED, json=SAMPLE, headers={"Batchtui-Fault": f"{code}; retry-after=7"}
        )
        after = await client.post(BGE_M3, params=QUEUED, json=SAMPLE)
    assert answer.status_code == known.status
    assert answer.json()["errors"][0]["code"] == code
    assert answer.json()["result"] == (None if known.gateway else {})
    assert answer.headers.get("retry-after") == ("7" if known.status == 429 else None)
    assert "{" not in answer.json()["errors"][0]["message"]
    assert after.status_code == 200


@pytest.mark.parametrize(
    ("error", "submitting", "running", "collecting", "listing"),
    [
        (3040, 429, 429, 200, 200),
        (3036, 429, 429, 200, 200),
        (5504, 200, 200, 404, 200),
        (3030, 200, 400, 200, 200),
        (9109, 403, 403, 403, 403),
    ],
)
async def test_a_standing_error_strikes_the_calls_it_belongs_to(
    tmp_path: Path, error: int, submitting: int, running: int, collecting: int, listing: int
) -> None:
    async with emulating(options_at(tmp_path)) as client:
        request_id = await submit(client, SAMPLE)
        await collect(client, request_id)
    async with emulating(options_at(tmp_path, error=error)) as client:
        submitted = await client.post(BGE_M3, params=QUEUED, json=SAMPLE)
        ran = await client.post(RERANKER, json=request("q", "c"))
        collected = await client.post(BGE_M3, json={"request_id": request_id})
        listed = await client.get("accounts/abc/ai/models/search")
    statuses = [answer.status_code for answer in (submitted, ran, collected, listed)]
    assert statuses == [submitting, running, collecting, listing]


async def test_a_batch_that_fails_upstream_says_so_when_collected(tmp_path: Path) -> None:
    async with emulating(options_at(tmp_path, error=3030)) as client:
        request_id = await submit(client, SAMPLE)
        result = (await collect(client, request_id))["result"]
    assert result["status"] == "failed"
    assert result["error"]["code"] == 3030


async def test_a_spent_quota_asks_for_no_retry_and_a_full_house_for_a_short_one(tmp_path: Path) -> None:
    async def retry_after(error: int, **changes: Any) -> str | None:
        async with emulating(options_at(tmp_path, error=error, **changes)) as client:
            answer = await client.post(BGE_M3, params=QUEUED, json=SAMPLE)
            wait: str | None = answer.headers.get("retry-after")
            return wait

    assert await retry_after(3036) is None
    assert await retry_after(3040) == "1"
    assert await retry_after(3040, retry_after=2.5) == "3"


async def test_an_error_may_strike_only_some_calls(tmp_path: Path) -> None:
    async with emulating(options_at(tmp_path, error=3040, error_rate=0.5, seed=3)) as client:
        statuses = [(await client.post(BGE_M3, params=QUEUED, json=SAMPLE)).status_code for _ in range(40)]
    assert 8 < statuses.count(429) < 32
    assert set(statuses) == {200, 429}


async def test_a_gateway_page_takes_nothing_and_a_lost_answer_is_taken(tmp_path: Path) -> None:
    async with emulating(options_at(tmp_path)) as client:
        for fault in ("502", "lost"):
            answer = await client.post(BGE_M3, params=QUEUED, json=SAMPLE, headers={"Batchtui-Fault": fault})
            assert answer.status_code == 502
            assert answer.headers["content-type"].startswith("text/html")
    with sqlite3.connect(tmp_path / "queue.db") as db:
        assert db.execute("SELECT count(*) FROM batches").fetchone() == (1,)


async def test_a_delayed_answer_comes_later(tmp_path: Path) -> None:
    clock = HeldClock()
    async with emulating(options_at(tmp_path), clock) as client:
        call = asyncio.create_task(client.get("accounts", headers={"Batchtui-Fault": "delay=30"}))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not call.done()
        clock.advance(30)
        assert (await call).status_code == 200


async def test_a_submission_can_be_given_its_own_moods(tmp_path: Path) -> None:
    clock = HeldClock()
    async with emulating(options_at(tmp_path), clock) as client:
        slow = await submit(client, SAMPLE, **{"Batchtui-Fault": "latency=5-5; running=10"})
        failing = await submit(client, MANY, **{"Batchtui-Fault": "fail=0,2,99; results-index; shuffle"})
        whole = await submit(client, SAMPLE, **{"Batchtui-Fault": "fail-batch"})
        dropped = await submit(client, SAMPLE, **{"Batchtui-Fault": "drop"})
        assert await _status(client, slow) == "queued"
        answers = (await collect(client, failing))["result"]["results"]
        assert {answer["index"] for answer in answers if not answer["success"]} == {0, 2}
        assert [answer["index"] for answer in answers] != list(range(40))
        assert (await collect(client, whole))["result"]["status"] == "failed"
        assert (await client.post(BGE_M3, json={"request_id": dropped})).status_code == 404
        clock.advance(5)
        await _until(client, slow, "running")


@pytest.mark.parametrize(
    "fault", ["nonsense", "3041x", "99", "latency=", "latency=9-5", "fail=a", "delay=-1", "delay=601", "="]
)
async def test_a_fault_that_is_none_is_refused_and_named(tmp_path: Path, fault: str) -> None:
    async with emulating(options_at(tmp_path)) as client:
        answer = await client.get("accounts", headers={"Batchtui-Fault": fault})
    assert answer.status_code == 400
    assert "batchtui-fault" in answer.json()["errors"][0]["message"]
