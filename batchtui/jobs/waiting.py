"""Waiting for an event or for a time, whichever comes first."""

import asyncio
from typing import Any

from batchtui.clock import Clock


async def event_or_time(event: asyncio.Event, clock: Clock, seconds: float | None) -> None:
    """Return when the event is set or `seconds` have passed; None waits for the event alone."""
    waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(event.wait())]
    if seconds is not None:
        waits.append(asyncio.ensure_future(clock.sleep(seconds)))
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
