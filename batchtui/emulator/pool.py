"""The scoring processes as the emulator sees them: whichever is free takes what is most urgent."""

import asyncio
import contextlib
import itertools
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

import batchtui
from batchtui.children import child_environment
from batchtui.emulator.frames import HEADER, Done, Work, encode_frame
from batchtui.emulator.scorers import ScorerChoice

# Not `-m`: that puts the current directory, which may hold anything, in front of every import.
BOOT = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from batchtui.emulator.worker import main; main(sys.argv[1:])"
)
BEHIND_THE_SCREEN = 10


class WorkerCrashError(Exception):
    """A scoring process ended in the middle of its work."""


def worker_command(choice: ScorerChoice, *, yields: bool) -> list[str]:
    """The command that starts a scoring process, which leaves others the processor where it `yields`."""
    root = Path(batchtui.__file__).resolve().parent.parent
    niceness = str(BEHIND_THE_SCREEN if yields else 0)
    return [sys.executable, "-P", "-c", BOOT, str(root), msgspec.json.encode(choice).decode(), niceness]


def worker_environment(environment: dict[str, str]) -> dict[str, str]:
    """The environment without what may be a secret; scoring never asks the network for anything."""
    return child_environment(environment) | {"HF_HUB_OFFLINE": "1"}


class Pool:
    """Runs work in up to `size` processes, each started when it is first needed."""

    def __init__(self, command: Sequence[str], size: int) -> None:
        self.size = size
        self._workers = [_Worker(command) for _ in range(size)]
        self._queue: asyncio.PriorityQueue[tuple[int, int, Work, asyncio.Future[Done]]] = (
            asyncio.PriorityQueue()
        )
        self._numbers = itertools.count()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Be ready for work; must be called in the event loop that will bring it."""
        self._tasks = [asyncio.create_task(self._serve(worker)) for worker in self._workers]

    async def stop(self) -> None:
        """End the processes, whatever they are at; work not done is cancelled."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        while not self._queue.empty():
            self._queue.get_nowait()[3].cancel()
        for worker in self._workers:
            await worker.stop()

    async def warm(self) -> None:
        """Start the processes before there is work, so that the first answer comes sooner."""
        for worker in self._workers:
            with contextlib.suppress(WorkerCrashError):
                await worker.start()

    async def run(self, work: Work, *, urgent: bool = False) -> Done:
        """The outcome of the work; urgent work goes before all that waits. Raises WorkerCrashError."""
        done: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((0 if urgent else 1, next(self._numbers), work, done))
        return await done

    async def _serve(self, worker: "_Worker") -> None:
        while True:
            _, _, work, done = await self._queue.get()
            if done.done():
                continue
            try:
                answer = await worker.run(work)
            except Exception as error:
                if not done.done():
                    done.set_exception(error)
            except BaseException:
                done.cancel()
                raise
            else:
                if not done.done():
                    done.set_result(answer)


class _Worker:
    """One scoring process, started again after a crash."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._starting = asyncio.Lock()
        self._decoder = msgspec.msgpack.Decoder(Done)

    async def start(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._process is None or self._process.returncode is not None:
                self._process = await self._spawn()
            return self._process

    async def run(self, work: Work) -> Done:
        process = await self.start()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(encode_frame(work))
            await process.stdin.drain()
            (length,) = HEADER.unpack(await process.stdout.readexactly(HEADER.size))
            return self._decoder.decode(await process.stdout.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError, msgspec.MsgspecError) as error:
            await self.stop()
            raise WorkerCrashError("the scoring process ended in the middle of its work") from error

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()

    async def _spawn(self) -> asyncio.subprocess.Process:
        # Ctrl+c goes to the whole foreground group; the emulator ends its processes by itself.
        apart: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        try:
            return await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=worker_environment(dict(os.environ)),
                cwd=Path(sys.executable).parent,
                **apart,
            )
        except OSError as error:
            raise WorkerCrashError(f"the scoring process could not be started: {error}") from error
