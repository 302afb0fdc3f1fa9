"""The file of the store: private, versioned, and never overwritten when something is wrong with it."""

import gc
import os
import random
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from batchtui.jobs import database as database_module
from batchtui.jobs.database import Database
from batchtui.jobs.errors import StoreError
from batchtui.jobs.schema import APPLICATION_ID, MIGRATIONS
from batchtui.jobs.search import JobQuery
from batchtui.model import RequestResult

from .conftest import OpenJobs
from .support import batch_of

BACKEND = "http://127.0.0.1:1/client/v4"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def refused(path: Path) -> StoreError:
    """The error that opening the store raises."""
    with pytest.raises(StoreError) as caught:
        Database(path)
    assert str(path) in caught.value.message
    assert caught.value.hint
    return caught.value


def test_directories_and_files_are_private_under_a_loose_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = tmp_path / "share" / "batchtui" / "batchtui.db"
        database = Database(path)
        with database.write() as connection:
            connection.execute("INSERT INTO drafts (updated_at, data) VALUES (0, x'')")
        assert [mode(file) for file in sorted(path.parent.iterdir())] == [0o600, 0o600, 0o600]
        assert mode(path.parent) == mode(path.parent.parent) == 0o700
        database.close()
    finally:
        os.umask(before)


def test_a_file_that_others_could_read_becomes_private(database: Path) -> None:
    Database(database).close()
    database.chmod(0o644)
    Database(database).close()
    assert mode(database) == 0o600


def test_the_store_says_whose_it_is_and_which_version(database: Path) -> None:
    Database(database).close()
    plain = sqlite3.connect(database)
    assert plain.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert plain.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    plain.close()


