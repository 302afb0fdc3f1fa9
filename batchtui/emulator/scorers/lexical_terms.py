"""Texts cut into the terms that the lexical scorer compares."""

import itertools
import re
import unicodedata

# Scripts written without spaces between words: Thai, Lao, Tibetan, Myanmar, Khmer, kana, Han.
_UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005\u3007\u3040-\u30ff\u3400-\u9fff"
    "\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
# `\w` leaves out the vowel signs of Indic scripts and the points of Hebrew and Arabic.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u0670\u06d6-\u06ed\u0900-\u0dff\u1dc0-\u1dff"
)
_RUN = re.compile(rf"(?P<unspaced>[{_UNSPACED}]+)|(?:[^\W_{_UNSPACED}]|[{_MARKS}])+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LATIN_ACCENTS = re.compile("[\u0300-\u036f\u064b-\u0652\u0640]")
_LONGEST_TERM = 64


def fold(text: str) -> str:
    """The text with compatibility forms, case, accents and camelCase taken away."""
    if text.isascii():
        return _CAMEL.sub(" ", text).lower()
    plain = unicodedata.normalize("NFKC", _CAMEL.sub(" ", text)).casefold()
    decomposed = unicodedata.normalize("NFD", plain)
    return unicodedata.normalize("NFC", _LATIN_ACCENTS.sub("", decomposed))


def terms(text: str) -> list[str]:
    """The terms of a text in order: words, or overlapping pairs of characters where words are not spaced."""
    found: list[str] = []
    for match in _RUN.finditer(fold(text)):
        run = match.group()
        if match.lastgroup is None:
            found.append(run[:_LONGEST_TERM])
        elif len(run) == 1:
            found.append(run)
        else:
            found.extend(map("".join, itertools.pairwise(run)))
    return found
