"""The app run in this process and ended as the program ends it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from batchtui.ui.app import BatchtuiApp

PATIENCE = 30.0


@asynccontextmanager
async def app_run(app: BatchtuiApp, size: tuple[int, int]) -> AsyncIterator[Pilot[None]]:
    """The app at its first paint; at the end its loop ends before its screen is taken down.

    `run_test` alone takes the screen down under the loop, and what the follower says then finds no widgets.
    """
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        loop = app._task
        assert loop is not None
        yield pilot
        if app.is_running:
            app.exit()
        await asyncio.wait({loop}, timeout=PATIENCE)