def test_a_step_that_fails_leaves_the_store_as_it_was(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Database(database).close()
    broken = (*MIGRATIONS, ("CREATE TABLE half (id)", "CREATE TABLE broken (id"))
    monkeypatch.setattr(database_module, "MIGRATIONS", broken)
    refused(database)
    monkeypatch.undo()
    reopened = Database(database)
    with reopened.read() as connection:
        tables = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").fetchone()
    assert tables == (0,)
    reopened.close()


def test_a_store_is_brought_to_the_next_version(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Database(database).close()
    monkeypatch.setattr(database_module, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE more (id)",)))
    upgraded = Database(database)
    with upgraded.read() as connection:
        assert connection.execute("SELECT count(*) FROM more").fetchone() == (0,)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
    upgraded.close()


def test_a_store_of_a_newer_version_is_left_alone(database: Path) -> None:
    Database(database).close()
    plain = sqlite3.connect(database)
    plain.execute("PRAGMA user_version = 99")
    plain.close()
    error = refused(database)
    assert "newer" in error.message and "Update" in error.hint


def test_a_database_of_another_program_is_left_alone(database: Path) -> None:
    database.parent.mkdir()
    plain = sqlite3.connect(database)
    plain.execute("CREATE TABLE theirs (id)")
    plain.close()
    before = database.read_bytes(), mode(database)
    assert "another program" in refused(database).message
    assert (database.read_bytes(), mode(database)) == before


def test_a_file_that_is_no_database_is_left_alone(database: Path) -> None:
    database.parent.mkdir()
    database.write_bytes(b"my diary\n" * 1000)
    database.chmod(0o644)
    assert "damaged" in refused(database).message
    assert database.read_bytes() == b"my diary\n" * 1000
    assert mode(database) == 0o644


def test_a_damaged_store_comes_with_the_command_that_moves_all_its_files(tmp_path: Path) -> None:
    database = tmp_path / "it's $HOME" / "batchtui.db"
    database.parent.mkdir()
    for begun in (1, 2):
        database.write_bytes(b"my diary\n" * 1000)
        command = refused(database).hint.split("`")[1]
        for name in ("batchtui.db-wal", "batchtui.db-shm"):
            database.with_name(name).touch()
        subprocess.run(["sh", "-c", command], check=True)
        Database(database).close()
        assert len(list((database.parent / f"damaged-{begun}").iterdir())) == 3
        database.unlink()


def test_a_damaged_store_is_told_and_kept(open_jobs: OpenJobs, database: Path) -> None:
    jobs = open_jobs()
    for number in range(300):
        jobs.submit(batch_of(f"query {number}"), backend=BACKEND)
    jobs.close()
    content = bytearray(database.read_bytes())
    content[8192:-4096] = random.Random(1).randbytes(len(content) - 8192 - 4096)
    database.write_bytes(content)

    with pytest.raises(StoreError, match="damaged"):
        damaged = open_jobs()
        for job in damaged.page(JobQuery(), 0, 300):
            damaged.batch(job.id)
    assert database.read_bytes() == content


def test_what_was_written_last_beside_an_emptied_store_is_kept(database: Path) -> None:
    database.parent.mkdir()
    database.touch()
    log = database.with_name(f"{database.name}-wal")
    log.write_bytes(b"what was written last")
    assert "-wal file is not" in str(refused(database))
    assert log.read_bytes() == b"what was written last"


def test_a_symbolic_link_in_the_way_is_told(tmp_path: Path, database: Path) -> None:
    database.parent.mkdir()
    elsewhere = tmp_path / "elsewhere"
    database.symlink_to(elsewhere)
    assert "symbolic link" in refused(database).message
    assert not elsewhere.exists()


@pytest.mark.parametrize("name", ["batchtui.db", "batchtui.db-wal", "batchtui.db-shm", "batchtui.db-journal"])
@pytest.mark.parametrize("kind", ["link", "hard link", "pipe"])
def test_what_is_no_plain_file_of_ones_own_is_told_and_left_alone(
    tmp_path: Path, database: Path, name: str, kind: str
) -> None:
    database.parent.mkdir()
    other, path = tmp_path / "other", database.with_name(name)
    other.write_bytes(b"")
    other.chmod(0o644)
    if kind == "pipe":
        os.mkfifo(path, 0o644)
    elif kind == "link":
        path.symlink_to(other)
    else:
        path.hardlink_to(other)
    before = path.lstat()
    message = refused(database).message
    assert {"link": "symbolic link", "hard link": "hard link", "pipe": "no plain file"}[kind] in message
    assert str(path) in message
    assert (path.lstat().st_mode, other.read_bytes(), mode(other)) == (before.st_mode, b"", 0o644)


def test_what_is_left_beside_the_store_becomes_private(database: Path) -> None:
    Database(database).close()
    wal = database.with_name("batchtui.db-wal")
    wal.write_bytes(b"left of a crash")
    wal.chmod(0o666)
    store = Database(database)
    assert {mode(file) for file in database.parent.iterdir()} == {0o600}
    assert wal.exists()
    store.close()


@pytest.mark.parametrize(
    "planted",
    [
        "CREATE TRIGGER evil AFTER INSERT ON parts BEGIN"
        " UPDATE jobs SET backend = 'http://127.0.0.1:9/x'; END",
        "DROP TRIGGER job_counted; CREATE TRIGGER job_counted AFTER INSERT ON jobs BEGIN"
        " UPDATE jobs SET backend = 'http://127.0.0.1:9/x'; END",
        "DROP TABLE requests; CREATE VIEW requests AS SELECT * FROM results",
        "PRAGMA user_version = -1",
    ],
    ids=["trigger", "trigger in the place of ours", "view", "negative version"],
)
def test_a_store_that_was_tampered_with_is_damaged(database: Path, planted: str) -> None:
    Database(database).close()
    plain = sqlite3.connect(database)
    plain.executescript(planted)
    plain.close()
    assert "damaged" in refused(database).message


def test_the_file_of_the_store_is_not_trusted(database: Path) -> None:
    store = Database(database)
    with store.read() as connection:
        assert connection.execute("PRAGMA trusted_schema").fetchone() == (0,)
        assert connection.execute("PRAGMA cell_size_check").fetchone() == (1,)
        if sys.version_info >= (3, 12):
            assert connection.getconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE)
    store.close()


def test_a_directory_in_the_way_is_told(database: Path) -> None:
    database.mkdir(parents=True)
    assert "can't be opened" in refused(database).message


def test_a_file_where_the_directory_should_be_is_told(database: Path) -> None:
    database.parent.write_text("in the way")
    assert "can't be opened" in refused(database).message


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_directory_without_write_permission_is_told(database: Path) -> None:
    database.parent.mkdir(mode=0o500)
    assert "can't be opened" in refused(database).message


def test_a_store_locked_by_another_program_is_told(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.05)
    store = Database(database)
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"), store.write():
        pass
    other.execute("ROLLBACK")
    with store.write() as connection:
        connection.execute("INSERT INTO drafts (updated_at, data) VALUES (0, x'')")
    other.close()
    store.close()


def test_a_full_disk_is_told_and_what_was_there_stays(open_jobs: OpenJobs, database: Path) -> None:
    jobs = open_jobs()
    kept = jobs.submit(batch_of("kept"), backend=BACKEND)
    store = jobs._database
    with store.read() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="full"):
        jobs.submit(batch_of("too much", contexts=5_000), backend=BACKEND)
    assert [job.id for job in jobs.page(JobQuery(), 0, 10)] == [kept.id]
    assert jobs.batch(kept.id) == batch_of("kept")


def test_a_store_that_may_only_be_read_is_told(database: Path) -> None:
    store = Database(database)
    with store.read() as connection:
        connection.execute("PRAGMA query_only = ON")
    with (
        pytest.raises(StoreError, match="can't be opened for writing") as caught,
        store.write() as connection,
    ):
        connection.execute("INSERT INTO drafts (updated_at, data) VALUES (0, x'')")
    assert "read-only" in caught.value.hint
    store.close()


def test_processes_that_make_the_store_at_once_agree(database: Path) -> None:
    opened: list[Database] = []
    threads = [threading.Thread(target=lambda: opened.append(Database(database))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 8
    for store in opened:
        store.close()


def test_a_reader_does_not_wait_for_a_writer(database: Path) -> None:
    store = Database(database)
    seen = []
    with store.write() as connection:
        connection.execute("INSERT INTO drafts (updated_at, data) VALUES (0, x'')")

        def look() -> None:
            with store.read() as reading:
                seen.append(reading.execute("SELECT count(*) FROM drafts").fetchone()[0])

        thread = threading.Thread(target=look)
        thread.start()
        thread.join(2)
        assert seen == [0]
    store.close()


def test_the_connection_of_a_thread_ends_with_it(database: Path) -> None:
    store = Database(database)
    before = len(store._connections)

    def look() -> None:
        with store.read() as connection:
            connection.execute("SELECT 1")

    for _ in range(5):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    gc.collect()
    assert len(store._connections) == before
    store.close()


def test_a_closed_store_says_so(database: Path) -> None:
    store = Database(database)
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.version()
    with pytest.raises(StoreError, match="closed"), store.read():
        pass


def test_the_version_changes_with_every_write_of_any_process(open_jobs: OpenJobs) -> None:
    here, there = open_jobs(), open_jobs()
    versions = [here.version()]
    there.submit(batch_of("there"), backend=BACKEND)
    versions.append(here.version())
    here.submit(batch_of("here"), backend=BACKEND)
    versions.append(here.version())
    assert len(set(versions)) == 3
    assert here.version() == versions[-1]


def test_opening_again_finds_everything(open_jobs: OpenJobs) -> None:
    first = open_jobs()
    job = first.submit(batch_of("again"), backend=BACKEND)
    first.close()
    assert open_jobs().job(job.id) == job


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE jobs SET state = 'dreaming'",
        "UPDATE jobs SET created_at = 1e300",
        "UPDATE jobs SET finished_at = -1e300",
        "UPDATE jobs SET total_tokens = 'many'",
        "UPDATE jobs SET label = CAST(x'ff' AS TEXT)",
        "UPDATE requests SET data = 'text'",
        "UPDATE job_counts SET n = 'many'",
        "DROP TABLE requests",
    ],
)
def test_what_makes_no_sense_is_told_as_damage(open_jobs: OpenJobs, change: str) -> None:
    jobs = open_jobs()
    job = jobs.submit(batch_of("query"), backend=BACKEND)
    with jobs._database.write() as connection:
        connection.execute(change)
    with pytest.raises(StoreError, match="damaged"):
        jobs.count(JobQuery())
        jobs.page(JobQuery(), 0, 10)
        jobs.batch(job.id)


@pytest.mark.parametrize("count", ["9223372036854775807", "'zz'", "x'00'", "9e999", "0"])
def test_parts_that_do_not_make_up_their_job_are_told_as_damage(open_jobs: OpenJobs, count: str) -> None:
    jobs = open_jobs()
    job = jobs.submit(batch_of("query"), backend=BACKEND)
    result = msgspec.msgpack.encode(RequestResult(False, error="none"))
    with jobs._database.write() as connection:
        connection.execute(
            "INSERT INTO results (job_id, position, success, data) VALUES (?, 0, 0, ?)", (job.id, result)
        )
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(f"UPDATE parts SET request_count = {count}")
    with pytest.raises(StoreError, match="damaged"):
        jobs.results(job.id)
