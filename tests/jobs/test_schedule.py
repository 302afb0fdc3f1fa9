"""When jobs are asked for: pure functions, and a simulated day of them on a virtual clock."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchtui.clock import utc_midnight_after
from batchtui.jobs.schedule import (
    JITTER,
    Allowance,
    FollowPolicy,
    burst_of,
    quota_is_back_at,
    wait_after_failure,
    wait_before_asking,
)

from .simulation import simulate

POLICY = FollowPolicy()
REMOTE = POLICY.waits(local=False)
LOCAL = POLICY.waits(local=True)
AGES = st.floats(-1e6, 1e9)


def test_the_waits_begin_short_and_grow_to_the_longest() -> None:
    chance = random.Random(1)
    waits = [wait_before_asking(age, REMOTE, chance) for age in (0, 60, 600, 1_200, 86_400)]
    assert waits == sorted(waits)
    assert waits[0] <= POLICY.first_wait * (1 + JITTER)
    assert waits[-1] >= POLICY.longest_wait * (1 - JITTER)


def test_a_local_job_is_asked_for_within_two_seconds_always() -> None:
    chance = random.Random(1)
    assert wait_before_asking(0, LOCAL, chance) < 0.25
    assert wait_before_asking(1e6, LOCAL, chance) <= 2.0


@given(AGES, st.randoms(use_true_random=False))
def test_no_wait_is_longer_than_the_longest_nor_zero(age: float, chance: random.Random) -> None:
    wait = wait_before_asking(age, REMOTE, chance)
    assert POLICY.first_wait * (1 - JITTER) <= wait <= POLICY.longest_wait


def test_jobs_of_one_age_are_spread_by_jitter() -> None:
    chance = random.Random(1)
    waits = {wait_before_asking(600, REMOTE, chance) for _ in range(100)}
    assert len(waits) == 100


@given(st.integers(1, 10_000), st.one_of(st.none(), st.floats(0, 1e9)), st.randoms(use_true_random=False))
def test_retry_after_is_honoured_up_to_a_day(
    failures: int, retry_after: float | None, chance: random.Random
) -> None:
    wait = wait_after_failure(failures, retry_after, REMOTE, chance)
    if retry_after is None:
        assert wait <= POLICY.longest_wait
    else:
        assert min(retry_after, 86_400) <= wait <= max(POLICY.longest_wait, 86_400)


def test_failures_in_a_row_double_the_wait() -> None:
    chance = random.Random(1)
    waits = [wait_after_failure(failures, None, REMOTE, chance) for failures in range(1, 12)]
    assert waits[0] < 3
    assert waits[3] > waits[0] * 4
    assert all(wait >= POLICY.longest_wait * (1 - JITTER) for wait in waits[-3:])


@given(st.floats(0, 4e9), st.randoms(use_true_random=False))
def test_a_spent_quota_waits_until_after_midnight_utc(now: float, chance: random.Random) -> None:
    again = quota_is_back_at(utc_midnight_after(now), chance)
    assert again > now
    assert again % 86_400 < 120


@given(st.integers(1, 5_000), st.lists(st.floats(0, 30), min_size=1, max_size=200))
def test_no_minute_has_more_calls_than_allowed(per_minute: int, pauses: list[float]) -> None:
    now = 1e9
    allowance = Allowance(burst_of(per_minute), now)
    calls: list[tuple[float, int]] = []
    for pause in pauses:
        now += pause
        allowance = allowance.refilled(now, per_minute)
        made = int(allowance.calls)
        allowance = allowance.spend(made)
        calls.append((now, made))
    for start, _ in calls:
        assert sum(made for at, made in calls if start <= at < start + 59.999) <= per_minute


def test_a_clock_that_went_back_neither_fills_nor_freezes_the_allowance() -> None:
    spent = Allowance(0.0, 1e9)
    back = spent.refilled(1e9 - 86_400, 300)
    assert back.calls == 0
    assert back.refilled(back.at + 5, 300).calls > 20


@given(st.integers(1, 5_000))
def test_an_empty_allowance_says_when_the_next_call_may_be_made(per_minute: int) -> None:
    empty = Allowance(0.0, 1e9)
    wait = empty.seconds_until_call(per_minute)
    assert empty.refilled(1e9 + wait + 1e-3, per_minute).calls >= 1 - 1e-6


@pytest.mark.parametrize(
    ("jobs", "runs", "calls_a_minute", "median_lateness", "longest_lateness"),
    [(1, 100, 20, 75, 260), (100, 3, 300, 75, 260), (10_000, 1, 300, 1_300, 2_400)],
)
def test_open_jobs_stay_within_the_calls_and_are_noticed_in_time(
    jobs: int, runs: int, calls_a_minute: int, median_lateness: float, longest_lateness: float
) -> None:
    simulated = [simulate(jobs, seed) for seed in range(runs)]
    lateness = sorted(late for run in simulated for late in run.lateness)
    assert len(lateness) == jobs * runs
    assert max(max(run.calls.values()) for run in simulated) <= calls_a_minute
    assert lateness[len(lateness) // 2] <= median_lateness
    assert lateness[-1] <= longest_lateness
