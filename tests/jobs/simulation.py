"""The schedule on a virtual clock: many open jobs, one allowance of calls, no time passing."""

import heapq
import random
from dataclasses import dataclass

from batchtui.jobs.schedule import Allowance, FollowPolicy, burst_of, wait_before_asking

POLICY = FollowPolicy()
REMOTE = POLICY.waits(local=False)


@dataclass
class Simulated:
    """Calls in each minute, and how late each finished job was noticed, in seconds."""

    calls: dict[int, int]
    lateness: list[float]


def simulate(jobs: int, seed: int = 1) -> Simulated:
    """Follow jobs that were sent within one minute and take 5 to 25, by the functions of the policy."""
    chance = random.Random(seed)
    sent = [chance.uniform(0, 60) for _ in range(jobs)]
    ends = [begin + chance.uniform(300, 1_500) for begin in sent]
    due = [(begin + wait_before_asking(0, REMOTE, chance), number) for number, begin in enumerate(sent)]
    heapq.heapify(due)
    allowance = Allowance(burst_of(POLICY.calls_per_minute), 0.0)
    now, calls, lateness = 0.0, dict[int, int](), list[float]()
    while due:
        at, number = heapq.heappop(due)
        now = max(now, at)
        allowance = allowance.refilled(now, POLICY.calls_per_minute)
        if allowance.calls < 1:
            now += allowance.seconds_until_call(POLICY.calls_per_minute) + 1e-6
            allowance = allowance.refilled(now, POLICY.calls_per_minute)
        allowance = allowance.spend(1)
        calls[int(now // 60)] = calls.get(int(now // 60), 0) + 1
        if now >= ends[number]:
            lateness.append(now - ends[number])
        else:
            heapq.heappush(due, (now + wait_before_asking(now - sent[number], REMOTE, chance), number))
    return Simulated(calls, lateness)
