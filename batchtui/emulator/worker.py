"""A scoring process: reads work on standard input, answers on standard output, and ends with its input."""

import math
import os
import struct
import sys
from collections.abc import Callable
from typing import BinaryIO

import msgspec

from batchtui.emulator.frames import Done, Item, Outcome, Work, encode_frame, read_frame
from batchtui.emulator.models import MODELS
from batchtui.emulator.scorers import Embedder, Scorer, ScorerChoice, ScorerUnavailableError, load

HIGHEST_HALF = 65_504.0

NO_EMBEDDINGS = (
    "the {name} scorer of this emulator has no embeddings, so a request needs 'query' and 'contexts'; "
    "start it with batchtui serve --scorer fastembed to have them"
)


def main(arguments: list[str]) -> None:
    """Serve until standard input ends; `arguments` are a ScorerChoice as JSON, and a niceness."""
    choice = msgspec.json.decode(arguments[0], type=ScorerChoice)
    if hasattr(os, "nice"):
        os.nice(int(arguments[1]))
    serve_standard_streams(lambda reranks: load(choice, reranks=reranks))


def serve_standard_streams(load_scorer: Callable[[bool], Scorer]) -> None:
    """Answer every frame of work; `load_scorer` is called once a kind of model, when first needed."""
    source = os.fdopen(os.dup(0), "rb")
    target = os.fdopen(os.dup(1), "wb")
    # A library that prints must not break the frames, nor read them.
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    serve(source, target, load_scorer)


def serve(source: BinaryIO, target: BinaryIO, load_scorer: Callable[[bool], Scorer]) -> None:
    """Answer the frames of `source` on `target` until `source` ends or nobody reads any more."""
    scorers: dict[bool, Scorer] = {}
    decoder = msgspec.msgpack.Decoder(Work)
    while (frame := read_frame(source)) is not None:
        work = decoder.decode(frame)
        reranks = MODELS[work.model].pays_by_pair
        try:
            if reranks not in scorers:
                scorers[reranks] = load_scorer(reranks)
        except Exception as error:
            words = str(error) if isinstance(error, ScorerUnavailableError) else _cannot_load(error)
            done = Done([Outcome(error=words, internal=True)] * len(work.items))
        else:
            done = answer_work(work, scorers[reranks])
        try:
            target.write(encode_frame(done))
            target.flush()
        except BrokenPipeError:
            return


def _cannot_load(error: Exception) -> str:
    return f"the scorer of this emulator cannot be loaded: {type(error).__name__}: {error}"


def answer_work(work: Work, scorer: Scorer) -> Done:
    """Score every item in bulk; equal items, and equal texts of an item, are scored once."""
    fitting = _Fitting(scorer, by_pair=MODELS[work.model].pays_by_pair)
    outcomes: dict[Item, Outcome] = {}
    ranked: list[tuple[Item, Item, int]] = []
    for item in dict.fromkeys(work.items):
        try:
            fitted, tokens = fitting.fit(item)
        except _TooLongError as error:
            outcomes[item] = Outcome(error=str(error))
            continue
        if fitted.query is None:
            outcomes[item] = _embedded(fitted, tokens, scorer)
        else:
            ranked.append((item, fitted, tokens))
    scored = _scored([fitted for _, fitted, _ in ranked], scorer)
    for (item, _, tokens), outcome in zip(ranked, scored, strict=True):
        outcomes[item] = msgspec.structs.replace(outcome, tokens=tokens)
    return Done([outcomes[item] for item in work.items])


class _TooLongError(Exception):
    """A text has more tokens than the model's context window."""


class _Fitting:
    """Makes items fit the context window, counting each text once."""

    def __init__(self, scorer: Scorer, by_pair: bool) -> None:
        self._count = scorer.count_tokens
        self._by_pair = by_pair
        self._fitted: dict[tuple[str, int, bool], tuple[str, int]] = {}

    def fit(self, item: Item) -> tuple[Item, int]:
        """The item with its texts cut where that is allowed, and its tokens. Raises _TooLongError."""
        texts: list[str] = []
        tokens = 0
        for place, text in enumerate(item.texts):
            cut, count = self._fit_text(text, item, f"/contexts/{place}/text")
            texts.append(cut)
            tokens += count
        if item.query is None:
            return Item(tuple(texts), None, item.truncate, item.window), tokens
        query, count = self._fit_text(item.query, item, "/query")
        tokens += count * (len(texts) if self._by_pair else 1)
        return Item(tuple(texts), query, item.truncate, item.window), tokens

    def _fit_text(self, text: str, item: Item, where: str) -> tuple[str, int]:
        key = (text, item.window, item.truncate)
        known = self._fitted.get(key)
        if known is None:
            known = self._fitted[key] = (text, self._count(text))
            if known[1] > item.window:
                if not item.truncate:
                    del self._fitted[key]
                    raise _TooLongError(
                        f"'{where}' has {known[1]} tokens, over the context window of {item.window}; "
                        "set 'truncate_inputs' to have it cut"
                    )
                known = self._fitted[key] = self._cut(text, item.window)
        return known

    def _cut(self, text: str, window: int) -> tuple[str, int]:
        """The longest beginning of the text that fits, and its tokens."""
        fits, too_long = 0, len(text)
        while too_long - fits > 1:
            middle = (fits + too_long) // 2
            if self._count(text[:middle]) <= window:
                fits = middle
            else:
                too_long = middle
        return text[:fits], self._count(text[:fits])


def _scored(items: list[Item], scorer: Scorer) -> list[Outcome]:
    """Score items in bulk; where that fails, one by one, so that one bad item fails alone."""
    if not items:
        return []
    unique = [tuple(dict.fromkeys(item.texts)) for item in items]
    try:
        answers = scorer.score_batch(
            [(item.query or "", texts) for item, texts in zip(items, unique, strict=True)]
        )
    except Exception as error:
        if len(items) > 1:
            return [outcome for item in items for outcome in _scored([item], scorer)]
        return [Outcome(error=f"the {scorer.name} scorer failed: {error}", internal=True)]
    return [
        _checked(item, dict(zip(texts, scores, strict=True)), scorer)
        for item, texts, scores in zip(items, unique, answers, strict=True)
    ]


def _checked(item: Item, scores: dict[str, float], scorer: Scorer) -> Outcome:
    if not all(math.isfinite(score) and abs(score) <= HIGHEST_HALF for score in scores.values()):
        return Outcome(error=f"the {scorer.name} scorer gave a score that is no number", internal=True)
    return Outcome(scores=half_precision([scores[text] for text in item.texts]))


def half_precision(scores: list[float]) -> list[float]:
    """Each score as the nearest IEEE 754 half-precision float, as Workers AI gives them."""
    form = f"<{len(scores)}e"
    return list(struct.unpack(form, struct.pack(form, *scores)))


def _embedded(item: Item, tokens: int, scorer: Scorer) -> Outcome:
    if not isinstance(scorer, Embedder):
        return Outcome(error=NO_EMBEDDINGS.format(name=scorer.name))
    unique = tuple(dict.fromkeys(item.texts))
    try:
        vectors = dict(zip(unique, scorer.embed(unique), strict=True))
    except Exception as error:
        return Outcome(error=f"the {scorer.name} scorer failed: {error}", internal=True)
    return Outcome(tokens=tokens, vectors=[vectors[text] for text in item.texts])


if __name__ == "__main__":
    main(sys.argv[1:])
