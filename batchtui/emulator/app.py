"""The emulator as an ASGI app: Workers AI's routes, answered from this machine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from batchtui.clock import Clock
from batchtui.emulator.directory import directory_routes
from batchtui.emulator.errors import INTERNAL, NO_METHOD, NO_ROUTE, AnswerError
from batchtui.emulator.guard import Guard, error_response
from batchtui.emulator.inference import Inference
from batchtui.emulator.models import BGE_M3, MODELS, EmulatedModel
from batchtui.emulator.moods import Moods
from batchtui.emulator.options import FASTEMBED, EmulatorOptions
from batchtui.emulator.pool import Pool, worker_command
from batchtui.emulator.queue import Queue
from batchtui.emulator.runner import Runner
from batchtui.emulator.scorers import ScorerChoice
from batchtui.emulator.scoring import ChunkSize

BASE_PATH = "/client/v4"
GATEWAY_RUN_PATH = "/v1/{account_id}/{gateway_id}/workers-ai/{model:path}"
# A model's network needs seconds for what the lexical scorer does in an instant.
CHUNK_SIZES = {FASTEMBED: ChunkSize(4_000, 16_000)}
USUAL_CHUNK_SIZE = ChunkSize(32_000, 1_000_000)


class Emulator:
    """Workers AI on this machine. `app` answers between `start` and `stop`, which a lifespan calls too.

    `hosts` are the names that a Host header may have; None takes any. `command` starts a scoring process
    in place of the scorer's own. Times come from `clock`.
    """

    def __init__(
        self,
        options: EmulatorOptions,
        clock: Clock,
        *,
        hosts: Collection[str] | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        choice = choice_of(options)
        self._changing = asyncio.Lock()
        self._started = False
        self._labels = {model.name: choice.label(model.pays_by_pair) for model in MODELS.values()}
        chunk_size = CHUNK_SIZES.get(options.scorer, USUAL_CHUNK_SIZE)
        # The weights of a model are large, and its own threads take all cores already.
        processes = 1 if options.scorer == FASTEMBED else options.workers
        self._pool = Pool(list(command or worker_command(choice, yields=options.yields_to_screen)), processes)
        self._runner = Runner(
            lambda: Queue(options.database, self.scorer_label), self._pool, clock, options.expiry, chunk_size
        )
        moods = Moods(options)
        inference = Inference(options, clock, moods, self._runner, self._pool, chunk_size, self._label)
        routes = Starlette(
            routes=[
                *directory_routes(BASE_PATH, self._label, embeds=options.scorer == FASTEMBED),
                Route(
                    f"{BASE_PATH}/accounts/{{account_id}}/ai/run/{{model:path}}",
                    inference.run,
                    methods=["POST"],
                ),
                Route(GATEWAY_RUN_PATH, inference.run, methods=["POST"]),
            ],
            exception_handlers={HTTPException: _refused, AnswerError: _fault, Exception: _broken},
            lifespan=self._lifespan,
        )
        routes.router.redirect_slashes = False
        self.app: ASGIApp = Guard(routes, clock=clock, moods=moods, token=options.token, hosts=hosts)

    @property
    def scorer_label(self) -> str:
        """Who scores batches: `lexical`, or `fastembed:` and the weights."""
        return self._label(MODELS[BGE_M3])

    async def start(self) -> None:
        """Open the queue and take up what it holds; does nothing where that is done already.

        Raises EmulatorError where the queue cannot be used.
        """
        async with self._changing:
            if self._started:
                return
            self._pool.start()
            try:
                await self._runner.start()
            except BaseException:
                await self._pool.stop()
                raise
            self._started = True

    async def stop(self) -> None:
        """Leave off; batches that are not finished wait in the queue for the next start."""
        async with self._changing:
            await self._runner.stop()
            await self._pool.stop()
            self._started = False

    async def warm(self) -> None:
        """Start the scoring processes now, so that the first answer comes sooner."""
        await self._pool.warm()

    def _label(self, model: EmulatedModel) -> str:
        return self._labels[model.name]

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        await self.start()
        warming = asyncio.create_task(self.warm())
        try:
            yield
        finally:
            warming.cancel()
            await self.stop()


def choice_of(options: EmulatorOptions) -> ScorerChoice:
    """The scorer that the options name, wherever a process is started."""
    model_path = options.model_path
    return ScorerChoice(
        options.scorer,
        options.embedder,
        None if model_path is None else str(model_path.absolute()),
    )


async def _refused(request: Request, error: Exception) -> Response:
    """Starlette's own refusals, in the gateway's envelope."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        return error_response(AnswerError(NO_METHOD, headers=dict(error.headers or {})))
    return error_response(AnswerError(NO_ROUTE, path=request.url.path))


async def _fault(request: Request, error: Exception) -> Response:
    assert isinstance(error, AnswerError)
    return error_response(error)


async def _broken(request: Request, error: Exception) -> Response:
    """What a call answers that ran into a fault of ours; the guard logs it."""
    return error_response(AnswerError(INTERNAL, detail="see the log of the emulator"))
