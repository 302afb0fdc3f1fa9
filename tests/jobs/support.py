"""What the tests of jobs share: batches, clients with short time-outs, and a fast policy."""

from batchtui.clock import SystemClock
from batchtui.jobs.schedule import FollowPolicy
from batchtui.model import Batch, Context, Request
from batchtui.workers_ai.client import WorkersAI
from batchtui.workers_ai.endpoint import Endpoint
from batchtui.workers_ai.limits import Timeouts

FAST = FollowPolicy(
    calls_per_minute=60_000, first_wait=0.01, longest_wait=0.05, lease_seconds=2.0, closing_seconds=0.5
)


class JumpingClock(SystemClock):
    """The machine's clock, with a wall time that can be set."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        return super().now() + self.offset


class ClientsOf:
    """Clients for any base URL, with time-outs short enough for a test."""

    def __init__(self, timeouts: Timeouts | None = None) -> None:
        self.timeouts = timeouts or Timeouts(connect=1.0, read=0.3, write=1.0, pool=5.0, total=2.0)
        self._clients: dict[str, WorkersAI] = {}

    def account_id(self, backend: str) -> str | None:
        return "account"

    def client(self, backend: str, account_id: str | None) -> WorkersAI:
        if backend not in self._clients:
            endpoint = Endpoint(backend, account_id or "account", None)
            self._clients[backend] = WorkersAI(endpoint, timeouts=self.timeouts)
        return self._clients[backend]

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.aclose()


def batch_of(query: str, *, requests: int = 1, contexts: int = 3) -> Batch:
    """A batch whose first query is `query`; the others tell themselves apart by a number."""
    return Batch(
        tuple(
            Request(
                query if number == 0 else f"{query} ({number})",
                tuple(Context(f"context {place} of {query} {number}") for place in range(contexts)),
                external_reference=f"{query}-{number}",
            )
            for number in range(requests)
        )
    )
