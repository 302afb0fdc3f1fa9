"""Texts cut into the terms that the lexical scorer compares."""

import math
import re
import unicodedata
from itertools import pairwise

# Scripts without spaces between words: Thai, Lao, Tibetan, Myanmar and Khmer; kana and Han. Hangul has them,
# but joins particles to its short words.
_ALPHABETIC = "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff"
_PAIRED = (
    "\u3005\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
# `\w` leaves out the vowel signs of Indic scripts and the points of Hebrew and Arabic.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u0670\u06d6-\u06ed\u0900-\u0dff\u1dc0-\u1dff"
)
_PICTURES = "\u2600-\u27bf\U0001f000-\U0001faff"
# A longer word is cut, so that one of a megabyte costs no more than a text of that size.
_WORD = rf"(?:[^\W_{_ALPHABETIC}{_PAIRED}]|[{_MARKS}]){{1,64}}(?:\+\+|#)?"
_PLAIN_WORDS = re.compile(r"[a-z0-9]{1,64}(?:\+\+|#)?")
_SPACED_WORDS = re.compile(_WORD)
_UNSPACED = re.compile(f"[{_ALPHABETIC}{_PAIRED}{_PICTURES}]")
_RUNS = re.compile(rf"{_WORD}|(?P<alphabetic>[{_ALPHABETIC}]+)|(?P<paired>[{_PAIRED}]+)|[{_PICTURES}]")
_ALPHABETIC_LENGTH = 4
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_POINTS = re.compile("[\u0591-\u05c7\u064b-\u0652\u0640]")
_WIDE = re.compile("[\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
# Normalising is quadratic in a run of combining marks, so long texts are normalised in slices.
_SLICE = 2000


def fold(text: str) -> str:
    """The text in lower case, its camelCase apart, without compatibility forms and optional vowel points."""
    apart = _CAMEL_CASE.sub(" ", text)
    if apart.isascii():
        return apart.lower()
    slices = (apart[start : start + _SLICE] for start in range(0, len(apart), _SLICE))
    normal = "".join(unicodedata.normalize("NFKC", piece) for piece in slices)
    return _POINTS.sub("", normal.casefold())


def without_accents(term: str) -> str:
    """The term with the accents of Latin, Greek and Cyrillic letters taken away."""
    if term.isascii():
        return term
    return "".join(mark for mark in unicodedata.normalize("NFD", term) if not "\u0300" <= mark <= "\u036f")


def terms(text: str) -> list[str]:
    """The terms of a text in order, in time linear in its length.

    Words where words are spaced, overlapping pairs or fours of characters where they are not; a text of
    nothing but symbols is cut at its spaces.
    """
    folded = fold(text)
    if folded.isascii():
        found = _PLAIN_WORDS.findall(folded)
    elif not _UNSPACED.search(folded):
        found = _SPACED_WORDS.findall(folded)
    else:
        found = _mixed_terms(folded)
    return found or [symbols[:64] for symbols in folded.split()]


def estimated_tokens(text: str) -> int:
    """An estimate of a text's tokens under bge-m3's multilingual vocabulary, without its special tokens.

    Two for three ideographs, kana or Hangul syllables, one for four other characters, rounded up.
    """
    wide = 0 if text.isascii() else len(_WIDE.findall(text))
    return math.ceil(wide * 2 / 3 + (len(text) - wide) / 4)


def _mixed_terms(folded: str) -> list[str]:
    found: list[str] = []
    for match in _RUNS.finditer(folded):
        run = match.group()
        if match.lastgroup == "alphabetic":
            found.extend(
                run[start : start + _ALPHABETIC_LENGTH]
                for start in range(max(1, len(run) - _ALPHABETIC_LENGTH + 1))
            )
        elif match.lastgroup == "paired" and len(run) > 1:
            found.extend(first + second for first, second in pairwise(run))
        else:
            found.append(run)
    return found
