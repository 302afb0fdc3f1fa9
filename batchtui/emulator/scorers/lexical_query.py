"""One query, ready to be compared with many contexts."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from batchtui.emulator.scorers.lexical_background import Background
from batchtui.emulator.scorers.lexical_terms import terms, without_accents

# BM25's k1 and b, with a fixed typical length in place of the mean of the list.
_SATURATION = 0.8
_LENGTH_EFFECT = 0.9
_TYPICAL_LENGTH = 80
_PAIRS_SHARE = 1 / 6
_LEAST_LIKENESS = 0.35
_LIKE_WORD_WORTH = 0.85
_SHORTEST_LIKE_WORD = 4
_FIRST_UNSPACED = "\u0e00"
_SCORE_OF_ITSELF = 0.97
_MOST_KEPT_WORDS = 20_000


class LikeWords:
    """The likeness of words by the character 3- and 4-grams they share, with their ends marked."""

    def __init__(self) -> None:
        self._grams: dict[str, frozenset[str]] = {}

    def likeness(self, one: str, other: str) -> float:
        """The cosine of the two sets of n-grams, 0 to 1."""
        first, second = self._grams_of(one), self._grams_of(other)
        if first.isdisjoint(second):
            return 0.0
        return len(first & second) / math.sqrt(len(first) * len(second))

    def _grams_of(self, word: str) -> frozenset[str]:
        grams = self._grams.get(word)
        if grams is None:
            if len(self._grams) >= _MOST_KEPT_WORDS:
                self._grams.clear()
            marked = f"^{without_accents(word)}$"
            threes = [marked[start : start + 3] for start in range(len(marked) - 2)]
            fours = [marked[start : start + 4] for start in range(len(marked) - 3)]
            grams = self._grams[word] = frozenset(threes + fours)
        return grams


class _Weights(NamedTuple):
    terms: dict[str, float]
    pairs: dict[tuple[str, str], float]
    all_terms: float
    all_pairs: float


class Query:
    """A query's terms with the words found to be like them; it is kept for the length of one request."""

    def __init__(self, text: str, background: Background, like_words: LikeWords) -> None:
        self._words = terms(text)
        self._counts = Counter(self._words)
        self._pairs = frozenset(pairwise(self._words))
        self._typical_length = max(_TYPICAL_LENGTH, len(self._words))
        self._background = background
        self._like_words = like_words
        self._can_be_like = [
            term for term in self._counts if len(term) >= _SHORTEST_LIKE_WORD and term < _FIRST_UNSPACED
        ]
        self._matches: dict[str, list[tuple[str, float]]] = {}
        self._unrelated: set[str] = set()
        self._weights: dict[str, _Weights] = {}
        self._sharpness: dict[str, float] = {}

    def score(self, words: Sequence[str]) -> float:
        """The score of a context given by its terms: 0 for nothing shared, near 1 for the query itself."""
        if not self._counts:
            return 0.0
        counts = Counter(words)
        language = self._background.language(counts, self._counts)
        sharpness = self._sharpness.get(language)
        if sharpness is None:
            itself = self._overlap(self._words, self._counts, language)
            sharpness = max(1.0, math.log(1 - _SCORE_OF_ITSELF) / math.log1p(-itself))
            self._sharpness[language] = sharpness
        return 1 - (1 - self._overlap(words, counts, language)) ** sharpness

    def _overlap(self, words: Sequence[str], counts: Counter[str], language: str) -> float:
        amounts = self._amounts(counts)
        if not amounts:
            return 0.0
        weights = self._weights_in(language)
        length = 1 - _LENGTH_EFFECT + _LENGTH_EFFECT * len(words) / self._typical_length
        # fsum: an exact sum does not depend on the order of a set, which differs between processes.
        found = math.fsum(
            weights.terms[term] * amount / (amount + _SATURATION * length) for term, amount in amounts.items()
        )
        overlap = found / weights.all_terms
        if not self._pairs:
            return overlap
        adjacent = self._pairs.intersection(pairwise(words)) if len(amounts) > 1 else ()
        together = math.fsum(weights.pairs[pair] for pair in adjacent) / weights.all_pairs
        return (1 - _PAIRS_SHARE) * overlap + _PAIRS_SHARE * together

    def _amounts(self, counts: Counter[str]) -> dict[str, float]:
        parts: dict[str, list[float]] = {}
        for word in counts.keys() - self._unrelated:
            matches = self._matches.get(word)
            if matches is None:
                matches = self._matches_of(word)
                if not matches:
                    self._unrelated.add(word)
                    continue
                self._matches[word] = matches
            for term, likeness in matches:
                parts.setdefault(term, []).append(likeness * counts[word])
        return {term: math.fsum(amounts) for term, amounts in parts.items()}

    def _matches_of(self, word: str) -> list[tuple[str, float]]:
        if word in self._counts:
            return [(word, 1.0)]
        if len(word) < _SHORTEST_LIKE_WORD or self._background.is_grammatical(word):
            return []
        likenesses = ((term, self._like_words.likeness(term, word)) for term in self._can_be_like)
        return [(term, like * _LIKE_WORD_WORTH) for term, like in likenesses if like >= _LEAST_LIKENESS]

    def _weights_in(self, language: str) -> _Weights:
        weights = self._weights.get(language)
        if weights is None:
            by_term = {
                term: self._background.weight(term, language) * math.sqrt(times)
                for term, times in self._counts.items()
            }
            by_pair = {pair: min(by_term[pair[0]], by_term[pair[1]]) for pair in self._pairs}
            weights = _Weights(by_term, by_pair, math.fsum(by_term.values()), math.fsum(by_pair.values()))
            self._weights[language] = weights
        return weights
