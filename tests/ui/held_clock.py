"""A clock that stands still until a test moves it."""

import asyncio

# 2026-01-31 12:00:00 UTC
NOON = 1_769_860_800.0
LONGEST_SLEEP = 0.02


class HeldClock:
    """`now` is what the test says; who sleeps wakes soon and looks at the clock again."""

    def __init__(self, now: float = NOON) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, LONGEST_SLEEP))

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self._now += seconds
