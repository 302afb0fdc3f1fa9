"""Scores by shared words and parts of words: no model, no dependency, any language."""

from collections import Counter
from collections.abc import Sequence

from batchtui.emulator.scorers.lexical_background import Background
from batchtui.emulator.scorers.lexical_query import Query, WordParts
from batchtui.emulator.scorers.lexical_terms import estimated_tokens, terms

_MOST_KEPT_TERMS = 500_000


class LexicalScorer:
    """Scores contexts by the weighted share of the query's terms that they hold, whole or in part.

    A score depends on its query and context alone, so a pair has the same score in every list and process.
    """

    name = "lexical"

    def __init__(self) -> None:
        self._background = Background()
        self._word_parts = WordParts()

    def score_batch(self, requests: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
        """Scores in 0 to 1, one for each context of each (query, contexts), in the order given."""
        uses = Counter(context for _, contexts in requests for context in contexts)
        repeated: dict[str, list[str]] = {}
        room = _MOST_KEPT_TERMS
        answers: list[list[float]] = []
        for text, contexts in requests:
            query = Query(text, self._background, self._word_parts)
            scores: list[float] = []
            for context in contexts:
                words = repeated.get(context)
                if words is None:
                    words = terms(context)
                    if uses[context] > 1 and len(words) <= room:
                        repeated[context] = words
                        room -= len(words)
                scores.append(query.score(words))
            answers.append(scores)
        return answers

    def count_tokens(self, text: str) -> int:
        """An estimate of the tokens of a text, as `estimated_tokens` makes it."""
        return estimated_tokens(text)
