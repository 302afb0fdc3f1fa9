"""A finder of what is dangerous on a screen; it shares nothing with the code under test."""

import unicodedata
from collections.abc import Iterator

MARKS_ON_ONE_BASE = 4

_WITH_A_GLYPH = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
_IGNORABLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")
# Hieroglyphs' blanks, a filler and a note without a head: nothing is seen of them.
_UNSEEN = frozenset("\U00013440\U00013441\U00013442\U00016fe4\U0001d159")
_SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_SELECTORS = frozenset(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))


def dangerous_in(screen: str | bytes, own: str = "\n") -> list[str]:
    """What a terminal would obey, hide or reorder by, as `U+001B at 12`; `own` are characters that may stand.

    Bytes are read as UTF-8, and each byte that is not UTF-8 counts as dangerous.
    """
    text = screen.decode("utf-8", "surrogateescape") if isinstance(screen, bytes) else screen
    suspects = {character for character in set(text) - set(own) if _is_suspect(character)}
    found = [
        f"U+{ord(character):04X} at {place}"
        for place, character in enumerate(text)
        if character in suspects and not _belongs(text, place)
    ]
    return found + [f"{length} marks at {place}" for place, length in _floods(text)]


def _is_suspect(character: str) -> bool:
    category = unicodedata.category(character)
    code = ord(character)
    return (
        category in ("Cc", "Cs", "Co", "Zl", "Zp")
        or (category == "Cf" and character not in _WITH_A_GLYPH)
        or character in _IGNORABLE
        or character in _SELECTORS | _UNSEEN | _SKIN_TONES
        or 0xD7FC <= code <= 0xD7FF
        or 0xFDD0 <= code <= 0xFDEF
        or code & 0xFFFE == 0xFFFE
        or 0xE0000 <= code <= 0xE0FFF
        or 0x13430 <= code <= 0x1343F
    )


def _belongs(text: str, place: int) -> bool:
    """Whether a joiner or selector stands where spelling or an emoji needs it."""
    before, character, after = text[max(0, place - 1) : place], text[place], text[place + 1 : place + 2]
    if not before:
        return False
    if character in _SKIN_TONES:
        return unicodedata.category(before) == "So"
    if character in "\ufe0e\ufe0f":
        return _is_symbol(before) or (before in "0123456789#*" and after == "\u20e3")
    if character in "\u180b\u180c\u180d\u180f":
        return "\u1820" <= before <= "\u18aa"
    if character not in "\u200c\u200d" or not after:
        return False
    if all(_is_of_a_joining_script(neighbour) for neighbour in (before, after)):
        return character == "\u200c" or unicodedata.combining(before) == 9
    return character == "\u200d" and (before == "\ufe0f" or _is_symbol(before)) and _is_symbol(after)


def _is_symbol(character: str) -> bool:
    """Whether it is a symbol, or stands where emoji do that this Python does not know yet."""
    return (
        unicodedata.category(character) in ("So", "Sm", "Sk", "Po")
        or "\U0001f300" <= character <= "\U0001faff"
    )


def _is_of_a_joining_script(character: str) -> bool:
    in_blocks = "\u0600" < character < "\u1900" or "\ua800" < character < "\uac00"
    return in_blocks and unicodedata.category(character) not in ("Cf", "Zs")


def _floods(text: str) -> Iterator[tuple[int, int]]:
    if text.isascii():
        return
    run = 0
    for place, character in enumerate(text + " "):
        if unicodedata.category(character) in ("Mn", "Me") and character not in _SELECTORS:
            run += 1
            continue
        # A joiner has no width: what follows it goes onto the same base.
        if character in "\u200c\u200d":
            continue
        if run > MARKS_ON_ONE_BASE:
            yield place - run, run
        run = 0
