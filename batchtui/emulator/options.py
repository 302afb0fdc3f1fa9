"""How the emulator is to behave; imports nothing heavy, so that a command line can be read quickly."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from batchtui.emulator.errors import KNOWN_ERRORS
from batchtui.emulator.faults import Span, parse_duration, parse_span

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

Value = TypeVar("Value")

LEXICAL = "lexical"
FASTEMBED = "fastembed"
SCORERS = (LEXICAL, FASTEMBED)
EMBEDDERS = ("BAAI/bge-m3", "sentence-transformers/all-MiniLM-L6-v2")
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8787
# Out of sight of others, who may see a command line in the list of processes.
TOKEN_VARIABLE = "BATCHTUI_SERVE_TOKEN"
WEEK_SECONDS = 7 * 86_400.0
MEGABYTE = 1_000_000
AT_ONCE = Span(0, 0)
A_MOMENT = Span(0.4, 0.4)


@dataclass(frozen=True, kw_only=True)
class EmulatorOptions:
    """Where the queue lies, who scores, and the moods. Times are seconds, sizes bytes.

    The defaults suit the app: a latency that is short, and long enough for a person to see each state, and
    scoring that takes only what the screen leaves.
    """

    database: Path
    scorer: str = LEXICAL
    model_path: Path | None = None
    embedder: str = EMBEDDERS[0]
    download: bool = False
    token: str | None = field(default=None, repr=False)
    latency: Span = A_MOMENT
    running: Span = A_MOMENT
    shuffle: bool = False
    results_index: bool = False
    fail_rate: float = 0.0
    error: int | None = None
    error_rate: float = 1.0
    retry_after: float | None = None
    seed: int | None = None
    expiry: float = WEEK_SECONDS
    body_limit: int = 10 * MEGABYTE
    body_seconds: float = 30.0
    workers: int = 2
    yields_to_screen: bool = True


def add_arguments(parser: ArgumentParser) -> None:
    """Add the flags of `batchtui serve` to `parser`."""
    parser.add_argument("--host", default=DEFAULT_HOST, help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=_checked(_parse_port),
        default=DEFAULT_PORT,
        help="port; 0 picks a free one (default: %(default)s)",
    )
    parser.add_argument(
        "--token",
        type=_checked(_parse_token),
        default=os.environ.get(TOKEN_VARIABLE),
        help=f"ask for this bearer token (default: ${TOKEN_VARIABLE}, which other users can't see; "
        "without it any token, or none, is taken)",
    )
    parser.add_argument(
        "--queue",
        type=_checked(_parse_file),
        metavar="FILE",
        help="keep the batches in FILE (default: in the data directory)",
    )
    scoring = parser.add_argument_group("scoring")
    scoring.add_argument(
        "--scorer",
        choices=SCORERS,
        default=LEXICAL,
        help="who scores: lexical needs no model, fastembed needs batchtui[semantic] (default: %(default)s)",
    )
    scoring.add_argument(
        "--model-path",
        type=_checked(_parse_directory),
        metavar="DIR",
        help="load the weights of fastembed from DIR, without network",
    )
    scoring.add_argument(
        "--embedder",
        choices=EMBEDDERS,
        default=EMBEDDERS[0],
        help="weights that answer for @cf/baai/bge-m3 with fastembed (default: %(default)s)",
    )
    scoring.add_argument(
        "--download", action="store_true", help="let fastembed fetch missing weights, with size and progress"
    )
    _add_mood_arguments(parser)


def _add_mood_arguments(parser: ArgumentParser) -> None:
    moods = parser.add_argument_group("moods, to test a client with")
    moods.add_argument(
        "--latency",
        type=_checked(parse_span),
        default=AT_ONCE,
        metavar="S|LOW-HIGH",
        help="seconds a batch stays queued, such as 2 or 5-20 (default: 0)",
    )
    moods.add_argument(
        "--running",
        type=_checked(parse_span),
        default=AT_ONCE,
        metavar="S|LOW-HIGH",
        help="seconds a batch is running, at the least (default: 0)",
    )
    moods.add_argument("--shuffle", action="store_true", help="answers and scores in no particular order")
    moods.add_argument(
        "--results-index", action="store_true", help="answer with results[].index in place of responses[].id"
    )
    moods.add_argument(
        "--fail-rate",
        type=_checked(_parse_share),
        default=0.0,
        metavar="0-1",
        help="share of a batch's requests that fail",
    )
    moods.add_argument(
        "--error",
        type=_checked(_parse_error),
        metavar="CODE",
        help="answer with this error, such as 3040 or 3036",
    )
    moods.add_argument(
        "--error-rate",
        type=_checked(_parse_share),
        default=1.0,
        metavar="0-1",
        help="share of calls --error strikes (default: 1)",
    )
    moods.add_argument(
        "--retry-after",
        type=_checked(parse_duration),
        metavar="S",
        help="Retry-After of a 429 (default: 1; none for a quota)",
    )
    moods.add_argument("--seed", type=int, help="make the moods repeatable")
    moods.add_argument(
        "--expiry",
        type=_checked(parse_duration),
        default=WEEK_SECONDS,
        metavar="S",
        help="seconds after which a batch is gone (default: 604800, a week)",
    )
    moods.add_argument(
        "--body-limit",
        type=_checked(_parse_body_limit),
        default=10 * MEGABYTE,
        metavar="BYTES",
        help="largest body taken (default: 10000000)",
    )


def from_arguments(namespace: Namespace, database: Path) -> EmulatorOptions:
    """What the flags of `add_arguments` say; the queue is in `database` unless they name another file."""
    return EmulatorOptions(
        database=namespace.queue or database,
        scorer=namespace.scorer,
        model_path=namespace.model_path,
        embedder=namespace.embedder,
        download=namespace.download,
        token=namespace.token,
        latency=namespace.latency,
        running=namespace.running,
        shuffle=namespace.shuffle,
        results_index=namespace.results_index,
        fail_rate=namespace.fail_rate,
        error=namespace.error,
        error_rate=namespace.error_rate,
        retry_after=namespace.retry_after,
        seed=namespace.seed,
        expiry=namespace.expiry,
        body_limit=namespace.body_limit,
        yields_to_screen=False,
    )


def _checked(parse: Callable[[str], Value]) -> Callable[[str], Value]:
    """`parse` with its ValueError told to the person as it stands."""

    def convert(text: str) -> Value:
        from argparse import ArgumentTypeError

        try:
            return parse(text)
        except ValueError as error:
            raise ArgumentTypeError(str(error)) from None

    return convert


def _parse_port(text: str) -> int:
    return _whole(text, "a port", 0, 65_535)


def _parse_token(text: str) -> str:
    if not text.strip():
        raise ValueError(f"the token is empty: give one in --token or {TOKEN_VARIABLE}, or leave both out")
    return text


def _parse_directory(text: str) -> Path:
    from batchtui.files import expanded

    try:
        return expanded(text)
    except OSError as error:
        raise ValueError(f"{text}: {error.strerror}") from None


def _parse_file(text: str) -> Path:
    path = Path(text)
    if not path.name:
        raise ValueError(f"{text!r} is not the name of a file")
    return path


def _parse_body_limit(text: str) -> int:
    return _whole(text, "a number of bytes", 1, 1_000 * MEGABYTE)


def _whole(text: str, what: str, lowest: int, highest: int) -> int:
    if not text.isascii() or not text.isdigit() or not lowest <= int(text[:12]) <= highest:
        raise ValueError(f"{text!r} is not {what} from {lowest} to {highest}")
    return int(text)


def _parse_share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError(f"{text!r} is not a share from 0 to 1")
    return share


def _parse_error(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:12]) not in KNOWN_ERRORS:
        known = ", ".join(str(code) for code in sorted(KNOWN_ERRORS))
        raise ValueError(f"{text!r} is none of the known error codes: {known}")
    return int(text)
