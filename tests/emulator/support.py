"""What the tests of the emulator share: an emulator in this process or another, and a held clock."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

import batchtui
from batchtui.clock import Clock, SystemClock
from batchtui.emulator.app import Emulator
from batchtui.emulator.faults import Span
from batchtui.emulator.options import EmulatorOptions

BASE = "http://emulator.test/client/v4"
BGE_M3 = "accounts/abc/ai/run/@cf/baai/bge-m3"
RERANKER = "accounts/abc/ai/run/@cf/baai/bge-reranker-base"
QUEUED = {"queueRequest": "true"}
PATIENCE = 30.0
ROOT = Path(batchtui.__file__).parent.parent

SAMPLE = {
    "requests": [
        {
            "query": "This is a story about Cloudflare",
            "contexts": [
                {"text": "This is a story about an orange cloud"},
                {"text": "This is a story about a llama"},
                {"text": "This is a story about a hugging emoji"},
            ],
            "external_reference": "reference-1",
        }
    ]
}


def request(query: str, *texts: str, **more: object) -> dict[str, object]:
    """One request as it is sent."""
    return {"query": query, "contexts": [{"text": text} for text in texts], **more}


def batch(*requests: dict[str, object]) -> dict[str, object]:
    """A batch as it is sent."""
    return {"requests": list(requests)}


class HeldClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = 1_000_000.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.Event()
        self._sleepers.append((self.time + seconds, woken))
        await woken.wait()

    def advance(self, seconds: float) -> None:
        self.time += seconds
        due = [event for at, event in self._sleepers if at <= self.time]
        self._sleepers = [(at, event) for at, event in self._sleepers if at > self.time]
        for event in due:
            event.set()


def options_at(directory: Path, **changes: Any) -> EmulatorOptions:
    """Options with a queue in `directory` and no waiting, but for what is changed."""
    at_once = {"latency": Span(0, 0), "running": Span(0, 0)}
    return EmulatorOptions(database=directory / "queue.db", **{**at_once, **changes})


@contextlib.asynccontextmanager
async def emulating(
    options: EmulatorOptions, clock: Clock | None = None, *, scorer: str = "Lengths", **named: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an emulator in this process, with a class of `standin_scorers` as its scorer."""
    emulator = Emulator(options, clock or SystemClock(), command=worker_of(scorer), **named)
    await emulator.start()
    try:
        transport = httpx.ASGITransport(emulator.app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            yield client
    finally:
        await emulator.stop()


async def submit(client: httpx.AsyncClient, body: object, **headers: str) -> str:
    """The request_id of a batch just submitted."""
    answer = await client.post(BGE_M3, params=QUEUED, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    request_id: str = answer.json()["result"]["request_id"]
    return request_id


async def collect(client: httpx.AsyncClient, request_id: str) -> dict[str, Any]:
    """The envelope of a batch as soon as it is neither queued nor running."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = await client.post(BGE_M3, params=QUEUED, json={"request_id": request_id})
        envelope: dict[str, Any] = answer.json()
        if envelope["result"].get("status") not in ("queued", "running"):
            return envelope
        await asyncio.sleep(0.01)
    raise AssertionError(f"{request_id} was never done")


def scores_of(envelope: dict[str, Any], place: int = 0) -> list[float]:
    """The scores of one request of a finished batch, by the place of their contexts."""
    [answer] = [entry for entry in envelope["result"]["responses"] if entry["id"] == place]
    return [entry["score"] for entry in sorted(answer["result"]["response"], key=lambda entry: entry["id"])]


def worker_of(scorer_class: str) -> list[str]:
    """The command of a scoring process with a class of `standin_scorers` in place of a real scorer."""
    boot = (
        "import sys; sys.path[:0] = sys.argv[1:3]\n"
        "import standin_scorers\n"
        "from batchtui.emulator.worker import serve_standard_streams\n"
        f"serve_standard_streams(lambda reranks: standin_scorers.{scorer_class}())"
    )
    return [sys.executable, "-c", boot, str(ROOT), str(Path(__file__).parent)]


SERVE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import argparse
from batchtui.emulator import connection, options, server
connection.REQUEST_SECONDS = float(sys.argv[3])
parser = argparse.ArgumentParser()
options.add_arguments(parser)
chosen = options.from_arguments(parser.parse_args(sys.argv[4:]), Path(sys.argv[2]))
namespace = parser.parse_args(sys.argv[4:])
try:
    server.serve(chosen, namespace.host, namespace.port, lambda url: print(url, flush=True))
except KeyboardInterrupt:
    sys.exit(130)
"""


class Served:
    """An emulator in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self.process = process
        self.url = process.stdout.readline().strip()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2].partition("/")[0])

    def kill(self) -> None:
        """End it as a power cut would."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)


@contextlib.contextmanager
def serving(
    database: Path, *flags: str, request_seconds: float = 15.0, **environment: str
) -> Iterator[Served]:
    """An emulator over a socket on a free port, ended at the end."""
    arguments = [str(ROOT), str(database), str(request_seconds), "--port", "0", *flags]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        yield Served(process)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(PATIENCE)
        assert process.stdout is not None
        process.stdout.close()


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds that another process brings about."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError(f"never: {what}")


def run(command: Sequence[str]) -> Any:
    """What a command prints, read as JSON."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    return json.loads(done.stdout)
