"""The queue keeps every batch, whatever happens to the processes that share it."""

import asyncio
import os
import sqlite3
import stat
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from batchtui.clock import SystemClock
from batchtui.emulator.app import Emulator
from batchtui.emulator.errors import EmulatorError
from batchtui.emulator.faults import Span
from batchtui.emulator.moods import Plan
from batchtui.emulator.queue import ALIVE_SECONDS, Queue, Submission

from .support import (
    BASE,
    BGE_M3,
    QUEUED,
    SAMPLE,
    Served,
    batch,
    collect,
    emulating,
    eventually,
    options_at,
    request,
    serving,
    submit,
    worker_of,
)

LEXICAL = "lexical"


@pytest.fixture
def open_queue(tmp_path: Path) -> Callable[..., Queue]:
    return lambda scorer=LEXICAL: Queue(tmp_path / "queue.db", scorer)


def _submission(due_at: float = 0.0, expires_at: float = 1e9) -> Submission:
    return Submission(
        str(uuid.uuid4()), "abc", "@cf/baai/bge-m3", Plan(running=3.0), b"body", due_at, expires_at
    )


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _ids(queue: Queue, now: float, limit: int = 10) -> list[str]:
    return [claimed.request_id for claimed in queue.claim(now, limit)]


def test_a_batch_is_claimed_once_it_is_due_and_by_one_alone(open_queue: Callable[..., Queue]) -> None:
    one, other, added = open_queue(), open_queue(), _submission(due_at=100.0)
    one.add(added, now=50.0)
    assert _ids(one, 99.0) == []
    assert one.next_due(99.0) == 100.0
    [claimed] = other.claim(100.0, 10)
    assert (claimed.body, claimed.plan, claimed.started_at) == (b"body", Plan(running=3.0), 100.0)
    assert _ids(one, 100.0) == _ids(other, 100.0) == []
    assert one.next_due(100.0) is None


def test_what_is_due_longest_is_claimed_first(open_queue: Callable[..., Queue]) -> None:
    queue = open_queue()
    batches = [_submission(due_at=due) for due in (30.0, 10.0, 20.0)]
    for added in batches:
        queue.add(added, now=0.0)
    assert _ids(queue, 40.0, limit=2) == [batches[1].request_id, batches[2].request_id]


def test_a_claim_ends_when_its_holder_is_no_longer_heard_of(open_queue: Callable[..., Queue]) -> None:
    dead, other, added = open_queue(), open_queue(), _submission()
    dead.add(added, now=0.0)
    assert _ids(dead, 0.0) == [added.request_id]
    dead.say_alive(ALIVE_SECONDS / 2)
    assert _ids(other, ALIVE_SECONDS * 1.4) == []
    [claimed] = other.claim(ALIVE_SECONDS * 1.6, 10)
    assert claimed.started_at == 0.0


def test_a_clock_set_back_keeps_no_dead_holder_alive(open_queue: Callable[..., Queue]) -> None:
    dead, other, added = open_queue(), open_queue(), _submission()
    dead.add(added, now=5_000.0)
    assert _ids(dead, 5_000.0) == [added.request_id]
    assert _ids(other, 1_000.0) == [added.request_id]


def test_closing_gives_back_what_was_claimed(open_queue: Callable[..., Queue]) -> None:
    one, other, added = open_queue(), open_queue(), _submission()
    one.add(added, now=0.0)
    assert _ids(one, 0.0) == [added.request_id]
    one.close()
    assert _ids(other, 0.0) == [added.request_id]


def test_a_batch_waits_for_its_own_scorer_while_that_is_alive(open_queue: Callable[..., Queue]) -> None:
    semantic, lexical, added = open_queue("fastembed:BAAI/bge-m3"), open_queue(), _submission()
    semantic.add(added, now=0.0)
    assert _ids(lexical, 0.0) == []
    assert _ids(lexical, ALIVE_SECONDS + 1) == [added.request_id]
    lexical.finish(added.request_id, b"answer", 1e9)
    found = semantic.find(added.request_id, "abc", "@cf/baai/bge-m3")
    assert found is not None
    assert found.scorer == LEXICAL


