"""What these tests share: a world of its own for the program, and a store filled with given texts."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar, cast

from batchtui.clock import SystemClock
from batchtui.jobs.schedule import FollowPolicy
from batchtui.jobs.service import JobsService
from batchtui.model import Batch, Context, Job, Request, Usage
from batchtui.workers_ai.client import Collected, Submitted, WorkersAI
from batchtui.workers_ai.errors import ApiError, ErrorKind
from batchtui.workers_ai.wire import Complete, Response

Held = TypeVar("Held")

PROGRAM = [sys.executable, "-m", "batchtui"]
SOURCE = Path(__file__).resolve().parent.parent.parent
AT_ONCE = FollowPolicy(calls_per_minute=60_000, submits_at_once=50, polls_at_once=50, first_wait=0.01)
# A megabyte in each of a thousand places is a test of patience, not of safety.
LONG = 2_000
EXHAUSTIVE = os.environ.get("BATCHTUI_EXHAUSTIVE") == "1"


def sample(named: Iterable[tuple[str, Held]], share: int) -> list[tuple[str, Held]]:
    """Every `share`-th of each family (`family: name`), or all with BATCHTUI_EXHAUSTIVE=1."""
    families: dict[str, list[tuple[str, Held]]] = {}
    for name, held in named:
        families.setdefault(name.partition(":")[0], []).append((name, held))
    step = 1 if EXHAUSTIVE else share
    return [one for family in families.values() for one in family[::step]]


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a program that keeps all its files below `home` and knows no credentials."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    return {
        "LANG": "C.UTF-8",
        **kept,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "share"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "PYTHONPATH": str(SOURCE),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "TEXTUAL_ANIMATIONS": "none",
        **more,
    }


def database_of(home: Path) -> Path:
    """Where a program in `environment(home)` keeps its jobs."""
    return home / "share" / "batchtui" / "batchtui.db"


class EchoingClients:
    """Clients of a service that is not there, and whose every word is the query that was sent first."""

    def __init__(self, *, refuses: bool = False) -> None:
        self._client = _EchoingClient(refuses)

    def account_id(self, backend: str) -> str | None:
        return "account"

    def client(self, backend: str, account_id: str | None) -> WorkersAI:
        return cast(WorkersAI, self._client)


class _EchoingClient:
    def __init__(self, refuses: bool) -> None:
        self._refuses = refuses

    def open(self) -> None:
        """Nothing is needed before the first call."""

    async def submit(self, model: str, body: bytes) -> Submitted:
        said = json.loads(body)["requests"][0]["query"]
        raw = said.encode("utf-8", "surrogatepass")
        if self._refuses:
            raise ApiError(said, said, kind=ErrorKind.BAD_INPUT, code=5006, raw=raw)
        return Submitted(said, "queued", raw, None)

    async def collect(self, model: str, request_id: str) -> Collected:
        ranked = Response(0, True, request_id, ((1, 0.5), (0, 0.25)))
        failed = Response(1, False, request_id, (), request_id)
        raw = request_id.encode("utf-8", "surrogatepass")
        return Collected(Complete((ranked, failed), Usage(3, 0, 3)), raw, request_id)


def batch_with(text: str) -> Batch:
    """Two requests of two contexts, with the text in every field."""
    contexts = (Context(text or "c", text, 3), Context(f"{text}!", text, 0))
    query = text if text.strip() else "q"
    return Batch((Request(query, contexts, text), Request(f"{query}?", contexts, text)), model=text or "m")


def sendable(text: str) -> str:
    """The text as it can be submitted: without lone surrogates, and not blank."""
    return text.encode("utf-8", "replace").decode() if text.strip() else "blank"


def opened(home: Path, *, refuses: bool = False) -> JobsService:
    """The store of `home`, followed at a service that echoes."""
    return JobsService.open(database_of(home), EchoingClients(refuses=refuses), SystemClock(), AT_ONCE)


async def fill(service: JobsService, texts: Iterable[str]) -> list[Job]:
    """A job for each text, with the text in all its fields, followed to the end."""
    ids = []
    for text in map(sendable, texts):
        job = service.submit(batch_with(text), backend=f"http://{text[:60]}", label=text)
        service.set_note(job.id, text)
        ids.append(job.id)
    return await service.follow_until_done(ids)


def set_environment(monkeypatch: Any, home: Path) -> None:
    """Point this process at `home`, without credentials."""
    for name in list(os.environ):
        if name.startswith(("CLOUDFLARE_", "BATCHTUI_", "XDG_")):
            monkeypatch.delenv(name)
    for name, value in environment(home).items():
        if name.startswith(("HOME", "XDG_", "TEXTUAL_")):
            monkeypatch.setenv(name, value)
