"""Which parts are due, who works on them, and what becomes of the work of the dead."""

import sqlite3
from collections.abc import Collection

import msgspec

from batchtui.clock import Clock
from batchtui.jobs.database import Database
from batchtui.jobs.leases import certainly_dead, new_owner
from batchtui.jobs.parts import Lane, Part, PartState
from batchtui.jobs.rows import PART_COLUMNS, encode_error, read_part
from batchtui.jobs.schedule import DAY, Allowance, FollowPolicy, burst_of
from batchtui.jobs.transitions import NEXT_IF_FOLLOWED, refresh_job
from batchtui.model import JobError

UNKNOWN_AFTER_END = JobError(
    None,
    "The program ended while this batch was being sent: the service may or may not have taken it.",
    "Send it again (it may then run, and cost, twice), or forget it.",
)


class Claimed(msgspec.Struct, frozen=True):
    """Parts to work on now, and the epoch second at which more can be claimed (None: nothing waits)."""

    parts: list[Part]
    next_at: float | None


class ClaimStore:
    """Leases on parts, held by this object until their work is recorded or `release` is called."""

    def __init__(self, database: Database, clock: Clock, policy: FollowPolicy) -> None:
        self._database = database
        self._clock = clock
        self._policy = policy
        self.owner = new_owner()

    def claim(self, lane: Lane, limit: int, paused: Collection[str] = ()) -> Claimed:
        """Take up to `limit` due parts of the lane, as the calls a minute allow; none of paused backends."""
        now = self._clock.now()
        due = self._due(lane, now, paused)
        if due is None or due > now:
            return Claimed([], due)
        per_minute = self._policy.local_calls_per_minute if lane.local else self._policy.calls_per_minute
        with self._database.write(durable=False) as connection:
            allowance = _allowance(connection, lane, now, per_minute)
            allowed = min(limit, int(allowance.calls))
            parts = _take(connection, lane, now, allowed, paused)
            for part in parts:
                connection.execute(
                    "UPDATE parts SET lease_owner = ?, lease_until = ? WHERE job_id = ? AND part = ?",
                    (self.owner, now + self._policy.lease_seconds, part.job_id, part.part),
                )
            if parts:
                allowance = allowance.spend(len(parts))
                connection.execute(
                    "INSERT OR REPLACE INTO rates VALUES (?, ?, ?)",
                    (_rate(lane), allowance.calls, allowance.at),
                )
        next_at = self._due(lane, now, paused)
        if next_at is not None:
            next_at = max(next_at, now + allowance.seconds_until_call(per_minute))
        return Claimed(parts, next_at)

    def mark_in_flight(self, part: Part) -> Part | None:
        """Note durably that the part is sent now; None where it may not be sent any more."""
        now = self._clock.now()
        with self._database.write() as connection:
            marked = connection.execute(
                "UPDATE parts SET state = ?, attempts = attempts + 1, asked_at = ?, lease_until = ?"
                " WHERE job_id = ? AND part = ? AND state = ? AND lease_owner = ? AND next_at IS NOT NULL",
                (
                    PartState.IN_FLIGHT,
                    now,
                    now + self._policy.lease_seconds,
                    part.job_id,
                    part.part,
                    PartState.PENDING,
                    self.owner,
                ),
            ).rowcount
            if not marked:
                self._free(connection, part)
                return None
            connection.execute(
                "UPDATE parts SET next_at = NULL WHERE job_id = ? AND part = ?", (part.job_id, part.part)
            )
            refresh_job(connection, part.job_id, now)
        return msgspec.structs.replace(part, state=PartState.IN_FLIGHT, attempts=part.attempts + 1)

    def let_go(self, part: Part) -> None:
        """Give a claimed part back as it was, though it may be marked: no call was made."""
        with self._database.write(durable=False) as connection:
            connection.execute(
                f"UPDATE parts SET state = ?, next_at = {NEXT_IF_FOLLOWED}"
                " WHERE job_id = ? AND part = ? AND lease_owner = ? AND state = ?",
                (
                    PartState.PENDING,
                    self._clock.now(),
                    part.job_id,
                    part.part,
                    self.owner,
                    PartState.IN_FLIGHT,
                ),
            )
            self._free(connection, part)

    def renew(self) -> None:
        """Hold on to the leases for another while."""
        with self._database.write(durable=False) as connection:
            connection.execute(
                "UPDATE parts SET lease_until = ? WHERE lease_owner = ?",
                (self._clock.now() + self._policy.lease_seconds, self.owner),
            )

    def release(self) -> None:
        """End all leases of this object; what was being sent becomes unconfirmed."""
        with self._database.write() as connection:
            self._bury(connection, self.owner, by_time=None)

    def recover(self) -> None:
        """End the leases of holders that died, or that let them run out."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT DISTINCT lease_owner FROM parts WHERE lease_owner IS NOT NULL AND lease_owner != ?",
                (self.owner,),
            ).fetchall()
        for (owner,) in rows:
            with self._database.write() as connection:
                self._bury(connection, owner, by_time=None if certainly_dead(owner) else self._clock.now())

    def forgive_the_clock(self) -> None:
        """Make due what was last asked for in the future: the clock went back."""
        now = self._clock.now()
        with self._database.write() as connection:
            connection.execute(
                "UPDATE parts SET next_at = ? WHERE next_at IS NOT NULL AND (asked_at > ? OR next_at > ?)",
                (now, now + 1, now + 2 * DAY),
            )

    def _bury(self, connection: sqlite3.Connection, owner: str, by_time: float | None) -> None:
        now = self._clock.now()
        rows = connection.execute(
            "SELECT job_id, part, state FROM parts WHERE lease_owner = ? AND lease_until <= ?",
            (owner, float("inf") if by_time is None else by_time),
        ).fetchall()
        for job_id, part, state in rows:
            if state == PartState.IN_FLIGHT:
                _bury_sent(connection, job_id, part, now, again=self._policy.resubmit == "always")
                refresh_job(connection, job_id, now)
            else:
                connection.execute(
                    "UPDATE parts SET lease_owner = NULL, lease_until = NULL WHERE job_id = ? AND part = ?",
                    (job_id, part),
                )

    def _free(self, connection: sqlite3.Connection, part: Part) -> None:
        connection.execute(
            "UPDATE parts SET lease_owner = NULL, lease_until = NULL"
            " WHERE job_id = ? AND part = ? AND lease_owner = ?",
            (part.job_id, part.part, self.owner),
        )

    def _due(self, lane: Lane, now: float, paused: Collection[str]) -> float | None:
        condition, values = _claimable(lane, now, paused)
        with self._database.read() as connection:
            row = connection.execute(
                f"SELECT next_at FROM parts WHERE {condition} ORDER BY next_at LIMIT 1", values
            ).fetchone()
        return None if row is None else float(row[0])


def _bury_sent(connection: sqlite3.Connection, job_id: int, part: int, now: float, *, again: bool) -> None:
    connection.execute(
        f"UPDATE parts SET state = ?, next_at = {NEXT_IF_FOLLOWED}, error = ?,"
        " lease_owner = NULL, lease_until = NULL WHERE job_id = ? AND part = ?",
        (
            PartState.PENDING if again else PartState.UNCONFIRMED,
            now if again else None,
            None if again else encode_error(UNKNOWN_AFTER_END),
            job_id,
            part,
        ),
    )


def _take(
    connection: sqlite3.Connection, lane: Lane, now: float, limit: int, paused: Collection[str]
) -> list[Part]:
    condition, values = _claimable(lane, now, paused)
    rows = connection.execute(
        f"SELECT {PART_COLUMNS} FROM parts JOIN jobs ON jobs.id = parts.job_id"
        f" WHERE {condition} AND parts.next_at <= ? ORDER BY parts.next_at LIMIT ?",
        (*values, now, max(0, limit)),
    ).fetchall()
    return [read_part(row) for row in rows]


def _claimable(lane: Lane, now: float, paused: Collection[str]) -> tuple[str, tuple[object, ...]]:
    marks = ", ".join("?" * len(paused))
    condition = (
        "parts.lane = ? AND parts.next_at IS NOT NULL"
        " AND (parts.lease_until IS NULL OR parts.lease_until <= ?)"
        f" AND parts.backend NOT IN ({marks})"
    )
    return condition, (lane, now, *paused)


def _allowance(connection: sqlite3.Connection, lane: Lane, now: float, per_minute: int) -> Allowance:
    row = connection.execute("SELECT calls, at FROM rates WHERE name = ?", (_rate(lane),)).fetchone()
    kept = Allowance(burst_of(per_minute), now) if row is None else Allowance(*row)
    return kept.refilled(now, per_minute)


def _rate(lane: Lane) -> str:
    return "local" if lane.local else "remote"
