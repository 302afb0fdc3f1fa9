"""A draft while it is edited: every change makes a new Batch, so undo is keeping the old one."""

import re
from enum import StrEnum

import msgspec

from batchtui.model import Batch, Context, Draft, Request

KEPT_CHANGES = 200
EMPTY_REQUEST = Request("", ())


class Field(StrEnum):
    """Where in the compose pane something stands."""

    QUERY = "query"
    CONTEXTS = "contexts"
    REFERENCE = "reference"


class Problem(msgspec.Struct, frozen=True):
    """Something to mend before sending: in which request, where in it, and what to do."""

    request_index: int
    field: Field
    text: str
    context_index: int | None = None
    blocks: bool = True


class _Moment(msgspec.Struct, frozen=True):
    batch: Batch
    request_index: int


class Composition:
    """The draft in the compose pane: one request is current, and changes can be taken back.

    Changes of one field that follow each other (typing) are one step of undo.
    """

    def __init__(self, draft: Draft) -> None:
        requests = draft.batch.requests or (EMPTY_REQUEST,)
        self.batch = msgspec.structs.replace(draft.batch, requests=requests)
        self.request_index = 0
        self.draft = draft
        self._before: list[_Moment] = []
        self._after: list[_Moment] = []
        self._typing: tuple[int, Field] | None = None

    @property
    def request(self) -> Request:
        """The current request."""
        return self.batch.requests[self.request_index]

    @property
    def empty(self) -> bool:
        """Whether nothing has been composed yet."""
        return self.batch.requests == (EMPTY_REQUEST,)

    def set_query(self, text: str) -> None:
        """Put the text in place of the current query."""
        if text != self.request.query:
            self._change_request(msgspec.structs.replace(self.request, query=text), Field.QUERY)

    def set_reference(self, text: str) -> None:
        """Set the external_reference of the current request; an empty text takes it away."""
        if (text or None) != self.request.external_reference:
            changed = msgspec.structs.replace(self.request, external_reference=text or None)
            self._change_request(changed, Field.REFERENCE)

    def add_contexts(self, contexts: tuple[Context, ...], at: int | None = None) -> None:
        """Add contexts at the end of the current request, or before place `at`."""
        kept = self.request.contexts
        place = len(kept) if at is None else at
        self._set_contexts(kept[:place] + contexts + kept[place:])

    def edit_context(self, index: int, text: str) -> None:
        """Give a context another text; its id stays, its relevance was about the old text."""
        kept = self.request.contexts
        if kept[index].text != text:
            self._set_contexts(kept[:index] + (Context(text, kept[index].id),) + kept[index + 1 :])

    def duplicate_context(self, index: int) -> None:
        """Put a copy right behind a context; an id is not doubled."""
        kept = self.request.contexts
        copy = msgspec.structs.replace(kept[index], id=None)
        self._set_contexts(kept[: index + 1] + (copy,) + kept[index + 1 :])

    def delete_context(self, index: int) -> None:
        """Take a context out."""
        kept = self.request.contexts
        self._set_contexts(kept[:index] + kept[index + 1 :])

    def move_context(self, index: int, places: int) -> int:
        """Move a context up or down; returns where it stands now."""
        kept = list(self.request.contexts)
        target = max(0, min(index + places, len(kept) - 1))
        if target != index:
            kept.insert(target, kept.pop(index))
            self._set_contexts(tuple(kept))
        return target

    def go(self, request_index: int) -> bool:
        """Make another request the current one; False where there is none."""
        if not 0 <= request_index < len(self.batch.requests):
            return False
        self.request_index = request_index
        self._typing = None
        return True

    def add_request(self, request: Request = EMPTY_REQUEST) -> None:
        """Put a request behind the current one and go to it."""
        self._keep()
        requests = self.batch.requests
        place = self.request_index + 1
        self._replace_requests(requests[:place] + (request,) + requests[place:])
        self.request_index = place

    def duplicate_request(self, *, keep_query: bool, keep_contexts: bool) -> None:
        """Put a request behind the current one that has its query, its contexts, or both."""
        current = self.request
        self.add_request(
            Request(current.query if keep_query else "", current.contexts if keep_contexts else ())
        )

    def delete_request(self) -> None:
        """Take the current request out; the last one is only emptied."""
        self._keep()
        here = self.request_index
        left = self.batch.requests[:here] + self.batch.requests[here + 1 :]
        self._replace_requests(left or (EMPTY_REQUEST,))
        self.request_index = min(here, len(self.batch.requests) - 1)

    def set_model(self, model: str, *, truncate_inputs: bool | None, top_k: int | None) -> None:
        """Choose the model and what its requests take."""
        self._keep()
        self.batch = msgspec.structs.replace(
            self.batch, model=model, truncate_inputs=truncate_inputs, top_k=top_k
        )

    def undo(self) -> bool:
        """Take the last change back; False where there is none."""
        return self._swap(self._before, self._after)

    def redo(self) -> bool:
        """Make the last change again that was taken back; False where there is none."""
        return self._swap(self._after, self._before)

    def to_submit(self, unfinished: str = "") -> Batch:
        """The batch as it goes out: an unfinished context added, references filled in and unique."""
        requests = list(self.batch.requests)
        if unfinished.strip():
            current = self.request
            requests[self.request_index] = msgspec.structs.replace(
                current, contexts=(*current.contexts, Context(unfinished))
            )
        return msgspec.structs.replace(self.batch, requests=with_references(requests))

    def _change_request(self, request: Request, field: Field) -> None:
        if self._typing != (self.request_index, field):
            self._keep()
            self._typing = (self.request_index, field)
        here = self.request_index
        requests = self.batch.requests
        self._replace_requests(requests[:here] + (request,) + requests[here + 1 :])

    def _set_contexts(self, contexts: tuple[Context, ...]) -> None:
        self._typing = None
        self._change_request(msgspec.structs.replace(self.request, contexts=contexts), Field.CONTEXTS)
        self._typing = None

    def _replace_requests(self, requests: tuple[Request, ...]) -> None:
        self.batch = msgspec.structs.replace(self.batch, requests=requests)

    def _keep(self) -> None:
        self._before.append(_Moment(self.batch, self.request_index))
        del self._before[:-KEPT_CHANGES]
        self._after.clear()
        self._typing = None

    def _swap(self, source: list[_Moment], target: list[_Moment]) -> bool:
        if not source:
            return False
        target.append(_Moment(self.batch, self.request_index))
        moment = source.pop()
        self.batch, self.request_index = moment.batch, moment.request_index
        self._typing = None
        return True


