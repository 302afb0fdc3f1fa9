"""The long reckoning of issue 4: `soak_faults.py [JOBS] [KILLS] [SEED]`, with PYTHONPATH=tests.

Follows JOBS (1,000) jobs at a service that fails half of all calls, then kills a following process KILLS
(200) times at random moments, and says what became of every job. The exit status is 1 where a promise was
broken.
"""

import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path

from jobs.faulty_service import FaultyService
from jobs.killing import kill_often
from jobs.soak import soak


async def main(jobs: int, kills: int, seed: int) -> int:
    """Run both and print the reckoning; how many promises were broken."""
    with tempfile.TemporaryDirectory() as directory:
        reckoning = await soak(Path(directory) / "soak.db", jobs, seed)
        calls, faults = sum(reckoning.calls.values()), sum(reckoning.faults.values())
        print(f"{jobs} jobs, {calls} calls, {faults} of them faulted: {dict(reckoning.states)}")
        for fault, times in sorted(reckoning.faults.items()):
            print(f"  {fault}: {times}")

        server = FaultyService()
        await server.start()
        killed = await kill_often(Path(directory) / "kills.db", server, kills, seed)
        await server.stop()
        states = Counter(str(job.state) for job in killed.jobs)
        twice = sum(times > 1 for times in server.accepted.values())
        print(f"{kills} kills, {len(killed.promised)} jobs promised, {len(killed.jobs)} kept: {dict(states)}")
        print(f"  accepted more than once: {twice}")
    for wrong in (broken := reckoning.wrong + killed.wrong):
        print(wrong)
    return len(broken)


if __name__ == "__main__":
    jobs, kills, seed = [*map(int, sys.argv[1:]), *(1_000, 200, 1)[len(sys.argv) - 1 :]]
    sys.exit(min(1, asyncio.run(main(jobs, kills, seed))))
