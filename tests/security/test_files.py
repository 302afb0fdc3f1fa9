"""Files of ours are this user's alone, and nothing is written through a link or over another's file."""

import errno
import logging
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchtui import logs
from batchtui.exchange.reading import InputError, Limits, read_batches
from batchtui.files import make_private_directory, private_opener, write_atomically
from batchtui.settings import set_theme

from .support import PROGRAM, database_of, environment

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
SOMEBODY_ELSE = 65_534
DEEP = b"[" * 2000 + b"]" * 2000


@pytest.fixture
def loose_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("batchtui")
    before = list(logger.handlers)
    yield logger
    for handler in set(logger.handlers) - set(before):
        handler.close()
        logger.removeHandler(handler)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def modes_below(directory: Path) -> dict[str, int]:
    return {str(path.relative_to(directory)): mode(path) for path in directory.rglob("*")}


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*PROGRAM, *arguments], env=environment(home), cwd=home, capture_output=True, timeout=60, check=False
    )


def test_all_that_a_command_makes_is_private_under_a_loose_umask(tmp_path: Path, loose_umask: None) -> None:
    batch = tmp_path / "batch.json"
    batch.write_text('{"query": "q", "contexts": ["a", "b"]}')
    done = run(tmp_path, "submit", str(batch))
    assert done.returncode == 0, done.stderr
    batch.unlink()
    found = modes_below(tmp_path)
    assert {name.rpartition("/")[2] for name in found} >= {"batchtui.db", "emulator.db", "batchtui.log"}
    for name, bits in found.items():
        assert bits == (0o700 if (tmp_path / name).is_dir() else 0o600), (name, oct(bits))


def test_an_atomic_write_is_private_and_leaves_nothing_beside_it(tmp_path: Path, loose_umask: None) -> None:
    path = tmp_path / ("n" * 255)
    path.write_bytes(b"before")
    path.chmod(0o644)
    write_atomically(path, b"after")
    assert (path.read_bytes(), mode(path), list(tmp_path.iterdir())) == (b"after", 0o600, [path])


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"after")
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"before", [path])


def test_nothing_is_written_through_a_link_nor_is_a_symbolic_one_replaced(tmp_path: Path) -> None:
    target, link, dangling = tmp_path / "target", tmp_path / "link", tmp_path / "dangling"
    target.write_bytes(b"theirs")
    link.symlink_to(target)
    dangling.symlink_to(tmp_path / "nowhere")
    for path in (link, dangling):
        with pytest.raises(OSError, match="symbolic link") as caught:
            write_atomically(path, b"ours")
        assert caught.value.errno == errno.ELOOP
        with pytest.raises(OSError):
            os.close(private_opener(str(path), os.O_WRONLY | os.O_CREAT))
        assert path.is_symlink()
    other_name = tmp_path / "other name"
    other_name.hardlink_to(target)
    with pytest.raises(OSError, match="hard link"):
        os.close(private_opener(str(other_name), os.O_WRONLY))
    assert target.read_bytes() == b"theirs"
    assert not (tmp_path / "nowhere").exists()


def test_a_pipe_or_a_device_is_neither_replaced_nor_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/null")):
        with pytest.raises(OSError, match="no plain file"):
            write_atomically(path, b"x")
        with pytest.raises(OSError):
            os.close(private_opener(str(path), os.O_WRONLY))
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert Path("/dev/null").is_char_device()


@AS_ROOT
def test_files_and_directories_of_another_user_are_told(tmp_path: Path) -> None:
    directory, file = tmp_path / "directory", tmp_path / "file"
    directory.mkdir()
    file.write_bytes(b"theirs")
    for path in (directory, file):
        os.chown(path, SOMEBODY_ELSE, SOMEBODY_ELSE)
    with pytest.raises(PermissionError, match="another user"):
        make_private_directory(directory)
    with pytest.raises(PermissionError, match="another user"):
        write_atomically(file, b"ours")
    with pytest.raises(PermissionError, match="another user"):
        os.close(private_opener(str(file), os.O_WRONLY))
    assert file.read_bytes() == b"theirs"


@AS_ROOT
def test_a_directory_that_another_user_could_exchange_is_told(tmp_path: Path) -> None:
    link, shared = tmp_path / "link", tmp_path / "shared"
    own = tmp_path / "own"
    own.mkdir(mode=0o755)
    link.symlink_to(own)
    os.chown(link, SOMEBODY_ELSE, SOMEBODY_ELSE, follow_symlinks=False)
    with pytest.raises(PermissionError, match="another user") as caught:
        make_private_directory(link)
    assert (caught.value.filename, mode(own)) == (str(link), 0o755)
    (shared / "batchtui").mkdir(parents=True)
    os.chown(shared, SOMEBODY_ELSE, SOMEBODY_ELSE)
    shared.chmod(0o777)
    with pytest.raises(PermissionError, match="another user") as caught:
        make_private_directory(shared / "batchtui")
    assert caught.value.filename == str(shared)