def with_references(requests: list[Request]) -> tuple[Request, ...]:
    """Fill in each missing external_reference from the query's words, unique in the batch."""
    taken = {request.external_reference for request in requests}
    filled = []
    numbers: dict[str, int] = {}
    for request in requests:
        if request.external_reference is None:
            stem = _stem(request.query)
            number = numbers.get(stem, 0) + 1
            while f"{stem}-{number}" in taken:
                number += 1
            numbers[stem] = number
            reference = f"{stem}-{number}"
            taken.add(reference)
            request = msgspec.structs.replace(request, external_reference=reference)
        filled.append(request)
    return tuple(filled)


def problems_of(batch: Batch, window_bytes: int | None = None) -> list[Problem]:
    """What is missing or wrong, in reading order: what blocks sending, and what is to be looked at.

    `window_bytes` is about how long a context may be for the model; None where that is not known.
    """
    found: list[Problem] = []
    references: dict[str, int] = {}
    for number, request in enumerate(batch.requests):
        if not request.query.strip():
            found.append(Problem(number, Field.QUERY, "the query is empty: type what to search for"))
        if not request.contexts:
            found.append(Problem(number, Field.CONTEXTS, "no context yet: add at least one passage"))
        found += _problems_of_contexts(number, request, window_bytes)
        if reference := request.external_reference:
            if reference in references:
                other = references[reference] + 1
                text = (
                    f"the reference {reference!r} is that of request {other} too; answers are told by place"
                )
                found.append(Problem(number, Field.REFERENCE, text, blocks=False))
            references.setdefault(reference, number)
    return found


def _problems_of_contexts(request_index: int, request: Request, window_bytes: int | None) -> list[Problem]:
    found = []
    first: dict[str, int] = {}
    for place, context in enumerate(request.contexts):
        if not context.text.strip():
            text = f"context {place + 1} is empty: write it or delete it"
            found.append(Problem(request_index, Field.CONTEXTS, text, place))
        elif context.text in first:
            text = f"context {place + 1} says the same as context {first[context.text] + 1}"
            found.append(Problem(request_index, Field.CONTEXTS, text, place, blocks=False))
        elif window_bytes is not None and len(context.text) * 4 > window_bytes:
            length = len(context.text.encode("utf-8", "replace"))
            if length > window_bytes:
                text = (
                    f"context {place + 1} may be over the model's window: {length:,} bytes, "
                    f"about {window_bytes:,} fit; shorten it, or have it cut (f6)"
                )
                found.append(Problem(request_index, Field.CONTEXTS, text, place, blocks=False))
        first.setdefault(context.text, place)
    return found


def counts_of(batch: Batch) -> str:
    """How many requests and contexts a batch has, in words."""
    requests, contexts = len(batch.requests), batch.context_count
    return (
        f"{requests:,} request{'s' if requests != 1 else ''}, "
        f"{contexts:,} context{'s' if contexts != 1 else ''}"
    )


def _stem(query: str) -> str:
    words = re.findall(r"[a-z0-9]+", query[:200].lower())
    longest = max(words, key=len, default="")
    return longest[:20] if len(longest) > 1 else "request"
