"""Who scores: a scorer ranks contexts by a query on this machine, and is imported only when chosen."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec


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

    def label(self, reranks: bool) -> str:
        """What answers are marked with: `lexical`, or `fastembed:` and the weights."""
        if self.name != "fastembed":
            return self.name
        return f"fastembed:{RERANKER_WEIGHTS if reranks else self.embedder}"


RERANKER_WEIGHTS = "BAAI/bge-reranker-base"


def load(choice: ScorerChoice, *, reranks: bool = False) -> Scorer:
    """The scorer, ready; `reranks` asks for the cross-encoder where the scorer has one.

    Raises ScorerUnavailableError.
    """
    if choice.name == "fastembed":
        from batchtui.emulator.scorers.semantic import load_fastembed

        model_path = None if choice.model_path is None else Path(choice.model_path)
        return load_fastembed(RERANKER_WEIGHTS if reranks else choice.embedder, model_path)
    from batchtui.emulator.scorers.lexical import LexicalScorer

    return LexicalScorer()
