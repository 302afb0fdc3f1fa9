"""The routes around the models: accounts, token checks, the list of models and their schemas."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from batchtui.emulator.answers import encode, envelope
from batchtui.emulator.errors import AUTHENTICATION, NO_MODEL, AnswerError
from batchtui.emulator.models import MODELS, EmulatedModel
from batchtui.emulator.openapi import describe, input_schema, output_schema

LOCAL_ACCOUNT = "0" * 32
LOCAL_TOKEN = "1" * 32
USUAL_PAGE = 50


def directory_routes(base: str, label: Callable[[EmulatedModel], str], embeds: bool) -> list[Route]:
    """Routes under `base`; `label` names the scorer of a model, `embeds` says whether it has embeddings."""

    async def accounts(request: Request) -> Response:
        account: dict[str, object] = {"id": LOCAL_ACCOUNT, "name": "batchtui's emulator", "type": "standard"}
        return _listed([account], request)

    async def verify(request: Request) -> Response:
        message = {"code": AUTHENTICATION, "message": "This API Token is valid and active", "type": None}
        return json_response(envelope({"id": LOCAL_TOKEN, "status": "active"}, [message]))

    async def search(request: Request) -> Response:
        words = request.query_params.get("search", "").lower()
        task = request.query_params.get("task", "").lower()
        found = [
            _model_entry(model, label(model))
            for model in MODELS.values()
            if words in model.name and task in model.task.lower()
        ]
        return _listed(found, request)

    async def schema(request: Request) -> Response:
        name = request.query_params.get("model", "")
        if name not in MODELS:
            raise AnswerError(NO_MODEL, model=name)
        model = MODELS[name]
        return json_response(envelope({"input": input_schema(model, embeds), "output": output_schema(model)}))

    async def openapi(request: Request) -> Response:
        return json_response(describe(base, embeds))

    return [
        Route(f"{base}/accounts", accounts, methods=["GET"]),
        Route(f"{base}/user/tokens/verify", verify, methods=["GET"]),
        Route(f"{base}/accounts/{{account_id}}/tokens/verify", verify, methods=["GET"]),
        Route(f"{base}/accounts/{{account_id}}/ai/models/search", search, methods=["GET"]),
        Route(f"{base}/accounts/{{account_id}}/ai/models/schema", schema, methods=["GET"]),
        Route(f"{base}/openapi.json", openapi, methods=["GET"]),
    ]


def json_response(content: object, headers: dict[str, str] | None = None) -> Response:
    """A 200 with JSON; bytes are taken to be JSON already."""
    body = content if isinstance(content, bytes) else encode(content)
    return Response(body, headers=headers, media_type="application/json")


def _listed(entries: list[dict[str, object]], request: Request) -> Response:
    """One page of the entries, by the `page` (from 1) and `per_page` asked for."""
    page, per_page = _number_in(request, "page", 1), _number_in(request, "per_page", USUAL_PAGE)
    shown = entries[(page - 1) * per_page : page * per_page]
    info = {"count": len(shown), "page": page, "per_page": per_page, "total_count": len(entries)}
    info["total_pages"] = -(-len(entries) // per_page)
    return json_response({**envelope(shown), "result_info": info})


def _number_in(request: Request, name: str, usual: int) -> int:
    given = request.query_params.get(name, "")
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 10 else usual
    return max(number, 1)


def _model_entry(model: EmulatedModel, label: str) -> dict[str, object]:
    properties = [
        {"property_id": "context_window", "value": str(model.window)},
        {"property_id": "async_queue", "value": "true" if model.takes_batches else "false"},
        {"property_id": "scorer", "value": label},
    ]
    return {
        "id": model.id,
        "source": 1,
        "name": model.name,
        "description": f"Local emulator, not Cloudflare: scored on this machine by {label}. {model.words}",
        "task": {"id": model.task_id, "name": model.task},
        "tags": [],
        "properties": properties,
    }
