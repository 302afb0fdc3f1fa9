"""Pastes and files: what they are is seen, what they can't be is told."""

import json
from pathlib import Path

import pytest

from .support import EMOJI, LLAMA, ORANGE, QUERY, Person, at_the_app

BODY = {"requests": [{"query": QUERY, "contexts": [{"text": ORANGE}, {"text": LLAMA}]}]}
LINES = "red lorry\nyellow lorry\ngreen lorry"
CURL = (
    "curl https://api.cloudflare.com/client/v4/accounts/abc/ai/run/@cf/baai/bge-m3?queueRequest=true "
    f"-H 'Authorization: Bearer hidden' -d '{json.dumps(BODY)}'"
)


async def _editor(person: Person) -> None:
    await person.type("lorries")
    await person.press("enter")
    await person.until_focused("editor")


@pytest.mark.parametrize(
    ("downs", "texts"), [(0, LINES.split("\n")), (1, [])], ids=["the likeliest first: by line", "as one"]
)
async def test_a_paste_of_many_lines_offers_how_they_come_in(downs: int, texts: list[str]) -> None:
    async with at_the_app() as person:
        await _editor(person)
        await person.paste(LINES)
        await person.until_seen("How shall they come in", "by line", "as one context")
        await person.press(*["down"] * downs, "enter")
        await person.until(lambda: person.texts == texts)
        await person.until(lambda: person.app.compose_pane.unfinished == ("" if texts else LINES))


async def test_escape_leaves_a_paste_out() -> None:
    async with at_the_app() as person:
        await _editor(person)
        await person.paste(LINES)
        await person.until_seen("How shall they come in")
        await person.press("escape")
        await person.until_focused("editor")
        assert (person.texts, person.app.compose_pane.unfinished) == ([], "")


async def test_a_paste_of_one_line_goes_where_the_cursor_is() -> None:
    async with at_the_app() as person:
        await _editor(person)
        await person.paste("just a line")
        await person.until(lambda: person.app.compose_pane.unfinished == "just a line")


@pytest.mark.parametrize("pasted", [json.dumps(BODY), json.dumps(BODY, indent=2), CURL])
async def test_json_or_a_curl_command_pasted_into_an_empty_draft_opens_it(pasted: str) -> None:
    async with at_the_app() as person:
        await person.paste(pasted)
        await person.until(lambda: person.texts == [ORANGE, LLAMA])
        assert person.batch.requests[0].query == QUERY
        assert "hidden" not in person.seen + person.told


async def test_a_file_is_opened_by_its_path_after_a_look_at_it(home: Path) -> None:
    (home / "batch.json").write_text(json.dumps(BODY), "utf-8")
    async with at_the_app() as person:
        await person.press("ctrl+o")
        await person.until_focused("path")
        await person.until_seen("batch.json")
        await person.type("batch.json")
        await person.press("enter")
        await person.until_seen("1 request, 2 contexts", QUERY)
        await person.press("enter")
        await person.until(lambda: person.texts == [ORANGE, LLAMA])
        await person.until_focused("query")


async def test_a_file_is_picked_from_the_list(home: Path) -> None:
    (home / "folder").mkdir()
    (home / "folder" / "batch.jsonl").write_text(
        json.dumps({"query": QUERY, "contexts": [EMOJI]}) + "\n", "utf-8"
    )
    async with at_the_app() as person:
        await person.press("ctrl+o", "tab", "j")
        await person.until_focused("files")
        while (
            "folder/"
            not in person.app.screen.query_one("#files")
            .row_content(  # type: ignore[attr-defined]
                person.app.screen.query_one("#files").cursor,  # type: ignore[attr-defined]
                40,
            )
            .plain
        ):
            await person.press("j")
        await person.press("enter")
        await person.until_seen("batch.jsonl")
        await person.press("j", "enter")
        await person.until_seen("1 request, 1 context")
        await person.press("enter")
        await person.until(lambda: person.texts == [EMOJI])


async def test_a_text_file_gives_contexts_to_the_query_that_is_there(home: Path) -> None:
    (home / "passages.txt").write_text(f"{ORANGE}\n{LLAMA}\n", "utf-8")
    async with at_the_app() as person:
        await person.type("my query")
        await person.press("ctrl+o")
        await person.until_focused("path")
        await person.type("passages.txt")
        await person.press("enter")
        await person.until_seen("Add its contexts here")
        await person.press("down", "enter")
        await person.until(lambda: person.texts == [ORANGE, LLAMA])
        assert person.batch.requests[0].query == "my query"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"query": "q", "contexts": ["a"]}\n{"query": "q", "contexts": 7}\n', "line 2"),
        (b'{"requests": [', "Not opened"),
        (b"", "Not opened"),
    ],
)
async def test_a_file_that_can_not_be_read_is_told_and_the_draft_stays(
    home: Path, content: bytes, told: str
) -> None:
    (home / "bad.jsonl").write_bytes(content)
    async with at_the_app() as person:
        await person.type("my query")
        await person.press("ctrl+o")
        await person.until_focused("path")
        await person.type("bad.jsonl")
        await person.press("enter")
        await person.until_told("Not opened")
        assert told in person.told and "bad.jsonl" in person.told
        assert person.batch.requests[0].query == "my query"


async def test_a_file_that_is_not_there_is_told() -> None:
    async with at_the_app() as person:
        await person.press("ctrl+o")
        await person.until_focused("path")
        await person.type("nothing-here.json")
        await person.press("enter")
        await person.until_told("nothing-here.json")


async def test_the_path_of_a_file_dropped_on_an_empty_draft_opens_it(home: Path) -> None:
    path = home / "dropped file.json"
    path.write_text(json.dumps(BODY), "utf-8")
    async with at_the_app() as person:
        await person.paste(f"'{path}'")
        await person.until_seen("1 request, 2 contexts")
        await person.press("enter")
        await person.until(lambda: person.texts == [ORANGE, LLAMA])


async def test_a_text_is_edited_in_the_editor_of_the_person_or_none_is_told() -> None:
    async with at_the_app() as person:
        await person.type("kept as it is")
        await person.press("ctrl+e")
        await person.until_told("$EDITOR")
        assert person.batch.requests[0].query == "kept as it is"
