"""The emulator's own description of itself, in OpenAPI 3.1."""

from typing import Any

import batchtui
from batchtui.emulator.faults import FAULT_HEADER
from batchtui.emulator.models import BGE_M3, MODELS, EmulatedModel
from batchtui.emulator.validation import MOST_TEXTS

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
CONTEXTS: Schema = {
    "type": "array",
    "items": {"type": "object", "required": ["text"], "properties": {"text": TEXT}},
}
COMMON: Schema = {
    "truncate_inputs": {"type": "boolean", "default": False},
    "external_reference": {"type": ["string", "null"]},
}
EMBED: Schema = {
    "type": "object",
    "required": ["text"],
    "properties": {
        "text": {"oneOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1, "maxItems": MOST_TEXTS}]},
        **COMMON,
    },
    "not": {"anyOf": [{"required": [name]} for name in ("requests", "request_id", "contexts")]},
}
RERANK: Schema = {
    "type": "object",
    "required": ["query", "contexts"],
    "properties": {"query": TEXT, "contexts": CONTEXTS, "top_k": {"type": ["integer", "null"], "minimum": 1}},
}
COLLECT: Schema = {
    "type": "object",
    "required": ["request_id"],
    "properties": {"request_id": TEXT},
    "not": {"anyOf": [{"required": [name]} for name in ("requests", "contexts", "text")]},
}
SCORES: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["id", "score"],
        "properties": {"id": {"type": "integer", "minimum": 0}, "score": {"type": "number"}},
    },
}


def input_schema(model: EmulatedModel, embeds: bool) -> Schema:
    """What a model takes to run at once or, wrapped in `requests`, in a batch.

    Without embeddings (`embeds`) a query is needed.
    """
    if not model.takes_batches:
        return RERANK
    one = _one_request(embeds)
    many: Schema = {
        "type": "object",
        "required": ["requests"],
        "properties": {"requests": {"type": "array", "items": {"oneOf": one}, "minItems": 1}},
        "not": {"anyOf": [{"required": [name]} for name in ("request_id", "contexts", "text")]},
    }
    return {"type": "object", "oneOf": [*one, many]}


def _one_request(embeds: bool) -> list[Schema]:
    rank: Schema = {
        "type": "object",
        "required": ["contexts"] if embeds else ["contexts", "query"],
        "properties": {"query": TEXT, "contexts": CONTEXTS, **COMMON},
        "not": {"anyOf": [{"required": [name]} for name in ("requests", "request_id", "text")]},
    }
    return [rank, EMBED] if embeds else [rank]


def output_schema(model: EmulatedModel) -> Schema:
    """What a model answers, under `result`."""
    ranked: Schema = {"type": "object", "required": ["response"], "properties": {"response": SCORES}}
    if not model.takes_batches:
        return ranked
    queued: Schema = {
        "type": "object",
        "required": ["status", "request_id"],
        "properties": {
            "status": {"enum": ["queued", "running", "failed"]},
            "request_id": {"type": "string"},
            "model": {"type": "string"},
        },
    }
    return {"type": "object", "anyOf": [ranked, queued, {"type": "object"}]}


def describe(base: str, embeds: bool) -> Schema:
    """The whole description; `base` is the path before all routes, `embeds` whether there are embeddings."""
    account = _parameter("account_id", "path", {"type": "string", "minLength": 1})
    task = _parameter("task", "query", {"type": "string"})
    words = _parameter("search", "query", {"type": "string"})
    named = _parameter("model", "query", {"enum": list(MODELS)}, required=True)
    paths: Schema = {
        "/accounts": {"get": _operation("listAccounts", "The one account there is")},
        "/user/tokens/verify": {"get": _operation("verifyToken", "Check a user's token")},
        "/accounts/{account_id}/tokens/verify": {
            "get": _operation("verifyAccountToken", "Check an account's token", [account])
        },
        "/accounts/{account_id}/ai/models/search": {
            "get": _operation("searchModels", "The models that are emulated", [account, words, task])
        },
        "/accounts/{account_id}/ai/models/schema": {
            "get": _operation("modelSchema", "What a model takes and answers", [account, named])
        },
    }
    for model in MODELS.values():
        paths[f"/accounts/{{account_id}}/ai/run/{model.name}"] = {
            "post": _run_operation(model, account, embeds)
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "batchtui's emulator of Workers AI",
            "version": batchtui.__version__,
            "description": "A local stand-in for Workers AI's Asynchronous Batch API; not Cloudflare's.",
        },
        "servers": [{"url": base}],
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}, {}],
    }


def _run_operation(model: EmulatedModel, account: Schema, embeds: bool) -> Schema:
    queue = _parameter(
        "queueRequest", "query", {"enum": ["true", "false"] if model.takes_batches else ["false"]}
    )
    taken = input_schema(model, embeds)
    if model.takes_batches:
        taken = {"type": "object", "oneOf": [*taken["oneOf"], COLLECT]}
    operation_id = "runBgeM3" if model.name == BGE_M3 else "runBgeRerankerBase"
    operation = _operation(operation_id, model.words, [account, queue], output_schema(model))
    operation["description"] = (
        f"A `{FAULT_HEADER}` header brings on a fault for this one call, such as `3040; retry-after=2`."
    )
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": taken}}}
    return operation


def _operation(
    operation_id: str, summary: str, parameters: list[Schema] | None = None, result: Schema | None = None
) -> Schema:
    return {
        "operationId": operation_id,
        "summary": summary,
        "parameters": parameters or [],
        "responses": {
            "200": _answer("Done", True, result or {"type": ["object", "array"]}),
            "default": _answer("An error, with its code", False, {"type": ["object", "null"]}),
        },
    }


def _answer(description: str, success: bool, result: Schema) -> Schema:
    message: Schema = {
        "type": "object",
        "required": ["code", "message"],
        "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
    }
    schema: Schema = {
        "type": "object",
        "required": ["result", "success", "errors", "messages"],
        "properties": {
            "result": result,
            "success": {"const": success},
            "errors": {"type": "array", "items": message},
            "messages": {"type": "array", "items": message},
        },
    }
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _parameter(name: str, place: str, schema: Schema, required: bool = False) -> Schema:
    return {"name": name, "in": place, "required": required or place == "path", "schema": schema}
