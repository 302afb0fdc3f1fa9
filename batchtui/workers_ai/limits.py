"""How long a call may take and how much it may use."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timeouts:
    """Seconds: to connect, between two pieces read or written, for a free connection, for a whole call."""

    connect: float = 10.0
    read: float = 60.0
    write: float = 30.0
    pool: float = 60.0
    total: float = 180.0


@dataclass(frozen=True)
class Limits:
    """Connections at once and kept, seconds for which an idle one is kept, and bytes of an answer, unpacked.

    Idle connections are dropped before servers usually drop them (5 s), since a submit that meets a closing
    connection cannot be told from one that was taken.
    """

    connections: int = 6
    idle_connections: int = 4
    idle_seconds: float = 3.0
    answer_bytes: int = 64 * 1024 * 1024
