"""No hostile text crashes a screen or reaches one as a terminal would obey it; fast, without a terminal.

A list holds all of them at once; where each needs a screen of its own, a share of each family has one, and
all of them with BATCHTUI_EXHAUSTIVE=1.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from app_run import app_run
from hostile import dangerous_in, hostile_strings
from textual import events
from textual.pilot import Pilot
from textual.screen import Screen

from batchtui import settings
from batchtui.backends import Backends
from batchtui.clock import SystemClock
from batchtui.comparison import compare
from batchtui.exchange.ranked import ranked_job
from batchtui.jobs.service import JobsService
from batchtui.model import Batch, Context, Draft, Request
from batchtui.ui.app import BatchtuiApp
from batchtui.ui.compare_screen import CompareScreen
from batchtui.ui.open_screen import OpenScreen
from batchtui.ui.request_list import RequestsScreen
from batchtui.ui.results_view import load_view
from batchtui.ui.widgets.choice_screen import ChoiceScreen
from batchtui.ui.widgets.progress_screen import ProgressScreen
from batchtui.ui.widgets.prompt_screen import PromptScreen
from batchtui.ui.widgets.text_screen import TextScreen

from .support import EXHAUSTIVE, LONG, batch_with, fill, opened, sample, sendable, set_environment

# What is long is cut here, so that each of many places is drawn in moments; whole ones have their own test.
SHORT = [(name, text[:LONG]) for name, text in hostile_strings()]
ONE_BY_ONE = sample(SHORT, 20)
WHOLE = sample([(name, text) for name, text in hostile_strings() if len(text) > LONG], 2)
SIZE = (150, 40)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    set_environment(monkeypatch, tmp_path)
    return tmp_path


@pytest.fixture
def service(home: Path) -> Iterator[JobsService]:
    service = opened(home)
    yield service
    service.close()


def app_on(service: JobsService) -> BatchtuiApp:
    loaded, clock = settings.load(), SystemClock()
    return BatchtuiApp(service, Backends(loaded, clock), loaded, clock, Draft(0, Batch(())))


def check(screen: Screen[Any], what: str) -> None:
    """What every cell of the screen shows, its links, and the words that wait in tooltips."""
    for strip in screen._compositor.render_strips():
        assert dangerous_in(strip.text, own="") == [], (what, strip.text)
        assert not any(segment.style and segment.style.link for segment in strip), what
    for widget in screen.query("*"):
        tooltip = getattr(widget, "tooltip", None)
        assert dangerous_in(str(tooltip or "")) == [], (what, widget)


async def look_through(pilot: Pilot[None], screen: Screen[Any], rows: int, what: str) -> None:
    """Every page of the list that has the focus."""
    for _ in range(rows // 10 + 2):
        await pilot.pause()
        check(screen, what)
        await pilot.press("pagedown")


async def test_every_field_of_a_draft(service: JobsService) -> None:
    app = app_on(service)
    async with app_run(app, SIZE) as pilot:
        for name, text in ONE_BY_ONE:
            batch = batch_with(text)
            app.draft_actions.keeper.follow(Draft(0, batch, text))
            app.compose_pane.load(Draft(0, batch, text, text))
            app.refresh_header()
            await pilot.pause()
            check(app.screen, name)
            assert app.compose_pane.finish().requests[0].contexts[0].text == (text or "c")
            assert app.draft_actions.current().unfinished == text


async def test_texts_of_a_megabyte(service: JobsService) -> None:
    app = app_on(service)
    async with app_run(app, SIZE) as pilot:
        for name, text in WHOLE:
            app.compose_pane.load(Draft(0, Batch((Request(text, (Context(text),)),)), text[:LONG], text))
            await pilot.pause()
            check(app.screen, name)
            assert app.compose_pane.finish().requests[0].query == text


async def test_a_paste_into_every_field(service: JobsService) -> None:
    app = app_on(service)
    async with app_run(app, SIZE) as pilot:
        for name, text in ONE_BY_ONE:
            for field in ("query", "editor"):
                app.compose_pane.load(Draft(0, Batch(())))
                app.query_one(f"#{field}").focus()
                app.post_message(events.Paste(text))
                await pilot.pause()
                check(app.screen, f"{name} in {field}")
                while isinstance(app.screen, ChoiceScreen):
                    app.screen.dismiss(None)
                    await pilot.pause()
            app.action_focus_pane("jobs")
            app.jobs_pane.action_find()
            app.post_message(events.Paste(text))
            await pilot.pause()
            check(app.screen, f"{name} in the filter")
            app.jobs_pane.action_leave_find()


async def test_keys_of_any_character(service: JobsService) -> None:
    characters = sorted({character for _, text in SHORT for character in text})
    app = app_on(service)
    async with app_run(app, SIZE) as pilot:
        for start in range(0, len(characters), 40):
            typed = [character for character in characters[start : start + 40] if character >= " "]
            for field in ("query", "editor"):
                app.compose_pane.load(Draft(0, Batch(())))
                app.query_one(f"#{field}").focus()
                for character in [*typed, *"e\u0301\u0302\u0303\u0304\u0305\u0306"]:
                    app.post_message(events.Key("character", character))
                await _typed(app, pilot)
                check(app.screen, f"{typed!a} in {field}")
            app.action_focus_pane("jobs")
            app.jobs_pane.action_find()
            for character in [*typed, *"e\u0301\u0302\u0303\u0304\u0305\u0306"]:
                app.post_message(events.Key("character", character))
            await _typed(app, pilot)
            check(app.screen, f"{typed!a} in the filter")
            app.jobs_pane.action_leave_find()


async def _typed(app: BatchtuiApp, pilot: Pilot[None]) -> None:
    await pilot.pause()
    while app._typed:
        await pilot.pause(0.01)
    await pilot.pause()


async def test_notices_and_their_titles(service: JobsService) -> None:
    app = app_on(service)
    async with app_run(app, SIZE) as pilot:
        for name, text in ONE_BY_ONE:
            app.clear_notifications()
            app.tell(text, title=text, severe=True)
            app.tell("title only", title=text)
            await pilot.pause()
            check(app.screen, name)


async def test_what_a_job_shows_everywhere(home: Path) -> None:
    service, refused = opened(home), opened(home, refuses=True)
    try:
        await fill(service, (text for _, text in ONE_BY_ONE))
        await fill(refused, (text for _, text in ONE_BY_ONE))
        app = app_on(service)
        async with app_run(app, SIZE) as pilot:
            app.action_focus_pane("jobs")
            await look_through(pilot, app.screen, service.count(), "the list of jobs")
            for job in service.page(offset=0, limit=10_000, query=app.jobs_pane.jobs.filter):
                for request_index in (0, 1):
                    app.results_pane._show(load_view(service, job.id, request_index))
                    await pilot.pause()
                    check(app.screen, f"{job.label!a} of job {job.id}, {job.state}")
                app.job_actions.run("raw", [job])
                await pilot.pause()
                check(app.screen, f"{job.label!a}, raw")
                if isinstance(app.screen, TextScreen):
                    app.screen.dismiss(None)
                for what in ("label", "note", "copy"):
                    app.job_actions.run(what, [job])
                    await pilot.pause()
                    check(app.screen, f"{job.label!a}, {what}")
                    app.pop_screen()
    finally:
        service.close()
        refused.close()


async def test_overview_and_comparison(service: JobsService) -> None:
    texts = [sendable(text) for _, text in SHORT]
    contexts = tuple(Context(text or "empty", text) for text in texts)
    requests = [Request(text if text.strip() else "q", contexts[:2], text) for text in texts]
    requests.append(Request("all", contexts))
    jobs = [service.submit(Batch(tuple(requests)), backend="http://x") for _ in range(2)]
    ranked = [ranked_job(job, service.batch(job.id), None, None) for job in jobs]
    app = app_on(service)
    async with app_run(app, SIZE) as pilot:
        for screen in (RequestsScreen(ranked[0], 0), CompareScreen(compare(ranked), app.job_actions)):
            app.push_screen(screen)
            await pilot.pause()
            await look_through(pilot, screen, len(requests), type(screen).__name__)
            if isinstance(screen, CompareScreen):
                await pilot.press("tab")
                await look_through(pilot, screen, len(contexts), "the compared contexts")
            app.pop_screen()


async def test_dialogs(service: JobsService) -> None:
    app = app_on(service)
    async with app_run(app, SIZE) as pilot:
        answers = [(text, text) for _, text in SHORT]
        choice = ChoiceScreen("Choice", "", answers)
        app.push_screen(choice)
        await look_through(pilot, choice, len(answers), "answers")
        app.pop_screen()
        for name, text in ONE_BY_ONE:
            for screen in (
                ChoiceScreen(text, text, [(text, text)]),
                PromptScreen(text, text, text),
                TextScreen(text, text),
                ProgressScreen(text),
            ):
                app.push_screen(screen)
                await pilot.pause()
                check(screen, f"{name} in {type(screen).__name__}")
                app.pop_screen()


async def test_names_of_files_and_directories(service: JobsService, tmp_path: Path) -> None:
    root = tmp_path / "picked"
    names = 0
    for number, (_, text) in enumerate(SHORT):
        name = text.replace("/", "∕").replace("\0", "")[:60]
        try:
            (root / str(number) / name).mkdir(parents=True)
            (root / f"{name} {number}").write_text("x")
        except (OSError, UnicodeEncodeError):
            continue
        names += 1
    assert names > 300
    app = app_on(service)
    async with app_run(app, SIZE) as pilot:
        screen = OpenScreen(root)
        app.push_screen(screen)
        await pilot.pause()
        await pilot.press("tab")
        await look_through(pilot, screen, 2 * names, "files")
        for number in range(0, len(SHORT), 1 if EXHAUSTIVE else 6):
            for directory in (root / str(number)).glob("*"):
                screen._list(directory)
                await pilot.pause()
                check(screen, f"{directory.name!a}")
                app.draft_actions.read(directory)
                await asyncio.sleep(0)
            app.clear_notifications()