@AS_ROOT
@pytest.mark.parametrize(("owner", "bits"), [(SOMEBODY_ELSE, 0o1777), (SOMEBODY_ELSE, 0o755), (0, 0o777)])
def test_a_directory_in_an_ordinary_place_is_taken(tmp_path: Path, owner: int, bits: int) -> None:
    os.chown(tmp_path, owner, owner)
    tmp_path.chmod(bits)
    make_private_directory(tmp_path / "home" / "batchtui")
    assert mode(tmp_path / "home") == mode(tmp_path / "home" / "batchtui") == 0o700


@AS_ROOT
@pytest.mark.parametrize("foreign", ["directory", "file"])
def test_a_store_of_another_user_is_told_and_left_alone(tmp_path: Path, foreign: str) -> None:
    assert run(tmp_path, "jobs").returncode == 0
    database = database_of(tmp_path)
    path = database if foreign == "file" else database.parent
    os.chown(path, SOMEBODY_ELSE, SOMEBODY_ELSE)
    before = database.stat().st_mode
    done = run(tmp_path, "jobs")
    assert done.returncode == 2
    assert b"another user" in done.stderr
    assert str(path).encode() in done.stderr
    assert database.stat().st_mode == before


def test_a_symbolic_link_in_the_place_of_the_store_is_told(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    database.parent.mkdir(parents=True)
    target = tmp_path / "target"
    target.write_bytes(b"theirs")
    database.symlink_to(target)
    done = run(tmp_path, "jobs")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"symbolic link" in done.stderr
    assert target.read_bytes() == b"theirs"


def test_a_symbolic_link_in_the_place_of_the_emulators_queue_is_told(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"")
    database = database_of(tmp_path)
    database.parent.mkdir(parents=True)
    (database.parent / "serve-lexical.db").symlink_to(target)
    done = run(tmp_path, "serve", "--port", "0")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"symbolic link" in done.stderr
    assert target.read_bytes() == b""


def test_a_data_directory_that_others_could_read_becomes_private(tmp_path: Path) -> None:
    directory = database_of(tmp_path).parent
    directory.mkdir(parents=True)
    directory.chmod(0o755)
    assert run(tmp_path, "jobs").returncode == 0
    assert mode(directory) == 0o700


def test_the_log_is_private_again_and_safe_to_read(tmp_path: Path, logger: logging.Logger) -> None:
    log = tmp_path / "log" / "batchtui.log"
    log.parent.mkdir()
    log.write_text("before\n")
    log.chmod(0o644)
    logs.start(log)
    logger.error("a \x1b]52;c;eA==\x07 and \u202e of %s", "\x9b2J")
    written = log.read_text()
    assert written.startswith("before\n")
    assert "␛]52" in written
    assert not set("\x1b\x07\u202e\x9b") & set(written)
    assert (mode(log), mode(log.parent)) == (0o600, 0o700)


def test_a_log_that_turns_over_stays_private(
    tmp_path: Path, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch, loose_umask: None
) -> None:
    monkeypatch.setattr(logs, "LARGEST", 500)
    logs.start(tmp_path / "log" / "batchtui.log")
    for number in range(30):
        logger.error("line %d", number)
    assert set(modes_below(tmp_path / "log").values()) == {0o600}
    assert len(modes_below(tmp_path / "log")) == 1 + logs.KEPT


def test_a_log_behind_a_symbolic_link_is_told_and_not_written(
    tmp_path: Path, logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    target, log = tmp_path / "target", tmp_path / "batchtui.log"
    target.write_text("theirs")
    log.symlink_to(target)
    logs.start(log)
    logger.error("ours")
    assert target.read_text() == "theirs"
    assert str(log) in capsys.readouterr().err


def test_the_config_file_is_written_private_with_its_comments(tmp_path: Path, loose_umask: None) -> None:
    config = tmp_path / "config" / "config.toml"
    set_theme(config, "nord")
    config.write_text("# mine\n" + config.read_text())
    set_theme(config, "dracula")
    assert config.read_text() == '# mine\ntheme = "dracula"\n'
    assert (mode(config), mode(config.parent)) == (0o600, 0o700)


@pytest.mark.parametrize(
    ("data", "limits", "word"),
    [
        (b"x" * 1001, Limits(bytes=1000), "1,000"),
        (b'{"query": "q", "contexts": ["a"], "x": ' + DEEP + b"}", Limits(), "nested"),
        (b'{"query": "q", "contexts": ["a", "b", "c"]}', Limits(contexts=2), "more than 2"),
        (b"query,context\n" + b"q,c\n" * 3, Limits(contexts=2), "more than 2"),
        (b"one\ntwo\nthree\n", Limits(contexts=2), "more than 2"),
    ],
    ids=["bytes", "depth", "contexts of JSON", "contexts of a table", "lines"],
)
def test_an_input_over_a_limit_is_refused_with_the_limit(data: bytes, limits: Limits, word: str) -> None:
    with pytest.raises(InputError) as caught:
        read_batches(data, name="x", limits=limits)
    assert word in str(caught.value)
    assert caught.value.remedy
