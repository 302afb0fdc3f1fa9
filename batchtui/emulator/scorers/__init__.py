"""Who scores: a scorer ranks contexts by a query on this machine, and is imported only when chosen."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec

from batchtui.emulator.errors import EmulatorError
from batchtui.emulator.scorers.weights import (
    MISSING_PACKAGE,
    RERANKER_WEIGHTS,
    download,
    find_weights,
    missing_weights,
)


class ScorerUnavailableError(Exception):
    """The scorer cannot be loaded; the message says what is missing and what helps."""


class Scorer(Protocol):
    """Scores requests in bulk; `name` is what the scorer is called wherever its scores are shown."""

    name: str

    def score_batch(self, requests: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
        """A score for each context of each (query, contexts), in the order given; higher is better."""
        ...

    def count_tokens(self, text: str) -> int:
        """How many tokens the scorer reads in the text."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """A scorer that has embeddings."""

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text; all of one length."""
        ...


class ScorerChoice(msgspec.Struct, frozen=True):
    """Which scorer a process is to load; `embedder` and `model_path` are for fastembed alone."""

    name: str
    embedder: str
    model_path: str | None = None

    @property
    def directory(self) -> Path | None:
        """Where the weights are looked for; None for where downloads are kept."""
        return None if self.model_path is None else Path(self.model_path)

    def weights(self, reranks: bool) -> str:
        """The name of the weights that fastembed is to load."""
        return RERANKER_WEIGHTS.name if reranks else self.embedder

    def label(self, reranks: bool) -> str:
        """What answers are marked with: `lexical`, or `fastembed:` and the weights."""
        if self.name != "fastembed":
            return self.name
        place = find_weights(self.weights(reranks), self.directory)
        return f"fastembed:{self.weights(reranks)}" if place is None else place.label


def load(choice: ScorerChoice, *, reranks: bool = False) -> Scorer:
    """The scorer, ready; `reranks` asks for the cross-encoder where the scorer has one.

    Raises ScorerUnavailableError.
    """
    if choice.name == "fastembed":
        from batchtui.emulator.scorers.semantic import load_fastembed

        return load_fastembed(choice.weights(reranks), choice.directory)
    from batchtui.emulator.scorers.lexical import LexicalScorer

    return LexicalScorer()


def prepare(choice: ScorerChoice, *, may_download: bool, tell: Callable[[str], None]) -> None:
    """See to it that the scorer can be loaded; fetch its weights where allowed. Raises EmulatorError."""
    if choice.name != "fastembed":
        return
    if find_spec("fastembed") is None:
        raise EmulatorError(MISSING_PACKAGE)
    for reranks in (False, True):
        name = choice.weights(reranks)
        if may_download and choice.model_path is None and find_weights(name, None) is None:
            download(name, tell)
    if not any(find_weights(choice.weights(reranks), choice.directory) for reranks in (False, True)):
        raise EmulatorError(missing_weights(choice.embedder, choice.directory))
