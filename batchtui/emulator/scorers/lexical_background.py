"""How much a term tells, judged without the list it stands in."""

from pathlib import Path

_FUNCTION_WORDS = frozenset(Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").split())


def term_weight(term: str) -> float:
    """The weight of a term of a query, 0.1 (says nothing) to 1."""
    if term in _FUNCTION_WORDS:
        return 0.1
    return min(1.0, 0.5 + 0.08 * len(term))
