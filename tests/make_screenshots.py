"""Makes the README's screenshots from the running app: `python tests/make_screenshots.py`."""

import asyncio
import os
import tempfile
from pathlib import Path

from batchtui import settings
from batchtui.backends import Backends, follow_policy
from batchtui.clock import SystemClock
from batchtui.exchange.opening import read_file
from batchtui.jobs.service import JobsService
from batchtui.model import Draft, JobState
from batchtui.ui.app import BatchtuiApp

ASSETS = Path(__file__).parent.parent / "assets"


async def main() -> None:
    """Submit the sample twice, the second time with another query, and picture what is to be seen."""
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(HOME=home, XDG_DATA_HOME=f"{home}/data", XDG_CONFIG_HOME=f"{home}/config")
        loaded = settings.load("local", {})
        clock = SystemClock()
        backends = Backends(loaded, clock)
        service = JobsService.open(loaded.locations.database, backends, clock, follow_policy(loaded))
        batch = read_file(ASSETS / "samples" / "refunds.jsonl").batch
        app = BatchtuiApp(service, backends, loaded, clock, Draft(0, batch, "refunds"))
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.press("ctrl+s")
            await _done(pilot, service, 1)
            app.compose_pane.composition.set_query("How many days until I get my money back?")
            app.compose_pane.changed_outside()
            await pilot.press("ctrl+s")
            await _done(pilot, service, 2)
            await pilot.press("f4")
            await pilot.pause(0.5)
            (ASSETS / "screenshot.svg").write_text(app.export_screenshot(title="batchtui"))
            await pilot.press("f2", "space", "space", "c")
            await pilot.pause(1)
            (ASSETS / "compare.svg").write_text(app.export_screenshot(title="batchtui"))
        await backends.aclose()
        service.close()


async def _done(pilot, service: JobsService, job_id: int) -> None:  # type: ignore[no-untyped-def]
    while (job := service.job(job_id)) is None or job.state is not JobState.DONE:
        await pilot.pause(0.1)
    await pilot.pause(0.6)


asyncio.run(main())
