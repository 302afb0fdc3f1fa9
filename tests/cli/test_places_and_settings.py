"""Where files lie, what the config file may say, and what happens where either is bad."""

import stat
from pathlib import Path

import pytest
from hostile import dangerous_in

from .support import SAMPLE, User

HOSTILE = "\x1b]52;c;ZXZpbA==\x07\u202e\nbatchtui: all is well"


def _places(user: User) -> dict[str, Path]:
    lines = user.run("locate").out.decode().splitlines()
    return {name: Path(path) for name, path in (line.split(maxsplit=1) for line in lines)}


def test_locate_names_every_place_and_makes_none(user: User) -> None:
    places = _places(user)
    assert {"config", "data", "log"} <= set(places)
    assert all(path.is_relative_to(user.home) for path in places.values())
    assert list(user.home.iterdir()) == []


def test_the_xdg_variables_are_honoured(user: User) -> None:
    for name in ("CONFIG", "DATA", "STATE"):
        user.variables[f"XDG_{name}_HOME"] = str(user.home / f"my-{name.lower()}")
    places = _places(user)
    assert places["config"] == user.home / "my-config" / "batchtui" / "config.toml"
    assert places["data"] == user.home / "my-data" / "batchtui" / "batchtui.db"
    assert places["log"].is_relative_to(user.home / "my-state")


def test_a_place_with_a_line_break_in_it_takes_one_line(user: User) -> None:
    user.variables["XDG_DATA_HOME"] = f"{user.home}/d\nlog       {user.home}/forged\x1b[2J"
    printed = user.run("locate").out.decode()
    assert [line.split()[0] for line in printed.splitlines()] == ["config", "data", "emulator", "log"]
    assert dangerous_in(printed) == []


def test_what_is_kept_is_for_this_user_alone(user: User) -> None:
    assert user.run("submit", user.write("sample.json", SAMPLE)).status == 0
    places = _places(user)
    kept = [places["data"], places["log"], *places["data"].parent.iterdir()]
    for path in kept:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert stat.S_IMODE(places["data"].parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("arguments", [["jobs"], ["submit", "sample.json"], ["show", "last"]])
def test_a_data_directory_that_can_not_be_written_is_named(user: User, arguments: list[str]) -> None:
    user.write("sample.json", SAMPLE)
    user.write("a-file", "in the way")
    user.variables["XDG_DATA_HOME"] = str(user.home / "a-file")
    ended = user.run(*arguments)
    assert (ended.status, ended.out) == (2, b"")
    assert "a-file" in ended.err and "Traceback" not in ended.err


def test_a_store_that_is_no_store_is_named_and_left_as_it_is(user: User) -> None:
    place = _places(user)["data"]
    place.parent.mkdir(parents=True)
    place.write_bytes(b"this is a letter to my aunt, and no database " * 100)
    before = place.read_bytes()
    ended = user.run("jobs")
    assert (ended.status, ended.out) == (2, b"")
    assert str(place) in ended.err and "Traceback" not in ended.err
    assert place.read_bytes() == before


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("\nmodel = best\n", ["not TOML", "line 2"]),
        ("modell = '@cf/baai/bge-m3'", ["modell"]),
        ("scorer = 'best'", ["scorer"]),
        ("latency = 'soon'", ["latency"]),
        ("latency = -1", ["latency"]),
        ("calls_per_minute = 0", ["calls_per_minute"]),
        ("token = 'secret-in-a-file'", ["token", "CLOUDFLARE_API_TOKEN"]),
        ("api_token = 'secret-in-a-file'", ["api_token", "CLOUDFLARE_API_TOKEN"]),
        ("backend = 'ftp://example.org'", ["backend"]),
        (b"model = '\xff'", ["UTF-8"]),
    ],
)
def test_a_config_file_that_can_not_be_used_is_named_with_what_is_wrong(
    user: User, config: str | bytes, words: list[str]
) -> None:
    place = user.config_file
    user.write(str(place.relative_to(user.home)), config)
    ended = user.run("jobs")
    assert (ended.status, ended.out) == (2, b"")
    for word in words:
        assert word.lower() in ended.err.lower()
    assert "secret-in-a-file" not in ended.err and "Traceback" not in ended.err


def test_the_config_file_names_the_model_and_a_flag_beats_it(user: User) -> None:
    place = user.config_file
    user.write(str(place.relative_to(user.home)), "model = '@cf/baai/bge-reranker-base'\n")
    name = user.write("passages.csv", "query,context\nq,one\nq,two\n")
    assert user.run("submit", name, "--json").json[0]["model"] == "@cf/baai/bge-reranker-base"
    flagged = user.run("submit", name, "--model", "@cf/baai/bge-m3", "--json").json
    assert flagged[0]["model"] == "@cf/baai/bge-m3"


@pytest.mark.parametrize("url", ["nonsense", "ftp://example.org", "http://", "local/"])
def test_a_backend_that_is_none_is_bad_input(user: User, url: str) -> None:
    ended = user.run("jobs", "--backend", url)
    assert (ended.status, ended.out) == (2, b"")
    assert "Traceback" not in ended.err


def test_credentials_choose_cloudflare_and_the_environment_beats_the_config_file(user: User) -> None:
    name = user.write("sample.json", SAMPLE)
    user.variables["BATCHTUI_BACKEND"] = "cloudflare"
    assert user.run("submit", name).status == 3
    ended = user.run("submit", name, "--backend", "local", "--json")
    assert (ended.status, ended.json[0]["backend"]) == (0, "local")


@pytest.mark.parametrize(
    "arguments", [["--nonsense"], ["submit"], ["show"], ["serve", "--port", "x"], ["a", "b"]]
)
def test_bad_usage_ends_with_2_and_says_how(user: User, arguments: list[str]) -> None:
    ended = user.run(*arguments)
    assert (ended.status, ended.out) == (2, b"")
    assert "usage" in ended.err


@pytest.mark.parametrize(
    "arguments", [["jobs", HOSTILE], ["--" + HOSTILE], ["a", HOSTILE], ["serve", "--port", HOSTILE]]
)
def test_bad_words_are_told_in_one_safe_line(user: User, arguments: list[str]) -> None:
    ended = user.run(*arguments)
    assert ended.status == 2
    assert "]52;c;ZXZpbA==" in ended.err.splitlines()[-1]
    assert dangerous_in(ended.err) == []


def test_an_error_is_one_line_whatever_it_names(user: User) -> None:
    ended = user.run("submit", HOSTILE)
    assert (ended.status, ended.out) == (2, b"")
    assert len(ended.err.splitlines()) == 1
    assert dangerous_in(ended.err) == []


def test_the_app_without_a_terminal_says_which_commands_need_none(user: User) -> None:
    ended = user.run()
    assert (ended.status, ended.out) == (2, b"")
    assert "batchtui submit" in ended.err
    assert list(user.home.iterdir()) == []


def test_help_and_version_are_data(user: User) -> None:
    for arguments in (["--help"], ["submit", "--help"], ["--version"]):
        ended = user.run(*arguments)
        assert (ended.status, ended.err) == (0, "")
        assert b"batchtui" in ended.out
