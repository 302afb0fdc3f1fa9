"""The app in this process, with a ticker on its loop and keys that are timed until they are drawn."""

import asyncio
import gc
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

from textual import events
from textual.keys import _character_to_key
from textual.widget import Widget

from batchtui import settings
from batchtui.backends import Backends, follow_policy
from batchtui.cli import put_the_screen_first
from batchtui.clock import SystemClock
from batchtui.jobs.service import JobsService
from batchtui.model import Draft
from batchtui.ui.app import BatchtuiApp

from .support import COLUMNS, ROWS, environment_of

TICK = 0.005
PATIENCE = 60.0
BETWEEN_KEYS = 0.06


class Ticker:
    """Notes how late each turn of the event loop comes."""

    def __init__(self) -> None:
        self.worst = 0.0

    async def run(self) -> None:
        """Tick until cancelled."""
        last = time.perf_counter()
        while True:
            await asyncio.sleep(TICK)
            now = time.perf_counter()
            self.worst = max(self.worst, now - last - TICK)
            last = now

    async def during(self, work: Callable[[], Awaitable[object]]) -> float:
        """The longest stall, in milliseconds, while something is done."""
        self.worst = 0.0
        await work()
        return self.worst * 1000


@asynccontextmanager
async def app_at_home(home: Path, draft: Draft) -> AsyncIterator[tuple[BatchtuiApp, Ticker]]:
    """The app without a terminal, with a ticker on its loop."""
    os.environ.update(environment_of(home))
    clock = SystemClock()
    loaded = settings.load("local", {})
    backends = Backends(loaded, clock)
    service = JobsService.open(loaded.locations.database, backends, clock, follow_policy(loaded))
    app = BatchtuiApp(service, backends, loaded, clock, draft)
    ticker = Ticker()
    switching = sys.getswitchinterval()
    put_the_screen_first()
    try:
        async with app.run_test(size=(COLUMNS, ROWS)):
            ticking = asyncio.create_task(ticker.run())
            await asyncio.sleep(1.0)
            yield app, ticker
            ticking.cancel()
    finally:
        gc.unfreeze()
        sys.setswitchinterval(switching)
        await backends.aclose()
        service.close()


async def until(condition: Callable[[], object]) -> None:
    """Wait for something the app does."""
    end = time.perf_counter() + PATIENCE
    while not condition():
        if time.perf_counter() > end:
            raise TimeoutError
        await asyncio.sleep(TICK)


def post_key(app: BatchtuiApp, key: str) -> None:
    """Press a key, a character or one with a name, and wait for nothing."""
    if len(key) == 1:
        app.post_message(events.Key(_character_to_key(key), key))
    else:
        app.post_message(events.Key(key, None))


async def key_latency(app: BatchtuiApp, widget: Widget, attribute: str, keys: Sequence[str]) -> float:
    """Milliseconds from a key until what it changed in the widget has been drawn, the median of all."""
    drawn = asyncio.Event()

    def changed() -> None:
        widget.call_after_refresh(drawn.set)

    app.watch(widget, attribute, changed, init=False)
    times = []
    for key in keys:
        await asyncio.sleep(BETWEEN_KEYS)
        drawn.clear()
        started = time.perf_counter()
        post_key(app, key)
        await asyncio.wait_for(drawn.wait(), PATIENCE)
        times.append((time.perf_counter() - started) * 1000)
    return median(times)
