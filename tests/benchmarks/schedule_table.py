"""Calls a minute and lateness with 1, 100 and 10,000 open jobs, simulated: run it with PYTHONPATH=tests.

All jobs are sent within one minute and take 5 to 25 minutes; times are in seconds.
"""

from jobs.simulation import simulate


def main() -> None:
    """Print one line for each number of jobs."""
    print("jobs    calls a minute: mean   most   calls a job   late: median   95 %   most")
    for jobs, runs in ((1, 100), (100, 5), (10_000, 1)):
        simulated = [simulate(jobs, seed) for seed in range(runs)]
        late = sorted(one for run in simulated for one in run.lateness)
        calls = sum(sum(run.calls.values()) for run in simulated)
        minutes = sum(max(run.calls) + 1 for run in simulated)
        most = max(max(run.calls.values()) for run in simulated)
        print(
            f"{jobs:>6,} {calls / minutes:>20.1f} {most:>6} {calls / jobs / runs:>13.1f}"
            f" {late[len(late) // 2]:>14.0f} {late[int(len(late) * 0.95)]:>6.0f} {late[-1]:>6.0f}"
        )


if __name__ == "__main__":
    main()
