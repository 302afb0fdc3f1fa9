"""How much a term tells about a text, judged from tables of common words and not from the list at hand."""

from collections.abc import Iterable
from pathlib import Path

from batchtui.emulator.scorers.lexical_terms import fold

_TABLE = Path(__file__).with_suffix(".txt")
_TIER_WEIGHTS = {1: 0.03, 2: 0.22, 3: 0.42}
# By how many of a term's four characters belong to words that carry grammar.
_THAI_WEIGHTS = (1.0, 0.9, 0.6, 0.3, 0.15)
_GRAMMATICAL_CHARACTERS = frozenset(
    "的了是在和有我你他她它这那们也就都而及与着或不为以于之其被把从到对吗呢吧什么哪谁何几多少怎样如个很最更还又所但并且若则因此由向给让使得地"
    "這們與於嗎麼誰個對從為來説說請後還會裡"
)


class Background:
    """Weights of terms in 0 to 1 by language, from hand-made tables; words that no table holds weigh most."""

    def __init__(self) -> None:
        self._tiers: dict[str, dict[str, int]] = {}
        self._languages: dict[str, list[str]] = {}
        for line in _TABLE.read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                self._add(*fold(line).split())
        self._grammatical = frozenset(self._languages)

    def _add(self, language: str, tier: str, *words: str) -> None:
        tiers = self._tiers.setdefault(language, {})
        for word in words:
            if tiers.setdefault(word, int(tier)) == 1 and language not in self._languages.get(word, ()):
                self._languages.setdefault(word, []).append(language)

    def language(self, *texts: Iterable[str]) -> str:
        """The language whose grammatical words are met most in sets of words; empty if none is met."""
        votes: dict[str, int] = {}
        for words in texts:
            for word in self._grammatical.intersection(words):
                for language in self._languages[word]:
                    votes[language] = votes.get(language, 0) + 1
        return min(votes, key=lambda language: (-votes[language], language), default="")

    def is_grammatical(self, word: str) -> bool:
        """Whether the word carries grammar rather than a subject in any of the languages."""
        return word in self._grammatical

    def weight(self, term: str, language: str) -> float:
        """The weight of a query's term in a language."""
        tier = self._tiers.get(language, {}).get(term)
        if tier is not None:
            return _TIER_WEIGHTS[tier]
        if "\u0e00" <= term[0] <= "\u0e7f":
            return self._thai_weight(term)
        return _unlisted_weight(term)

    def _thai_weight(self, term: str) -> float:
        covered: set[int] = set()
        for word in self._tiers["th"]:
            if term in word:
                return _THAI_WEIGHTS[-1]
            place = term.find(word)
            if place >= 0:
                covered.update(range(place, place + len(word)))
        return _THAI_WEIGHTS[min(len(covered), len(_THAI_WEIGHTS) - 1)]


def _unlisted_weight(term: str) -> float:
    grammatical = sum(character in _GRAMMATICAL_CHARACTERS for character in term)
    if grammatical:
        return 0.1 if grammatical == len(term) else 0.5
    if all("\u3040" <= character <= "\u309f" for character in term):
        return 0.25
    return min(1.0, 0.7 + 0.04 * len(term))
