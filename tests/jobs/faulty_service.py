"""A small Workers AI over a raw socket that misbehaves on order, and remembers what it accepted."""

import asyncio
import contextlib
import json
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

Choose = Callable[[str], str | None]

BEFORE = ("reset_before", "rate", "rate_seconds", "rate_date", "capacity", "error_500", "failure_with_200")
"""Faults after which the service has certainly not taken what was sent."""

AFTER = ("html_502", "reset_after", "cut", "slow", "not_utf8", "not_contract")
"""Faults of the answer: the service may have taken what was sent, and here it always has."""

MANGLED = (
    "out_of_order",
    "doubled",
    "missing",
    "too_many",
    "null_scores",
    "nan_scores",
    "request_failed",
)
"""Faults inside an otherwise good answer to a collect."""


@dataclass
class Stored:
    """A batch that was accepted."""

    requests: list[dict[str, Any]]
    polls_left: int
    collected: int = 0


@dataclass
class FaultyService:
    """`choose(kind)` names the fault of the next call of that kind (`submit`, `collect`, `run`), or None.

    `resets()` says whether the next connection is reset before anything is read from it.
    """

    choose: Choose = lambda kind: None
    resets: Callable[[], bool] = lambda: False
    polls_until_done: int = 1
    slow_seconds: float = 30.0
    accepted: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    batches: dict[str, Stored] = field(default_factory=dict)
    latency: float = 0.0
    in_hand: int = 0
    most_in_hand: int = 0
    asked_at_once: Counter[str] = field(default_factory=Counter)
    overlaps: int = 0
    bodies: list[int] = field(default_factory=list)
    url: str = ""

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", port, limit=1 << 26)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/client/v4"
        self._open: set[asyncio.Task[Any]] = set()
        self._called = asyncio.Event()

    async def being_called(self) -> None:
        """Return as soon as a call is in hand."""
        await self._called.wait()

    async def stop(self) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            if self.resets():
                return
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            with contextlib.suppress(Exception):
                writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        headers = dict(
            line.lower().split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:] if ": " in line
        )
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        sent = json.loads(body)
        kind = "submit" if "requests" in sent else "collect" if "request_id" in sent else "run"
        self.calls[kind] += 1
        fault = self.choose(kind)
        asked = str(sent.get("request_id", ""))
        if kind == "submit":
            self.bodies.append(len(body))
        if kind == "collect":
            self.asked_at_once[asked] += 1
            self.overlaps += self.asked_at_once[asked] > 1
        self.in_hand += 1
        self._called.set()
        self.most_in_hand = max(self.most_in_hand, self.in_hand)
        try:
            await asyncio.sleep(self.latency)
            return await self._answer(kind, fault, sent, writer)
        finally:
            self.in_hand -= 1
            self.asked_at_once[asked] -= 1

    async def _answer(
        self, kind: str, fault: str | None, sent: dict[str, Any], writer: asyncio.StreamWriter
    ) -> bool:
        if fault in BEFORE:
            return await self._refuse(fault or "", writer)
        if fault == "quota":
            await _write(writer, 429, _errors(3036, "daily free allocation of 10,000 neurons used up"))
            return True
        if fault == "credentials":
            await _write(writer, 401, _errors(10000, "Authentication error"))
            return True
        if kind == "collect":
            status, answer = self._collect(sent["request_id"], fault)
        elif kind == "submit":
            status, answer = 200, self._accept(sent["requests"])
        else:
            self.accepted[sent["query"]] += 1
            status, answer = 200, _result({**_ranking(sent), "usage": _usage(4)})
        return await self._deliver(fault, status, answer, writer)

    async def _refuse(self, fault: str, writer: asyncio.StreamWriter) -> bool:
        if fault == "reset_before":
            # Read and dropped: to the client this is a lost answer, though nothing was taken.
            return False
        rate = _errors(3021, "inference request per min rate reached")
        if fault == "error_500":
            await _write(writer, 500, _errors(8008, "internal error"))
        elif fault == "failure_with_200":
            await _write(writer, 200, _errors(3040, "Capacity temporarily exceeded, please try again"))
        elif fault == "capacity":
            await _write(writer, 429, _errors(3040, "Capacity temporarily exceeded, please try again"))
        elif fault == "rate_seconds":
            await _write(writer, 429, rate, {"Retry-After": "1"})
        elif fault == "rate_date":
            await _write(writer, 429, rate, {"Retry-After": formatdate(usegmt=True)})
        else:
            await _write(writer, 429, rate)
        return True

    def _accept(self, requests: list[dict[str, Any]]) -> dict[str, Any]:
        request_id = str(uuid.uuid4())
        self.accepted[requests[0]["query"]] += 1
        self.batches[request_id] = Stored(requests, self.polls_until_done)
        return _result({"status": "queued", "request_id": request_id})

    def _collect(self, request_id: str, fault: str | None) -> tuple[int, dict[str, Any]]:
        stored = self.batches.get(request_id)
        if stored is None or fault == "unknown_id":
            return 404, _errors(5504, f"AiError: AiError: Request not found in queue ({request_id})")
        if fault == "batch_failed":
            return 200, _result({"status": "failed", "error": {"code": 3030, "message": "upstream failed"}})
        if stored.polls_left > 0:
            stored.polls_left -= 1
            status = "queued" if stored.polls_left else "running"
            return 200, _result({"status": status, "request_id": request_id})
        stored.collected += 1
        answers = [
            {
                "id": index,
                "success": True,
                "external_reference": request.get("external_reference"),
                "result": _ranking(request),
            }
            for index, request in enumerate(stored.requests)
        ]
        return 200, _result({"responses": _mangle(answers, fault), "usage": _usage(10 * len(answers))})

    async def _deliver(
        self, fault: str | None, status: int, answer: dict[str, Any], writer: asyncio.StreamWriter
    ) -> bool:
        if fault == "reset_after":
            return False
        if fault == "html_502":
            await _send(writer, 502, b"<html><body>Bad gateway</body></html>", {"Content-Type": "text/html"})
        elif fault == "not_utf8":
            await _send(writer, 200, b'{"result": "\xff\xfe\x00"', {})
        elif fault == "not_contract":
            await _send(writer, 200, b'{"result": ["what", 1], "success": true}', {})
        elif fault == "cut":
            await _send(writer, 200, json.dumps(answer).encode()[:20], {"Content-Length": "5000"})
            return False
        else:
            if fault == "slow":
                await asyncio.sleep(self.slow_seconds)
            await _write(writer, status, answer)
        return True


