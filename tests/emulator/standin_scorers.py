"""Scorers that do what a test needs to see."""

import os
import time
from collections.abc import Sequence
from pathlib import Path


class Lengths:
    """Scores a context by its length, a 1,024th a character; one character is one token."""

    name = "lengths"

    def score_batch(self, requests: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
        return [[len(context) / 1024 for context in contexts] for _, contexts in requests]

    def count_tokens(self, text: str) -> int:
        return len(text)

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [[float(len(text)), 1.0] for text in texts]


class Bare:
    """A scorer without embeddings."""

    name = "bare"

    def score_batch(self, requests: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
        return [[0.0] * len(contexts) for _, contexts in requests]

    def count_tokens(self, text: str) -> int:
        return len(text)


class Fragile(Lengths):
    """Ends, raises, or gives no number where a query asks for it."""

    name = "fragile"

    def score_batch(self, requests: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
        queries = [query for query, _ in requests]
        if "end" in queries:
            os._exit(7)
        if "raise" in queries:
            raise ValueError("no such thing")
        if "print" in queries:
            print("a library that prints")
            os.write(1, b"and one that writes\n")
        return [
            [float("nan")] * len(contexts) if query == "nan" else [0.5] * len(contexts)
            for query, contexts in requests
        ]


class EndsOnce(Lengths):
    """Ends at the first piece of work it is given with a query that is the path of a file not there yet."""

    name = "ends-once"

    def score_batch(self, requests: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
        for query, _ in requests:
            if query.startswith("/") and not Path(query).exists():
                Path(query).touch()
                os._exit(7)
        return super().score_batch(requests)


class Counting(Lengths):
    """Scores every context with the number of contexts it was given at once."""

    name = "counting"

    def score_batch(self, requests: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
        given = sum(len(contexts) for _, contexts in requests)
        return [[float(given)] * len(contexts) for _, contexts in requests]


class Slow(Lengths):
    """Takes a while over each request."""

    name = "slow"

    def score_batch(self, requests: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
        time.sleep(0.05 * len(requests))
        return super().score_batch(requests)


class Peeking(Lengths):
    """Gives up an environment variable's length as the score of the context that names it."""

    name = "peeking"

    def score_batch(self, requests: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
        return [[float(len(os.environ.get(text, ""))) for text in contexts] for _, contexts in requests]


class Telling(Lengths):
    """Writes the number of its process into the file that the query names."""

    name = "telling"

    def score_batch(self, requests: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
        for query, _ in requests:
            Path(query).write_text(str(os.getpid()))
        return super().score_batch(requests)
