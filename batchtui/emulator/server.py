"""The emulator over HTTP, until it is interrupted."""

import asyncio
import errno
import ipaddress
import os
import socket
import sys
from collections.abc import Callable

import uvicorn

from batchtui.clock import Clock, SystemClock
from batchtui.emulator.app import BASE_PATH, Emulator, choice_of
from batchtui.emulator.connection import Connection
from batchtui.emulator.errors import EmulatorError
from batchtui.emulator.options import EmulatorOptions
from batchtui.emulator.scorers import prepare

MOST_CONNECTIONS = 1_000
BACKLOG = 1_024
GOODBYE_SECONDS = 3


def serve(
    options: EmulatorOptions,
    host: str,
    port: int,
    announce: Callable[[str], None],
    clock: Clock | None = None,
) -> None:
    """Serve until interrupted; port 0 picks a free one. `announce` is told the base URL, once it answers.

    Raises EmulatorError where it cannot start, and KeyboardInterrupt after ctrl+c, when all is put away.
    """
    prepare(choice_of(options), may_download=options.download, tell=_tell)
    listener = _listen(host, port)
    hosts = _hosts(host, listener)
    if hosts is None and options.token is None:
        _tell(f"Whoever can reach {host} may use this emulator; set --token to ask for one.")
    _allow_connections()
    with listener:
        emulator = Emulator(options, clock or SystemClock(), hosts=hosts)
        asyncio.run(_serve(emulator, listener, lambda: announce(_base_url(host, listener))))


async def _serve(emulator: Emulator, listener: socket.socket, announce: Callable[[], None]) -> None:
    # The error has to reach the person, and a lifespan would keep it to itself.
    await emulator.start()
    warming = asyncio.create_task(emulator.warm())
    config = uvicorn.Config(
        emulator.app,
        http=Connection,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        backlog=BACKLOG,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
    )
    server = _Server(config, emulator, announce)
    try:
        await server.serve([listener])
    finally:
        warming.cancel()


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it is ready and puts the emulator away before it goes."""

    def __init__(self, config: uvicorn.Config, emulator: Emulator, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._emulator = emulator
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn raises the signal again right after this, so nothing may be left for later.
        await super().shutdown(sockets)
        await self._emulator.stop()


def _allow_connections() -> None:
    """Have room for all connections: where files run out, no connection could be refused any more."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MOST_CONNECTIONS
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address. Raises EmulatorError, which names it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except UnicodeError as error:
        raise EmulatorError(f"cannot listen on {host}: it is no name of a host") from error
    except OSError as error:
        why = error.strerror or str(error)
        if error.errno == errno.EADDRINUSE:
            why += "; choose another with --port, or 0 for any"
        raise EmulatorError(f"cannot listen on {host} port {port}: {why}") from error
    return listener


def _base_url(host: str, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{BASE_PATH}"


def _hosts(host: str, listener: socket.socket) -> frozenset[str] | None:
    """The names to answer to: on loopback its own, so that no web page can reach it by another; else any."""
    address = ipaddress.ip_address(listener.getsockname()[0])
    address = getattr(address, "ipv4_mapped", None) or address
    if not address.is_loopback:
        return None
    return frozenset({"localhost", "127.0.0.1", "::1", host.lower()})
