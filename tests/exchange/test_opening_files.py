"""Files and streams are opened without ever blocking, or refused with a word on why."""

import io
import os
import socket
import stat
from pathlib import Path

import pytest

from batchtui.exchange.opening import open_path, pasted_path, read_file, read_stream
from batchtui.exchange.reading import InputError, Limits, ReadingCancelledError

LINE = b'{"query": "q", "contexts": ["a"]}\n'


def refusal(path: Path | str, limits: Limits | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        read_file(path, limits=limits or Limits())
    return caught.value


class TestFiles:
    def test_a_file_is_read_by_its_name_and_content(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        path.write_bytes(LINE * 2)
        assert read_file(path).form == "jsonl"
        assert read_file(str(path)).batch.context_count == 2

    def test_a_link_to_a_file_is_followed(self, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_bytes(LINE)
        (tmp_path / "link.jsonl").symlink_to("a.jsonl")
        assert read_file(tmp_path / "link.jsonl").batch.context_count == 1

    def test_the_home_directory_is_expanded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        (tmp_path / "a.jsonl").write_bytes(LINE)
        assert read_file("~/a.jsonl").batch.context_count == 1

    def test_an_error_in_it_names_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        path.write_bytes(LINE + b"{\n")
        assert str(refusal(path)).startswith(f"{path}, line 2, column ")

    def test_a_missing_one(self, tmp_path: Path) -> None:
        error = refusal(tmp_path / "none.json")
        assert "no such file" in error.thing
        assert error.place == str(tmp_path / "none.json")

    def test_a_directory(self, tmp_path: Path) -> None:
        assert "directory" in refusal(tmp_path).thing

    def test_a_pipe_nobody_writes_to_does_not_block(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        error = refusal(tmp_path / "pipe")
        assert "pipe" in error.thing
        assert "standard input" in error.remedy

    def test_a_socket(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("s")
            assert "socket" in refusal("s").thing

    @pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev/tty"])
    def test_devices(self, path: str) -> None:
        assert "device" in refusal(path).thing

    def test_one_that_may_not_be_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "secret.json"
        path.write_bytes(LINE)

        def refuse(*_: object) -> int:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(os, "open", refuse)
        assert "permissions" in refusal(path).remedy

    def test_a_loop_of_links(self, tmp_path: Path) -> None:
        (tmp_path / "a").symlink_to("b")
        (tmp_path / "b").symlink_to("a")
        assert refusal(tmp_path / "a").remedy

    @pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "~no-such-user-at-all/x", "", "a\ud800b"])
    def test_names_that_no_file_can_have(self, path: str) -> None:
        assert refusal(path).remedy

    def test_one_that_is_too_large_is_not_read(self, tmp_path: Path) -> None:
        path = tmp_path / "large.txt"
        path.touch()
        os.truncate(path, 10**12)
        assert "bytes" in refusal(path).thing

    def test_a_hostile_name_is_safe_to_print(self, tmp_path: Path) -> None:
        text = str(refusal(tmp_path / "a\x1b]0;x\x07\u202eb.json"))
        assert text.isprintable()

    def test_reading_stops_when_it_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / "a.txt"
        path.write_bytes(LINE)
        with pytest.raises(ReadingCancelledError):
            open_path(path, cancelled=lambda: True)

    def test_the_file_is_left_as_it_was(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        path.write_bytes(LINE)
        path.chmod(0o400)
        read_file(path)
        assert path.read_bytes() == LINE
        assert stat.S_IMODE(path.stat().st_mode) == 0o400


class TestStreams:
    def test_a_stream_is_read_to_its_end(self) -> None:
        assert read_stream(io.BytesIO(LINE * 3)).batch.context_count == 3

    def test_an_error_names_standard_input(self) -> None:
        with pytest.raises(InputError, match=r"^standard input, line 1"):
            read_stream(io.BytesIO(b'{"oops'), name="standard input")

    def test_an_endless_one_is_refused_at_the_limit(self) -> None:
        with Path("/dev/zero").open("rb") as endless, pytest.raises(InputError, match="bytes"):
            read_stream(endless, limits=Limits(bytes=3_000_000))


class TestPastedPaths:
    def test_the_spellings_of_terminals(self, tmp_path: Path) -> None:
        path = tmp_path / "it's a file.json"
        path.write_bytes(LINE)
        plain = str(path)
        quoted = "'" + plain.replace("'", "'\\''") + "'"
        escaped = plain.replace("'", "\\'").replace(" ", "\\ ")
        url = path.as_uri()
        for spelling in (plain, quoted, escaped, url, f"  {plain} \n"):
            assert pasted_path(spelling) == path

    def test_a_name_with_a_backslash(self, tmp_path: Path) -> None:
        path = tmp_path / "a\\b"
        path.write_bytes(LINE)
        assert pasted_path(str(path)) == path

    @pytest.mark.parametrize(
        "text",
        ["", "no such file", "/", "/tmp", "/dev/null", "'", "a\nb", "x" * 10_000, "file://", "~q/x", "a\0b"],
    )
    def test_anything_else_is_no_path(self, text: str) -> None:
        assert pasted_path(text) is None
