"""A person at the app: what they press, what they see, and how they wait for it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
from app_run import app_run
from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widgets import Input

from batchtui import settings
from batchtui.backends import Backends, follow_policy
from batchtui.clock import Clock, SystemClock
from batchtui.jobs.search import JobQuery
from batchtui.jobs.service import JobsService
from batchtui.model import DEFAULT_MODEL, Batch, Context, Draft, Job, JobState, Request
from batchtui.ui.app import BatchtuiApp
from batchtui.ui.widgets.text_editor import TextEditor

PATIENCE = 30.0
WIDE, NARROW = (120, 36), (80, 24)
QUERY = "This is a story about Cloudflare"
ORANGE = "This is a story about an orange cloud"
LLAMA = "This is a story about a llama"
EMOJI = "This is a story about a hugging emoji"
SAMPLE = (QUERY, ORANGE, LLAMA, EMOJI)
# What the keys with names of their own stand for.
CHARACTERS = {_character_to_key(character): character for character in map(chr, range(32, 127))}


def request(query: str, *texts: str) -> Request:
    """A request without a reference of its own."""
    return Request(query, tuple(map(Context, texts)))


class Person:
    """Who sits before the app; every wait polls for what is waited for."""

    def __init__(self, pilot: Pilot[None], app: BatchtuiApp) -> None:
        self.pilot = pilot
        self.app = app
        self.service = app.service

    async def press(self, *keys: str) -> None:
        """Press keys, by their Textual names."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Type a text into the field that has the focus, quicker than a pilot does, and wait for it."""
        field = self.app.focused
        assert isinstance(field, TextEditor | Input), field
        wanted = len(field.value) + len(text)
        self.send(*map(_character_to_key, text))
        await self.until(lambda: len(field.value) == wanted, f"for {text!r} in {field.id}")

    def send(self, *keys: str) -> None:
        """Press keys by their Textual names as fast as can be, without waiting for anything."""
        for key in keys:
            self.app.post_message(events.Key(key, CHARACTERS.get(key, key if len(key) == 1 else None)))

    async def paste(self, text: str) -> None:
        """Paste a text into what has the focus."""
        self.app.post_message(events.Paste(text))
        await self.pilot.pause()

    async def compose(self, query: str, *texts: str) -> None:
        """Type a query, Enter, a context, Enter, and so on; the last one stays without its Enter."""
        await self.type(query)
        for text in texts:
            await self.press("enter")
            await self.type(text)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait until the condition holds; where it never does, fail with the screen."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain {what}\n{self.seen}\n{self.told}")
            await asyncio.sleep(0.02)
        await self.pilot.pause()

    async def until_seen(self, *texts: str) -> None:
        """Wait until each text stands on the screen."""
        await self.until(lambda: all(text in self.seen for text in texts), f"for {texts}")

    async def until_focused(self, name: str) -> None:
        """Wait until the widget with this id has the focus."""
        await self.until(lambda: self.app.focused and self.app.focused.id == name, f"for the focus on {name}")

    async def until_ended(self, count: int = 1) -> Job:
        """Wait until there are so many jobs and none is open, and Results shows the newest of them."""
        await self.until(
            lambda: len(self.jobs) == count and not any(job.state.open for job in self.jobs),
            f"for {count} jobs to end",
        )
        newest = self.jobs[0]
        view = self.app.results_pane
        await self.until(
            lambda: view.job_id != newest.id or (view.view and view.view.job.state is newest.state),
            "for Results",
        )
        return newest

    async def submitted(self) -> Job:
        """Submit the draft that is shown, and wait for the ranking."""
        before = len(self.jobs)
        await self.press("ctrl+s")
        job = await self.until_ended(before + 1)
        assert job.state is JobState.DONE, job
        return job

    async def quit(self) -> None:
        """Leave by ctrl+q, and wait until the app has ended."""
        self.send("ctrl+q")
        async with asyncio.timeout(PATIENCE):
            while self.app.is_running:  # noqa: ASYNC110 (the app has no event for it)
                await asyncio.sleep(0.02)

    async def until_told(self, text: str) -> None:
        """Wait until a notice says this."""
        await self.until(lambda: text in self.told, f"for the notice {text!r}")

    @property
    def told(self) -> str:
        """Every notice that is shown, a line each."""
        return "\n".join(f"{notice.title}: {notice.message}" for notice in self.app._notifications)

    @property
    def seen(self) -> str:
        """The screen as text, a line a row."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    def line_with(self, text: str) -> str:
        """The first line of the screen that has a text; empty where there is none."""
        return next((line for line in self.seen.splitlines() if text in line), "")

    @property
    def jobs(self) -> list[Job]:
        """All jobs, newest first."""
        return self.service.page(JobQuery(), 0, 1000)

    @property
    def listed(self) -> list[int]:
        """The numbers of the jobs that the Jobs pane lists, in its order."""
        listed = self.app.jobs_pane.jobs
        found = (listed.job_at(row) for row in range(listed.row_count))
        return [job.id for job in found if job]

    @property
    def batch(self) -> Batch:
        """The draft in the compose pane."""
        return self.app.compose_pane.composition.batch

    @property
    def texts(self) -> list[str]:
        """The contexts of the current request of the draft."""
        return [context.text for context in self.app.compose_pane.composition.request.contexts]

    @property
    def ranked(self) -> list[str]:
        """The texts in Results, best first; empty while there is no ranking."""
        ranking = self.app.results_pane.ranking
        if ranking.request is None or ranking.score_range is None:
            return []
        return [ranking.request.contexts[row.index].text for row in ranking.rows]


@asynccontextmanager
async def at_the_app(
    size: tuple[int, int] = WIDE,
    *,
    backend: str | None = None,
    draft: Draft | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Person]:
    """The app on this user's store, opened and closed as the program does it."""
    clock = clock or SystemClock()
    chosen = msgspec.structs.replace(settings.load(backend), latency=0.0)
    backends = Backends(chosen, clock)
    service = JobsService.open(chosen.locations.database, backends, clock, follow_policy(chosen))
    last = max(service.drafts(), key=lambda kept: kept.updated_at, default=None)
    first = draft or last or Draft(0, Batch((), chosen.model))
    app = BatchtuiApp(service, backends, chosen, clock, first)
    try:
        async with app_run(app, size) as pilot:
            yield Person(pilot, app)
    finally:
        await backends.aclose()
        service.close()


def drafted(*requests: Request, model: str = DEFAULT_MODEL) -> Draft:
    """A new draft of these requests; of the sample where none is given."""
    return Draft(0, Batch(requests or (request(*SAMPLE),), model))


def write_config(text: str) -> None:
    """Put a config file where the program looks for it."""
    place = settings.locate().config_file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, "utf-8")
