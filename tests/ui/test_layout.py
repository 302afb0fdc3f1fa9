"""Sizes, tabs, keys of one's own, themes, help: what the screen looks like and how one gets about."""

import pytest
from hostile import dangerous_in
from textual.screen import Screen
from textual.widgets import OptionList

from batchtui.settings import SettingsError, load, locate
from batchtui.ui.keymap import check_keys, remappable

from .support import LLAMA, NARROW, ORANGE, WIDE, at_the_app, drafted, write_config

PANES = ("Jobs", "Compose", "Results")


@pytest.mark.parametrize("size", [(120, 36), (180, 50), (240, 60)])
async def test_all_three_panes_are_seen_from_120_columns_on(size: tuple[int, int]) -> None:
    async with at_the_app(size) as person:
        for name in PANES:
            assert f"─ {name} ─" in person.seen


@pytest.mark.parametrize("size", [(80, 24), (119, 40), (60, 16)])
async def test_below_120_columns_one_pane_at_a_time_is_shown_by_f2_f3_f4(size: tuple[int, int]) -> None:
    async with at_the_app(size, draft=drafted()) as person:
        for key, marks in (
            ("f2", ["No job yet"]),
            ("f3", ["Query", ORANGE[:20]]),
            ("f4", ["Nothing to show yet"]),
        ):
            await person.press(key)
            await person.until_seen(*PANES, *marks)
        assert "Query" not in person.seen


@pytest.mark.parametrize("size", [(80, 24), (60, 16)])
async def test_nothing_that_matters_is_cut_away_in_a_narrow_terminal(size: tuple[int, int]) -> None:
    async with at_the_app(size, draft=drafted()) as person:
        await person.submitted()
        await person.press("f4", "3")
        await person.until_seen("done in", "tokens", "0.9072", "This is", "nDCG@10 1.00")
        await person.press("f2")
        await person.until(lambda: "done" in person.line_with("✓"))
        row = person.line_with("✓")
        assert "1.00" in row and "1×3" in row
        await person.press("f3")
        await person.until_seen("request 1/1", "3 contexts", LLAMA[:20])


async def test_the_pane_shown_and_all_texts_survive_a_change_of_size() -> None:
    async with at_the_app(WIDE, draft=drafted()) as person:
        await person.submitted()
        await person.press("f4", "j")
        await person.pilot.resize_terminal(*NARROW)
        await person.until_seen("done in")
        await person.until_focused("ranking")
        assert person.app.results_pane.ranking.cursor == 1
        await person.pilot.resize_terminal(200, 50)
        await person.until_seen(*(f"─ {name} ─" for name in PANES))
        await person.until_focused("ranking")
        assert person.app.results_pane.ranking.cursor == 1
        assert person.texts[0] == ORANGE


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_the_columns_of_a_ranking_read_while_it_was_hidden_are_named(size: tuple[int, int]) -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.submitted()
    async with at_the_app(NARROW) as person:
        await person.until(lambda: person.ranked)
        await person.pilot.resize_terminal(*size)
        await person.press("f4")
        await person.until(
            lambda: all(word in person.line_with("score ") for word in ("#", "sent", "context")),
            "for the heading",
        )


async def test_ctrl_c_says_how_to_quit_and_leaves_the_app_open() -> None:
    async with at_the_app() as person:
        await person.press("ctrl+c")
        await person.until_told("ctrl+q")
        await person.type("still here")


async def test_tab_and_shift_tab_go_round_the_fields() -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.until_focused("query")
        seen = []
        for _ in range(8):
            await person.press("tab")
            assert person.app.focused is not None
            seen.append(person.app.focused.id)
        assert {"query", "context-list", "editor", "job-list", "ranking"} <= set(seen)
        await person.press(*["shift+tab"] * 8)
        await person.until_focused("query")


async def test_a_key_of_ones_own_does_what_the_old_one_did() -> None:
    write_config('[keys]\nsubmit = "ctrl+t"\n"jobs.delete" = "z"\n')
    async with at_the_app(draft=drafted()) as person:
        await person.press("ctrl+s")
        await person.press("ctrl+t")
        await person.until(lambda: len(person.jobs) == 1)
        await person.until_ended()
        await person.press("f2", "d")
        assert person.listed == [1]
        await person.press("z")
        await person.until(lambda: person.listed == [])
        await person.press("f1")
        await person.until_seen("z", "Delete")


def test_a_key_for_what_has_none_is_refused_with_the_names_there_are() -> None:
    write_config('[keys]\nlaunch = "ctrl+t"\n')
    with pytest.raises(SettingsError, match=r"launch.*submit"):
        check_keys(load().keys, str(locate().config_file))


