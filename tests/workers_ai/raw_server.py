"""A server of bare sockets that can answer anything, or nothing."""

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from batchtui.workers_ai.client import WorkersAI
from batchtui.workers_ai.endpoint import Endpoint
from batchtui.workers_ai.limits import Limits, Timeouts
from batchtui.workers_ai.secret import Secret

MODEL = "@cf/baai/bge-m3"
TOKEN = "tok-5Qm8xR2vZ7kLw3Ns"
REQUEST_ID = "768f15b7-4fd6-4498-906e-ad94ffc7f8d2"
QUEUED = {
    "result": {"status": "queued", "request_id": REQUEST_ID, "model": MODEL},
    "success": True,
    "errors": [],
    "messages": [],
}


@dataclass
class Connection:
    """One accepted connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    received: list[bytes]

    async def request(self) -> bytes:
        """Read one whole request, head and body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        whole = head + await self.reader.readexactly(length)
        self.received.append(whole)
        return whole

    async def send(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Behaviour = Callable[[Connection], Awaitable[None]]


@dataclass
class Server:
    """A running server: where it listens, and what it has received."""

    port: int
    connections: int = 0
    received: list[bytes] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/client/v4"

    def client(
        self,
        *,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        token: str | None = TOKEN,
        base_url: str | None = None,
    ) -> WorkersAI:
        """A client of this server; the caller closes it."""
        secret = None if token is None else Secret(token)
        return WorkersAI(Endpoint(base_url or self.base_url, "acc", secret), timeouts=timeouts, limits=limits)


@asynccontextmanager
async def serving(behave: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Run `behave` for each connection, until the block ends."""
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server.connections += 1
        try:
            await behave(Connection(reader, writer, server.received))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    server = Server(listener.sockets[0].getsockname()[1])
    try:
        yield server
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def http(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """An HTTP/1.1 answer with its true length."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answering(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Behaviour:
    """Answer each request of each connection with the same status and body (bytes, or what JSON holds)."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def behave(connection: Connection) -> None:
        while True:
            await connection.request()
            await connection.send(http(status, data, headers))

    return behave


def refusal(code: int | str, message: str) -> dict[str, Any]:
    """The AI layer's envelope of one error."""
    return {"errors": [{"message": message, "code": code}], "success": False, "result": {}, "messages": []}