def test_the_first_answer_of_a_batch_stays_and_its_body_goes(
    open_queue: Callable[..., Queue], tmp_path: Path
) -> None:
    one, other, added = open_queue(), open_queue(), _submission()
    one.add(added, now=0.0)
    one.claim(0.0, 1)
    one.finish(added.request_id, b"first", 1e9)
    other.finish(added.request_id, b"second", 1e9)
    found = one.find(added.request_id, "abc", "@cf/baai/bge-m3")
    assert found is not None
    assert found.answer == b"first"
    with sqlite3.connect(tmp_path / "queue.db") as db:
        assert db.execute("SELECT body FROM batches").fetchall() == [(None,)]


def test_expired_batches_are_dropped_and_their_space_given_back(
    open_queue: Callable[..., Queue], tmp_path: Path
) -> None:
    queue = open_queue()
    for _ in range(50):
        queue.add(Submission(str(uuid.uuid4()), "abc", "m", Plan(), b"x" * 100_000, 0.0, 10.0), now=0.0)
    kept = _submission()
    queue.add(kept, now=0.0)
    queue.forget_expired(10.0)
    assert _ids(queue, 10.0) == [kept.request_id]
    with sqlite3.connect(tmp_path / "queue.db") as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert (tmp_path / "queue.db").stat().st_size < 1_000_000


def test_the_queue_is_for_its_owner_alone_under_a_loose_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Queue(tmp_path / "new" / "deep" / "queue.db", LEXICAL).add(_submission(), now=0.0)
    finally:
        os.umask(before)
    found = list((tmp_path / "new").rglob("*"))
    assert {file.name for file in found} == {"deep", "queue.db", "queue.db-wal", "queue.db-shm"}
    for path in (tmp_path / "new", *found):
        assert _mode(path) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal"])
def test_what_another_user_put_in_the_way_is_named_and_not_written_to(tmp_path: Path, ending: str) -> None:
    tmp_path.chmod(0o1777)
    planted = tmp_path / f"queue.db{ending}"
    planted.touch(mode=0o666)
    os.chown(planted, 1001, 1001)
    with pytest.raises(EmulatorError, match=f"queue.db{ending}: it belongs to another user"):
        Queue(tmp_path / "queue.db", LEXICAL)
    assert planted.read_bytes() == b""


def test_a_pipe_in_the_place_of_the_queue_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "queue.db", 0o644)
    with pytest.raises(EmulatorError, match="no plain file"):
        Queue(tmp_path / "queue.db", LEXICAL)
    assert _mode(tmp_path / "queue.db") == 0o644


def test_a_file_that_is_no_queue_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    path.write_text("a shopping list, and no database at all" * 100)
    path.chmod(0o644)
    before = path.read_bytes()
    with pytest.raises(EmulatorError, match=r"queue\.db.*move that file away"):
        Queue(path, LEXICAL)
    assert (path.read_bytes(), _mode(path)) == (before, 0o644)


@pytest.mark.parametrize("version", [-1, 0, 1, 2])
def test_a_database_of_another_program_is_named_and_left_as_it_is(tmp_path: Path, version: int) -> None:
    path = tmp_path / "queue.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE places (name)")
        db.execute(f"PRAGMA user_version = {version}")
    path.chmod(0o644)
    before = path.read_bytes()
    with pytest.raises(EmulatorError, match="of another program"):
        Queue(path, LEXICAL)
    assert (path.read_bytes(), _mode(path)) == (before, 0o644)


def test_a_queue_of_a_newer_batchtui_is_refused(tmp_path: Path) -> None:
    Queue(tmp_path / "queue.db", LEXICAL).close()
    with sqlite3.connect(tmp_path / "queue.db") as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(EmulatorError, match="newer"):
        Queue(tmp_path / "queue.db", LEXICAL)


@pytest.mark.parametrize(
    "stranger",
    [
        "CREATE TRIGGER t AFTER INSERT ON batches BEGIN UPDATE batches SET account = 'another'; END",
        "CREATE VIEW v AS SELECT * FROM batches",
    ],
)
def test_a_queue_with_what_would_run_in_it_is_refused(tmp_path: Path, stranger: str) -> None:
    Queue(tmp_path / "queue.db", LEXICAL).close()
    with sqlite3.connect(tmp_path / "queue.db") as db:
        db.execute(stranger)
    with pytest.raises(EmulatorError, match="not of batchtui"):
        Queue(tmp_path / "queue.db", LEXICAL)


