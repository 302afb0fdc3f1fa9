"""The one place that knows the time, so that a test can hold it."""

import time
from datetime import UTC, datetime
from typing import Protocol

DAY = 86_400


class Clock(Protocol):
    """Wall time for what is stored and shown, monotonic time for intervals, and a sleep that follows them."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        # Commands that only tell the time need not pay for asyncio.
        import asyncio

        await asyncio.sleep(seconds)


def iso_utc(seconds: float | None) -> str | None:
    """Epoch seconds as ISO 8601 in UTC with milliseconds, `2026-01-31T12:00:00.000Z`; None stays None."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_day_of(seconds: float) -> float:
    """The 00:00 UTC at or before `seconds`, both in epoch seconds."""
    return float(int(seconds) // DAY * DAY)


def utc_midnight_after(seconds: float) -> float:
    """The first 00:00 UTC later than `seconds`, both in epoch seconds."""
    return utc_day_of(seconds) + DAY