def _ranking(request: dict[str, Any]) -> dict[str, Any]:
    contexts = request["contexts"]
    scores = [{"id": index, "score": 1 / (1 + index)} for index in range(len(contexts))]
    return {"response": scores}


def _mangle(answers: list[dict[str, Any]], fault: str | None) -> list[dict[str, Any]]:
    if fault == "empty":
        return []
    if fault == "out_of_order":
        return answers[::-1]
    if fault == "doubled":
        return [*answers, answers[0]]
    if fault == "missing":
        return answers[1:]
    if fault == "too_many":
        return [*answers, {**answers[0], "id": 99}]
    if fault in ("null_scores", "nan_scores"):
        answers[0]["result"]["response"][0]["score"] = None if fault == "null_scores" else float("nan")
    if fault == "request_failed":
        answers[0] = {"id": 0, "success": False, "error": {"message": "too long"}}
    return answers


def _result(result: dict[str, Any]) -> dict[str, Any]:
    return {"result": result, "success": True, "errors": [], "messages": []}


def _usage(tokens: int) -> dict[str, int]:
    return {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens}


def _errors(code: int, message: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "code": code}], "success": False, "result": {}, "messages": []}


async def _write(
    writer: asyncio.StreamWriter, status: int, answer: dict[str, Any], headers: dict[str, str] | None = None
) -> None:
    await _send(writer, status, json.dumps(answer).encode(), headers or {})


async def _send(writer: asyncio.StreamWriter, status: int, body: bytes, headers: dict[str, str]) -> None:
    every = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in every.items())
    writer.write(f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode() + body)
    await writer.drain()
