"""The program as a person meets it: typed by hand, quit, killed, opened again."""

import json
import time
from pathlib import Path

import pytest
from hostile import dangerous_in

from .support import (
    ALTERNATE_SCREEN,
    CTRL_J,
    CTRL_Q,
    CTRL_S,
    CURSOR,
    EMOJI,
    ENTER,
    F2,
    F3,
    F4,
    LLAMA,
    ORANGE,
    QUERY,
    Terminal,
    jobs,
    show_last,
    terminal,
)

SIZES = [(120, 36), (80, 24)]


def _type_the_sample(screen: Terminal) -> None:
    screen.type(ENTER.join([QUERY, ORANGE, LLAMA, EMOJI]))


@pytest.mark.parametrize("size", SIZES)
def test_from_an_empty_home_to_the_ranking_and_back_again(home: Path, size: tuple[int, int]) -> None:
    with terminal(home, size=size) as screen:
        assert "local" in screen.seen
        _type_the_sample(screen)
        screen.until_seen(QUERY, ORANGE, LLAMA, EMOJI)
        screen.type(CTRL_S)
        screen.until_seen("done in", "prompt", "completion", "tokens")
        shown = show_last(home)
        (request,) = shown["requests"]
        assert request["ranking"][0]["text"] == ORANGE
        for row in request["ranking"]:
            screen.until_seen(f"{row['score']:.4f}")
        assert f"{shown['usage']['total_tokens']:,} tokens" in screen.seen

        screen.type(F3)
        screen.until_seen(QUERY)
        screen.type(f"s{CTRL_S}")
        screen.until(lambda: len(jobs(home)) == 2, "the second job")
        screen.until(lambda: jobs(home)[0]["state"] == "done", "its end")
        assert show_last(home)["requests"][0]["query"] == f"{QUERY}s"
        screen.type(CTRL_Q)
        assert screen.until_ended() == 0
        assert screen.last(ALTERNATE_SCREEN) == b"l"
        assert screen.last(CURSOR) == b"h"

    with terminal(home, size=size) as screen:
        screen.type(F3)
        screen.until_seen(f"{QUERY}s", ORANGE)
        screen.type(F2)
        screen.until(lambda: screen.seen.count("✓ done") == 2, "both jobs")
        screen.type(f"j{F4}")
        screen.until_seen(f"“{QUERY}”", "done in")


@pytest.mark.parametrize("size", SIZES)
def test_the_draft_comes_back_after_a_kill_in_the_middle_of_typing(home: Path, size: tuple[int, int]) -> None:
    with terminal(home, size=size) as screen:
        _type_the_sample(screen)
        screen.until_seen(QUERY, ORANGE, LLAMA, EMOJI)
        # All but the last second is promised; this is longer than that on a busy machine.
        time.sleep(1.5)
        screen.type(" and what came too late")
        screen.kill()
    with terminal(home, size=size) as screen:
        screen.until_seen(QUERY, ORANGE, LLAMA, EMOJI)
        screen.type(CTRL_S)
        screen.until_seen("done in")
    assert [row["index"] for row in show_last(home)["requests"][0]["ranking"]] == [0, 1, 2]


@pytest.mark.parametrize(("delay", "size"), [(0.0, SIZES[0]), (0.15, SIZES[1]), (0.6, SIZES[0])])
def test_a_job_comes_back_after_a_kill_right_behind_its_submit(
    home: Path, delay: float, size: tuple[int, int]
) -> None:
    with terminal(home, size=size) as screen:
        _type_the_sample(screen)
        screen.until_seen(QUERY, ORANGE, LLAMA, EMOJI)
        screen.type(CTRL_S)
        screen.until(lambda: jobs(home) != [], "the job to be kept")
        time.sleep(delay)
        screen.kill()
    with terminal(home, size=size) as screen:
        screen.type(F2)
        screen.until(lambda: jobs(home)[0]["state"] in ("done", "unconfirmed"), "the job's end")
        assert len(jobs(home)) == 1
        screen.until(lambda: "✓ done" in screen.seen or "? unconfirmed" in screen.seen, "the job in the list")


def test_no_byte_of_a_text_reaches_the_terminal_as_a_command(home: Path) -> None:
    clipboard, title, clear = "\x1b]52;c;cHduZWQ=\x07", "\x1b]0;pwned\x07", "\x9b2J\x9b31m"
    hostile = f"before {clipboard}{title}{clear}\x1bc\u202e after"
    batch = {
        "requests": [
            {
                "query": f"query {hostile}",
                "contexts": [{"text": f"one {hostile}"}, {"text": "two [/] [@click=app.quit]x[/]"}],
                "external_reference": hostile,
            }
        ]
    }
    (home / "hostile.json").write_text(json.dumps(batch), "utf-8")
    with terminal(home, "hostile.json") as screen:
        screen.until_seen("query before", "one before")
        screen.type(CTRL_S)
        screen.until_seen("done in")
        screen.type(F2)
        screen.type(F4)
        screen.type("j")
        screen.type(CTRL_Q)
        assert screen.until_ended() == 0
        assert "pwned" not in screen.screen.title
        for command in (clipboard, title, clear, "\x1b]52", "\x1b]0;pwned", "\x1bc", "\u202e", "\x9b"):
            assert command.encode() not in screen.written, repr(command)
        assert dangerous_in("".join(screen.screen.display)) == []
    assert show_last(home)["requests"][0]["query"] == f"query {hostile}"


def test_a_line_break_is_typed_with_ctrl_j(home: Path) -> None:
    with terminal(home) as screen:
        screen.type(f"two{CTRL_J}lines{ENTER}a context{ENTER}{CTRL_S}")
        screen.until_seen("done in")
    assert show_last(home)["requests"][0]["query"] == "two\nlines"


def test_a_terminal_of_40_by_10_says_what_is_needed_and_keeps_what_is_typed(home: Path) -> None:
    with terminal(home) as screen:
        screen.type("kept in a small terminal")
        screen.until_seen("kept in a small terminal")
        screen.process.setwinsize(10, 40)
        screen.screen.resize(10, 40)
        screen.until_seen("40×10", "60×16")
        screen.process.setwinsize(36, 120)
        screen.screen.resize(36, 120)
        screen.until_seen("kept in a small terminal", "Results")


def test_standard_input_is_opened_as_a_draft_and_the_keyboard_still_works(home: Path) -> None:
    (home / "batch.jsonl").write_text(json.dumps({"query": QUERY, "contexts": [ORANGE, LLAMA]}), "utf-8")
    with terminal(home, "-", stdin="batch.jsonl") as screen:
        screen.until_seen(QUERY, ORANGE)
        screen.type(f"s{CTRL_S}")
        screen.until_seen("done in")
        screen.type(CTRL_Q)
        assert screen.until_ended() == 0
    assert show_last(home)["requests"][0]["query"] == f"{QUERY}s"
