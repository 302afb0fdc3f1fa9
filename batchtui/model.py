"""The words of batchtui as plain, frozen data: no I/O, nothing of the project imported."""

from enum import StrEnum

import msgspec

DEFAULT_MODEL = "@cf/baai/bge-m3"
HIGHEST_GRADE = 3


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """One candidate text; it may bear an id of its own and a known relevance (0 to 3)."""

    text: str
    id: str | None = None
    relevance: int | None = None


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """One query with its contexts, in the order in which they are sent."""

    query: str
    contexts: tuple[Context, ...]
    external_reference: str | None = None


class Batch(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model and its requests, in order, with the settings every request of it takes.

    `truncate_inputs` and `top_k` are sent only where they are not None and the model takes them.
    """

    requests: tuple[Request, ...]
    model: str = DEFAULT_MODEL
    truncate_inputs: bool | None = None
    top_k: int | None = None

    @property
    def context_count(self) -> int:
        """How many contexts all requests have together."""
        return sum(len(request.contexts) for request in self.requests)


class Draft(msgspec.Struct, frozen=True):
    """A batch not yet submitted, with a name and the text that still stands in the context editor."""

    id: int
    batch: Batch
    name: str = ""
    unfinished: str = ""
    updated_at: float = 0.0


class Usage(msgspec.Struct, frozen=True):
    """Tokens of a job."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.total_tokens + other.total_tokens,
        )


class RankedContext(msgspec.Struct, frozen=True):
    """The place in the request (from 0, as sent) and the score of one context."""

    index: int
    score: float


class Ranking(msgspec.Struct, frozen=True):
    """The contexts of one request by score, highest first; ties keep the order in which they were given."""

    entries: tuple[RankedContext, ...]


def rank_by_score(scores: "list[tuple[int, float]]") -> Ranking:
    """Order (index, score) pairs into a ranking: highest score first, ties by index."""
    ordered = sorted(scores, key=lambda pair: (-pair[1], pair[0]))
    return Ranking(tuple(RankedContext(index, score) for index, score in ordered))


class RequestResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came back for one request: a ranking, or why there is none.

    `problems` says what did not fit what was sent (an id missing, doubled or out of range, no score).
    """

    success: bool
    ranking: Ranking | None = None
    error: str | None = None
    problems: tuple[str, ...] = ()


class JobState(StrEnum):
    """Where a job stands; see the README for what moves it."""

    SENDING = "sending"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    EXPIRED = "expired"
    STOPPED = "stopped"

    @property
    def open(self) -> bool:
        """Whether the job is still followed."""
        return self in OPEN_STATES


OPEN_STATES = frozenset({JobState.SENDING, JobState.QUEUED, JobState.RUNNING})


class JobError(msgspec.Struct, frozen=True):
    """Why a job is not done, and what a person can do about it."""

    code: int | None
    message: str
    hint: str


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A submitted batch, followed until it ends. Times are epoch seconds, UTC.

    `id` is our number; `request_id` is Workers AI's (of the first part where there are several).
    `problem` is what the last ask ran into while the job is still followed.
    """

    id: int
    state: JobState
    backend: str
    model: str
    created_at: float
    requests: int
    contexts: int
    label: str = ""
    note: str = ""
    pinned: bool = False
    request_id: str | None = None
    account_id: str | None = None
    submitted_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    usage: Usage | None = None
    error: JobError | None = None
    problem: JobError | None = None
    failed_requests: int = 0
    scorer: str | None = None
    next_ask_at: float | None = None
    parts: int = 1
    parts_done: int = 0
    body_bytes: int = 0
    ndcg_at_10: float | None = None
