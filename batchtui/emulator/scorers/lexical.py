"""Scores by shared words and parts of words: no model, no dependency, any language."""

import math
from collections import Counter
from collections.abc import Sequence

from batchtui.emulator.scorers.lexical_background import term_weight
from batchtui.emulator.scorers.lexical_terms import terms

_SATURATION = 0.9
_TYPICAL_LENGTH = 80
_LENGTH_EFFECT = 0.4
_LEAST_SIMILARITY = 0.3


class LexicalScorer:
    """Scores contexts by the weighted share of the query's terms that they hold, whole or in part."""

    name = "lexical"

    def __init__(self) -> None:
        self._grams: dict[str, frozenset[str]] = {}

    def score_batch(self, requests: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
        """Scores in 0 to 1, one for each context of each (query, contexts), in the order given."""
        counted: dict[str, Counter[str]] = {}
        answers: list[list[float]] = []
        for text, contexts in requests:
            query = _Query(text, self._grams)
            answers.append([self._score(query, context, counted) for context in contexts])
        return answers

    def count_tokens(self, text: str) -> int:
        """An estimate of a text's tokens: a token for every four UTF-8 bytes, and one at least."""
        return max(1, (len(text.encode("utf-8", "replace")) + 3) // 4)

    def _score(self, query: "_Query", context: str, counted: dict[str, Counter[str]]) -> float:
        counts = counted.get(context)
        if counts is None:
            counts = counted[context] = Counter(terms(context))
        return query.score(counts)


class _Query:
    def __init__(self, text: str, grams: dict[str, frozenset[str]]) -> None:
        counts = Counter(terms(text))
        self._weights = {term: term_weight(term) * math.sqrt(n) for term, n in counts.items()}
        self._total = sum(self._weights.values())
        self._grams = grams
        self._near: dict[str, list[tuple[str, float]]] = {}

    def score(self, counts: Counter[str]) -> float:
        if not self._total:
            return 0.0
        found: dict[str, float] = {}
        for word, n in counts.items():
            near = self._near.get(word)
            if near is None:
                near = self._near[word] = self._like(word)
            for term, similarity in near:
                found[term] = found.get(term, 0.0) + similarity * n
        length = 1 - _LENGTH_EFFECT + _LENGTH_EFFECT * counts.total() / _TYPICAL_LENGTH
        score = sum(
            self._weights[term] * amount / (amount + _SATURATION * length)
            for term, amount in sorted(found.items())
        )
        return score / self._total

    def _like(self, word: str) -> list[tuple[str, float]]:
        if word in self._weights:
            return [(word, 1.0)]
        grams = self._grams_of(word)
        return [
            (term, similarity)
            for term in self._weights
            if (similarity := _similarity(grams, self._grams_of(term))) >= _LEAST_SIMILARITY
        ]

    def _grams_of(self, word: str) -> frozenset[str]:
        grams = self._grams.get(word)
        if grams is None:
            marked = f"^{word}$"
            grams = self._grams[word] = frozenset(
                marked[i : i + n] for n in (3, 4) for i in range(len(marked) - n + 1)
            )
        return grams


def _similarity(one: frozenset[str], other: frozenset[str]) -> float:
    shared = len(one & other)
    return shared / math.sqrt(len(one) * len(other)) if shared else 0.0
