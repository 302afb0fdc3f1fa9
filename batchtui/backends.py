"""Who scores: one client a backend, made when it is first asked for."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from batchtui.files import make_private_directory
from batchtui.jobs.errors import CredentialsMissing
from batchtui.jobs.schedule import FollowPolicy
from batchtui.jobs.service import JobsService
from batchtui.settings import ANY_ACCOUNT, CLOUDFLARE, LOCAL, Settings, credentials_missing
from batchtui.workers_ai.errors import WorkersAIError

if TYPE_CHECKING:
    import httpx

    from batchtui.clock import Clock
    from batchtui.emulator.app import Emulator
    from batchtui.workers_ai.catalogue import ModelInfo
    from batchtui.workers_ai.client import WorkersAI
    from batchtui.workers_ai.secret import Secret

# The address of the emulator in this program; nothing listens there, the transport hands requests over.
IN_PROCESS_BASE_URL = "http://localhost/client/v4"


def follow_policy(settings: Settings) -> FollowPolicy:
    """How jobs are followed, as the person set it."""
    return FollowPolicy(calls_per_minute=settings.calls_per_minute, resubmit=settings.resubmit)


def open_service(settings: Settings, backends: Backends, clock: Clock) -> JobsService:
    """The jobs service over this user's store. Raises StoreError and OSError."""
    make_private_directory(settings.locations.data_directory)
    return JobsService.open(
        settings.locations.database,
        backends,
        clock,
        follow_policy(settings),
        linear_gain=settings.linear_gain,
    )


class Backends:
    """The clients of this program, and the emulator in it."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self._clients: dict[tuple[str, str | None], WorkersAI] = {}
        self._emulator: Emulator | None = None

    def account_id(self, backend: str) -> str | None:
        """The account that a new job of this backend goes to."""
        if backend == CLOUDFLARE:
            return self.settings.account_id
        return None if backend == LOCAL else self.settings.account_id or ANY_ACCOUNT

    def client(self, backend: str, account_id: str | None) -> WorkersAI:
        """The client for a job's backend and account. Raises CredentialsMissing."""
        key = (backend, account_id)
        if key not in self._clients:
            self._clients[key] = self._new_client(backend, account_id)
        return self._clients[key]

    def preload(self) -> None:
        """Import and set up what the first call needs; blocks, so that the event loop need not."""
        backend = self.settings.backend
        # What can't be set up is told by the first job that needs it.
        with contextlib.suppress(CredentialsMissing, WorkersAIError):
            self.client(backend, self.account_id(backend)).open()

    async def rerankers(self) -> dict[str, ModelInfo]:
        """The models of the backend that rank. Raises WorkersAIError and CredentialsMissing."""
        backend = self.settings.backend
        models = await self.client(backend, self.account_id(backend)).models()
        return {model.name: model for model in models if model.reranks}

    async def aclose(self) -> None:
        """Close every connection and stop the emulator; what it has queued stays in its file."""
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()
        if self._emulator is not None:
            await self._emulator.stop()
            self._emulator = None

    def _new_client(self, backend: str, account_id: str | None) -> WorkersAI:
        from batchtui.workers_ai.client import Endpoint, WorkersAI

        settings = self.settings
        if backend == LOCAL:
            endpoint = Endpoint(IN_PROCESS_BASE_URL, ANY_ACCOUNT)
            return WorkersAI(endpoint, transport=self._emulator_transport(), clock=self.clock)
        if backend != CLOUDFLARE:
            endpoint = Endpoint(backend, account_id or ANY_ACCOUNT, self._token_for(backend))
            return WorkersAI(endpoint, clock=self.clock)
        if missing := credentials_missing(settings):
            raise CredentialsMissing(missing)
        if account_id not in (None, settings.account_id):
            raise CredentialsMissing(
                f"This job belongs to the account {account_id}, not to {settings.account_id}.",
                "Set CLOUDFLARE_ACCOUNT_ID and the token of that account, and start again.",
            )
        assert settings.account_id is not None
        endpoint = Endpoint(settings.base_url, settings.account_id, settings.token)
        return WorkersAI(endpoint, clock=self.clock)

    def _token_for(self, backend: str) -> Secret | None:
        # A job of another base URL may still be followed; the token goes only where this run was pointed.
        return self.settings.token if backend == self.settings.backend else None

    def _emulator_transport(self) -> httpx.AsyncBaseTransport:
        import httpx

        from batchtui.emulator.app import Emulator
        from batchtui.emulator.errors import EmulatorError
        from batchtui.emulator.faults import Span
        from batchtui.emulator.options import EmulatorOptions

        settings = self.settings
        wait = Span(settings.latency, settings.latency)
        options = EmulatorOptions(
            database=settings.locations.emulator_database,
            scorer=settings.scorer,
            model_path=settings.model_path,
            embedder=settings.embedder,
            latency=wait,
            running=wait,
        )
        emulator = self._emulator = Emulator(options, self.clock)

        class StartedTransport(httpx.ASGITransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                try:
                    await emulator.start()
                except EmulatorError as error:
                    # To a client an emulator that can't start is a server that isn't there.
                    raise httpx.ConnectError(str(error), request=request) from error
                return await super().handle_async_request(request)

        return StartedTransport(app=emulator.app)