@pytest.mark.parametrize("plan", ["x'ff'", "'text'", "7"])
async def test_a_batch_whose_plan_is_damaged_fails_and_holds_up_no_other(tmp_path: Path, plan: str) -> None:
    async with emulating(options_at(tmp_path, latency=Span(60, 60))) as client:
        damaged = await submit(client, SAMPLE)
    with sqlite3.connect(tmp_path / "queue.db") as db:
        db.execute(f"UPDATE batches SET plan = {plan}, due_at = 0")
    async with emulating(options_at(tmp_path)) as client:
        assert "responses" in (await collect(client, await submit(client, SAMPLE)))["result"]
        answer = await client.post(BGE_M3, params=QUEUED, json={"request_id": damaged})
    assert "is damaged" in answer.text


async def test_a_batch_outlives_the_emulator_that_took_it(tmp_path: Path) -> None:
    async with emulating(options_at(tmp_path), scorer="Slow") as client:
        ids = [await submit(client, batch(*(request("q", "a"),) * 3)) for _ in range(5)]
    async with emulating(options_at(tmp_path)) as client:
        for request_id in ids:
            assert len((await collect(client, request_id))["result"]["responses"]) == 3


async def test_it_may_be_started_twice_at_once_and_again_after_it_was_stopped(tmp_path: Path) -> None:
    emulator = Emulator(options_at(tmp_path), SystemClock(), command=worker_of("Lengths"))
    transport = httpx.ASGITransport(emulator.app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        for _ in range(2):
            await asyncio.gather(emulator.start(), emulator.start())
            await emulator.start()
            assert "responses" in (await collect(client, await submit(client, SAMPLE)))["result"]
            await emulator.stop()
    with sqlite3.connect(tmp_path / "queue.db") as db:
        assert db.execute("SELECT count(*) FROM holders").fetchone() == (0,)


async def test_a_queue_that_breaks_is_an_internal_error_in_the_envelope(tmp_path: Path) -> None:
    async with emulating(options_at(tmp_path, latency=Span(60, 60))) as client:
        with sqlite3.connect(tmp_path / "queue.db") as db:
            db.execute("DROP TABLE batches")
        answer = await client.post(BGE_M3, params=QUEUED, json=SAMPLE)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (500, 8008)


async def test_two_emulators_on_one_file_finish_all_and_each_answers_for_both(tmp_path: Path) -> None:
    options = options_at(tmp_path)
    async with emulating(options) as one, emulating(options) as other:
        ids = [await submit(client, SAMPLE) for client in (one, other) * 10]
        for client in (one, other):
            for request_id in ids:
                assert len((await collect(client, request_id))["result"]["responses"]) == 1


TEXTS = [f"the text of number {number}" for number in range(40)]
LARGE = batch(*(request(f"query {place}", *TEXTS) for place in range(300)))


def _submit_over_http(served: Served, body: object) -> str:
    answer = httpx.post(f"{served.url}/{BGE_M3}", params=QUEUED, json=body, timeout=30)
    request_id: str = answer.json()["result"]["request_id"]
    return request_id


def _result(served: Served, request_id: str) -> dict[str, object]:
    answer = httpx.post(f"{served.url}/{BGE_M3}", json={"request_id": request_id}, timeout=30)
    result: dict[str, object] = answer.json()["result"]
    return result


@pytest.mark.parametrize("flags", [("--latency", "1"), ()])
def test_batches_survive_a_kill_and_finish_after_it(tmp_path: Path, flags: tuple[str, ...]) -> None:
    with serving(tmp_path / "queue.db", *flags) as served:
        ids = [_submit_over_http(served, LARGE) for _ in range(4)]
        served.kill()
    with serving(tmp_path / "queue.db") as served:
        for request_id in ids:
            eventually(
                lambda request_id=request_id: "responses" in _result(served, request_id),  # type: ignore[misc]
                f"{request_id} is done",
            )
            responses = _result(served, request_id)["responses"]
            assert isinstance(responses, list)
            assert [answer["id"] for answer in responses] == list(range(300))
