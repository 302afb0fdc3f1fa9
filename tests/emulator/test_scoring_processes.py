"""Scoring goes on beside the screen, in processes that may end without a batch being lost."""

import itertools
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from batchtui.emulator.frames import Item
from batchtui.emulator.pool import worker_environment
from batchtui.emulator.scoring import ChunkSize, split_into_chunks
from batchtui.emulator.worker import half_precision

from .support import BGE_M3, batch, collect, emulating, options_at, request, scores_of, submit


async def _answers(directory: Path, scorer: str, *requests: dict[str, object]) -> list[dict[str, Any]]:
    async with emulating(options_at(directory), scorer=scorer) as client:
        envelope = await collect(client, await submit(client, batch(*requests)))
    return sorted(envelope["result"]["responses"], key=lambda answer: answer["id"])


@pytest.mark.parametrize(
    ("query", "why"), [("end", "ended"), ("raise", "no such thing"), ("nan", "no number")]
)
async def test_a_request_that_breaks_the_scorer_fails_alone(tmp_path: Path, query: str, why: str) -> None:
    answers = await _answers(
        tmp_path, "Fragile", request("fine", "a"), request(query, "a"), request("fine too", "a", "b")
    )
    assert [answer["success"] for answer in answers] == [True, False, True]
    assert why in answers[1]["error"]["message"]
    assert answers[2]["result"]["response"] == [{"id": 0, "score": 0.5}, {"id": 1, "score": 0.5}]


async def test_a_request_run_at_once_that_breaks_the_scorer_is_an_internal_error(tmp_path: Path) -> None:
    async with emulating(options_at(tmp_path), scorer="Fragile") as client:
        broken = await client.post(BGE_M3, json=request("end", "a"))
        after = await client.post(BGE_M3, json=request("fine", "a"))
    assert (broken.status_code, broken.json()["errors"][0]["code"]) == (500, 8008)
    assert after.status_code == 200


async def test_work_that_a_process_ended_under_is_tried_again(tmp_path: Path) -> None:
    answers = await _answers(
        tmp_path, "EndsOnce", request("fine", "a"), request(str(tmp_path / "seen"), "a", "bb")
    )
    assert [answer["success"] for answer in answers] == [True, True]


async def test_what_a_library_prints_does_not_break_the_answers(tmp_path: Path) -> None:
    [answer] = await _answers(tmp_path, "Fragile", request("print", "a"))
    assert answer["success"]


async def test_a_scorer_that_cannot_be_loaded_says_why(tmp_path: Path) -> None:
    [answer] = await _answers(tmp_path, "Missing", request("q", "a"))
    assert "Missing" in answer["error"]["message"]


async def test_processes_that_were_killed_while_idle_are_replaced(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    async with emulating(options_at(tmp_path), scorer="Telling") as client:
        await client.post(BGE_M3, json=request(str(first), "a"))
        os.kill(int(first.read_text()), signal.SIGKILL)
        answers = [await client.post(BGE_M3, json=request(str(second), "a")) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200] * 4


async def test_no_process_is_left_behind(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    async with emulating(options_at(tmp_path), scorer="Telling") as client:
        await client.post(BGE_M3, json=request(str(pid_file), "a"))
        pid = int(pid_file.read_text())
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_equal_texts_of_a_request_and_equal_requests_are_scored_once(tmp_path: Path) -> None:
    one = request("q", "a", "b", "a", "a", "c")
    answers = await _answers(tmp_path, "Counting", one, one, request("q", "a"))
    assert [len(answer["result"]["response"]) for answer in answers] == [5, 5, 1]
    assert {entry["score"] for answer in answers for entry in answer["result"]["response"]} == {4.0}


async def test_repeated_texts_count_as_often_as_they_were_sent(tmp_path: Path) -> None:
    async with emulating(options_at(tmp_path)) as client:
        one = request("four", "aa", "aa")
        envelope = await collect(client, await submit(client, batch(one, one)))
    assert envelope["result"]["usage"]["prompt_tokens"] == 2 * (4 + 2 + 2)


async def test_a_call_that_is_waited_for_goes_before_a_batch(tmp_path: Path) -> None:
    many = batch(*(request(f"{place} " + "x" * 40_000, "a") for place in range(60)))
    async with emulating(options_at(tmp_path, workers=1), scorer="Slow") as client:
        request_id = await submit(client, many)
        answer = await client.post(BGE_M3, json=request("q", "a"))
        status = await client.post(BGE_M3, json={"request_id": request_id})
        assert answer.status_code == 200
        assert status.json()["result"]["status"] in ("queued", "running")
        assert len((await collect(client, request_id))["result"]["responses"]) == 60


async def test_a_long_batch_is_scored_in_order_by_all_processes(tmp_path: Path) -> None:
    requests = [request(f"{place} " + "x" * 9_000, "a" * (place % 900 + 1), "b") for place in range(400)]
    async with emulating(options_at(tmp_path)) as client:
        envelope = await collect(client, await submit(client, batch(*requests)))
    for place in range(400):
        expected = half_precision([(place % 900 + 1) / 1024, 1 / 1024])
        assert scores_of(envelope, place) == expected


@pytest.mark.parametrize(("count", "processes"), [(0, 2), (1, 2), (7, 1), (500, 2), (5_000, 2)])
def test_chunks_keep_every_item_in_order_and_are_neither_large_nor_few(count: int, processes: int) -> None:
    items = [Item(("x" * (place % 90),), "q", False, 60_000) for place in range(count)]
    size = ChunkSize(1_000, 20_000)
    chunks = list(split_into_chunks(items, size, processes))
    assert list(itertools.chain.from_iterable(chunks)) == items
    weights = [sum(len(item.texts[0]) + 9 for item in chunk) for chunk in chunks]
    assert all(weight <= size.most + 100 for weight in weights)
    if sum(weights) > 4 * size.least:
        assert len(chunks) >= 2 * processes


def test_one_item_larger_than_a_chunk_goes_by_itself() -> None:
    items = [Item(("x" * length,), "q", False, 60_000) for length in (10, 5_000, 10)]
    chunks = list(split_into_chunks(items, ChunkSize(100, 1_000), 2))
    assert [len(chunk) for chunk in chunks] == [1, 1, 1]


def test_scores_are_the_nearest_half_precision_floats() -> None:
    assert half_precision([0.73974609375, 0.74, 0.1, 0.0, 1.0]) == [
        1515 / 2048,
        1516 / 2048,
        0.099_975_585_937_5,
        0.0,
        1.0,
    ]


async def test_secrets_do_not_reach_the_scoring_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID", "HF_TOKEN", "Some_Secret", "AWS_ACCESS_KEY_ID"]
    for name in names:
        monkeypatch.setenv(name, "12345678")
    monkeypatch.setenv("HARMLESS", "harmless")
    [answer] = await _answers(tmp_path, "Peeking", request("q", *names, "HARMLESS"))
    assert [entry["score"] for entry in answer["result"]["response"]] == [0.0] * len(names) + [8.0]


def test_the_environment_of_a_scoring_process_keeps_what_it_needs() -> None:
    kept = worker_environment({"PATH": "/bin", "LANG": "C.UTF-8", "CF_API_TOKEN": "x", "CF_ANYTHING": "y"})
    assert kept == {"PATH": "/bin", "LANG": "C.UTF-8", "HF_HUB_OFFLINE": "1"}
