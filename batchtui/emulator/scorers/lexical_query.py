"""One query, ready to be compared with many contexts."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import islice, pairwise
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
# Short words that differ in their accents alone are seldom kin: Vietnamese ban, bán, bàn.
_SHORTEST_PLAIN, _SHORTEST_ACCENTED = 3, 4
_FIRST_UNSPACED = "\u0e00"
# Beyond so many distinct terms a query is long: its language is its own, and further terms are found only as
# they stand.
_MOST_INEXACT_TERMS = 256
_SCORE_OF_ITSELF = 0.97
_MOST_KEPT_WORDS = 20_000


class WordParts:
    """The character 3- and 4-grams of words, with the ends of a word marked; kept between requests."""

    def __init__(self) -> None:
        self._parts: dict[str, frozenset[str]] = {}

    def of(self, word: str) -> frozenset[str]:
        """The n-grams of a word."""
        parts = self._parts.get(word)
        if parts is None:
            if len(self._parts) >= _MOST_KEPT_WORDS:
                self._parts.clear()
            marked = f"^{without_accents(word)}$"
            threes = [marked[start : start + 3] for start in range(len(marked) - 2)]
            fours = [marked[start : start + 4] for start in range(len(marked) - 3)]
            parts = self._parts[word] = frozenset(threes + fours)
        return parts


class _Weights(NamedTuple):
    terms: dict[str, float]
    pairs: dict[tuple[str, str], float]
    all_terms: float
    all_pairs: float


class Query:
    """A query's terms with the words found to be like them; it is kept for the length of one request."""

    def __init__(self, text: str, background: Background, word_parts: WordParts) -> None:
        self._words = terms(text)
        self._counts = Counter(self._words)
        self._pairs = frozenset(pairwise(self._words))
        self._typical_length = max(_TYPICAL_LENGTH, len(self._words))
        self._background = background
        self._word_parts = word_parts
        inexact = islice(filter(self._can_be_like, self._counts), _MOST_INEXACT_TERMS)
        self._parts = {term: word_parts.of(term) for term in inexact}
        self._all_parts = frozenset().union(*self._parts.values())
        self._fewest_parts = min(map(len, self._parts.values()), default=0)
        is_long = len(self._counts) > _MOST_INEXACT_TERMS
        self._own_language = background.language(self._counts) if is_long else ""
        self._matches: dict[str, list[tuple[str, float]]] = {}
        self._unrelated: set[str] = set()
        self._weights: dict[str, _Weights] = {}
        self._sharpness: dict[str, float] = {}

    def score(self, words: Sequence[str]) -> float:
        """The score of a context given by its terms: 0 for nothing shared, near 1 for the query itself."""
        if not self._counts:
            return 0.0
        counts = Counter(words)
        language = self._own_language or self._background.language(counts, self._counts)
        sharpness = self._sharpness.get(language)
        if sharpness is None:
            itself = self._overlap(self._words, self._counts, language)
            sharpness = max(1.0, math.log(1 - _SCORE_OF_ITSELF) / math.log1p(-itself))
            self._sharpness[language] = sharpness
        return 1 - math.pow(1 - self._overlap(words, counts, language), sharpness)

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
        if not self._parts or not self._can_be_like(word):
            return []
        parts = self._word_parts.of(word)
        shared = parts & self._all_parts
        if len(shared) < _LEAST_LIKENESS * math.sqrt(len(parts) * self._fewest_parts):
            return []
        likenesses = (
            (term, len(shared & others) / math.sqrt(len(parts) * len(others)))
            for term, others in self._parts.items()
        )
        return [(term, like * _LIKE_WORD_WORTH) for term, like in likenesses if like >= _LEAST_LIKENESS]

    def _can_be_like(self, word: str) -> bool:
        spaced = (
            len(word) >= (_SHORTEST_PLAIN if word.isascii() else _SHORTEST_ACCENTED)
            and word < _FIRST_UNSPACED
        )
        return spaced and not self._background.is_grammatical(word)

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