@pytest.mark.parametrize(
    "key",
    [
        "",
        ",",
        "ctrl+",
        "ctrl+s,",
        "ctrl+spacebar",
        "hyperspace+a",
        "a\nb",
        "x" * 1000,
        "\u202e",
        "\u200b",
        "\x85",
    ]
    + [
        "\x1b]52;c;ZXZpbA==\x07",
        "ctrl+\x1b[2J",
        "upper_\x1b[2J",
        "zero_width_space",
        "[@click=app.quit]x[/]",
    ],
)
def test_what_is_no_key_is_refused_and_named_safely(key: str) -> None:
    with pytest.raises(
        SettingsError, match=r"config\.toml: \[keys\] help: '.*' is no key; a key is"
    ) as refused:
        check_keys({"submit": "ctrl+g", "help": key}, "config.toml")
    assert dangerous_in(str(refused.value)) == []
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "keys",
    [
        "?",
        "+",
        "ö",
        "ctrl+g",
        "alt+ü",
        "f12, ctrl+shift+left",
        "slash,comma,plus,minus",
        "kp_begin",
        "section_sign",
    ],
)
def test_what_a_terminal_can_send_is_a_key(keys: str) -> None:
    check_keys({"help": keys}, "config.toml")


def test_the_keys_that_are_given_to_begin_with_are_keys() -> None:
    check_keys({str(binding.id): binding.key for binding in remappable()}, "config.toml")


async def test_no_word_on_a_key_is_long_or_hostile() -> None:
    async with at_the_app() as person:
        person.app.set_keymap({"help": "ctrl+\x1b]52;c;ZXZpbA==\x07" + "x" * 1000})
        await person.until_seen("Submit", "New", "Open", "^␛]52;c")
        assert dangerous_in(person.seen) == []


async def test_the_theme_of_the_config_file_is_the_one_of_the_screen() -> None:
    write_config('theme = "nord"\n')
    async with at_the_app() as person:
        assert person.app.theme == "nord"


async def test_an_unknown_theme_is_no_reason_not_to_start() -> None:
    write_config('theme = "nobody-has-this"\n')
    async with at_the_app() as person:
        assert person.app.theme in person.app.available_themes


@pytest.mark.parametrize(("pane", "words"), [("f2", "In Jobs"), ("f3", "In Compose"), ("f4", "In Results")])
async def test_help_is_on_the_focused_part_and_is_left_by_escape(pane: str, words: str) -> None:
    async with at_the_app() as person:
        await person.press(pane, "f1")
        await person.until_seen("Help", words)
        await person.press("escape")
        await person.until_seen("Compose")
        assert "In Jobs" not in person.seen


async def test_a_question_mark_is_a_letter_in_a_field_and_help_in_a_list() -> None:
    async with at_the_app() as person:
        await person.type("how?")
        assert person.batch.requests[0].query == "how?"
        await person.press("f2", "question_mark")
        await person.until_seen("In Jobs")


async def test_the_palette_finds_a_command() -> None:
    async with at_the_app() as person:
        await person.press("ctrl+p")
        await person.until(lambda: "CommandPalette" in type(person.app.screen).__name__)
        await person.type("add request")
        await person.until_seen("Add request")
        await person.press("enter")
        await person.until(lambda: len(person.batch.requests) == 2)


async def test_keys_of_the_app_rest_while_a_dialog_is_open() -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.press("ctrl+o")
        await person.until_focused("path")
        await person.press("ctrl+s", "ctrl+n", "f2")
        assert person.jobs == []
        await person.press("escape")
        await person.until_focused("query")
        assert person.texts[0] == ORANGE


async def test_the_model_of_the_draft_is_chosen() -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.press("f6")
        await person.until_seen("Model", "bge-reranker-base")
        while "bge-reranker-base" not in _highlighted(person.app.screen):
            await person.press("j")
        await person.press("enter")
        await person.until_seen("top_k")
        await person.type("2")
        await person.press("enter")
        await person.until(lambda: person.batch.model == "@cf/baai/bge-reranker-base")
        await person.until(lambda: "bge-reranker-base" in person.line_with("batchtui"))
        job = await person.submitted()
        assert job.model == "@cf/baai/bge-reranker-base"
        assert person.service.batch(1).top_k == 2
        assert person.ranked[0] == ORANGE


def _highlighted(screen: Screen[object]) -> str:
    options = screen.query_one(OptionList)
    return str(options.highlighted_option.prompt) if options.highlighted_option else ""
