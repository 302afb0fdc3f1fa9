"""When to ask again: pure functions of age, failures and what the service said, with the chance handed in."""

import random
from dataclasses import dataclass

DAY = 86_400.0
JITTER = 0.15
AGE_SHARE = 0.15
"""Share of a job's age that passes until it is asked again, so a finish is noticed that much late at most."""

QUICK_FIRST_WAIT = 0.2
QUICK_LONGEST_WAIT = 2.0
MIDNIGHT_SPREAD = 60.0
BURST_SHARE = 0.1


@dataclass(frozen=True)
class FollowPolicy:
    """How jobs are followed. Seconds and bytes; `calls_per_minute` holds over all jobs of all processes.

    `resubmit` says what becomes of a batch whose answer was lost: `ask` the person, or `always` send again.
    `quick` gives every backend the short waits that the local one always has. `closing_seconds` is how long
    a batch that is just being sent may take to be answered when the follower is told to end.
    """

    calls_per_minute: int = 300
    local_calls_per_minute: int = 6_000
    submits_at_once: int = 4
    polls_at_once: int = 8
    resubmit: str = "ask"
    part_limit_bytes: int = 9_000_000
    first_wait: float = 2.0
    longest_wait: float = 300.0
    lease_seconds: float = 60.0
    closing_seconds: float = 3.0
    quick: bool = False

    def waits(self, *, local: bool) -> tuple[float, float]:
        """The shortest and the longest wait between two asks, in seconds."""
        if local or self.quick:
            return (min(QUICK_FIRST_WAIT, self.first_wait), min(QUICK_LONGEST_WAIT, self.longest_wait))
        return (self.first_wait, self.longest_wait)


def wait_before_asking(age: float, waits: tuple[float, float], chance: random.Random) -> float:
    """Seconds until a queued part of this age (seconds since it was sent) is asked for again."""
    first, longest = waits
    return _jittered(min(longest, max(first, max(age, 0.0) * AGE_SHARE)), longest, chance)


def wait_after_failure(
    failures: int, retry_after: float | None, waits: tuple[float, float], chance: random.Random
) -> float:
    """Seconds until the next try after `failures` (≥ 1) in a row; never before `retry_after` has passed."""
    first, longest = waits
    wait = _jittered(min(longest, first * 2.0 ** min(failures - 1, 30)), longest, chance)
    if retry_after is None:
        return wait
    return max(wait, min(max(retry_after, 0.0), DAY))


def quota_is_back_at(midnight: float, chance: random.Random) -> float:
    """When to try after the quota's midnight (epoch seconds): a little later, not all jobs at once."""
    return midnight + 1.0 + chance.random() * MIDNIGHT_SPREAD


def _jittered(wait: float, longest: float, chance: random.Random) -> float:
    return min(longest, wait * (1 + JITTER * (2 * chance.random() - 1)))


@dataclass(frozen=True)
class Allowance:
    """A token bucket: `calls` that may be made at once, as of the epoch second `at`.

    Burst and refill together never allow more than `per_minute` calls in any 60 seconds.
    """

    calls: float
    at: float

    def refilled(self, now: float, per_minute: int) -> "Allowance":
        """The bucket at `now`; a clock that went back neither fills nor freezes it."""
        burst = burst_of(per_minute)
        gained = max(0.0, now - self.at) * _refill(per_minute)
        return Allowance(min(burst, self.calls + gained), now)

    def spend(self, calls: int) -> "Allowance":
        """The bucket after so many calls."""
        return Allowance(self.calls - calls, self.at)

    def seconds_until_call(self, per_minute: int) -> float:
        """How long until one call may be made; 0 where it may be made now."""
        return max(0.0, (1 - self.calls) / _refill(per_minute))


def burst_of(per_minute: int) -> float:
    """How many calls of the allowance may come at once (at least one, or none would ever be made)."""
    return float(max(1, int(per_minute * BURST_SHARE)))


def _refill(per_minute: int) -> float:
    """Calls a second: with the whole burst before it, a minute of them is one call short of too many."""
    return (per_minute - burst_of(per_minute) + 1) / 60
