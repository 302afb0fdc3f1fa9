"""A text or a paste as contexts: one, a line each, a paragraph each, or what its JSON holds."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from batchtui.exchange.json_reader import (
    is_json,
    is_lines_of_json,
    read_json_document,
    read_json_lines,
    starts_like_json,
)
from batchtui.exchange.source import InputError, Source
from batchtui.model import Context

SplitKind = Literal["one", "lines", "paragraphs", "json"]

_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
_SENTENCE_ENDS = tuple(".!?…:;\"'”’»)]。！？।؟")
_WRAPPED_LEAST_WIDTH = 40
_WRAPPED_SPREAD = 30
_MOSTLY = 0.6
_NOTES: dict[SplitKind, str] = {
    "one": "the whole text was taken as one context",
    "lines": "each line was taken as a context",
    "paragraphs": "each paragraph was taken as a context",
    "json": "the texts in its JSON were taken as contexts",
}


@dataclass(frozen=True)
class Choice:
    """One way to make contexts of a text."""

    kind: SplitKind
    texts: tuple[str, ...]
    in_json: tuple[Context, ...] = ()

    @property
    def count(self) -> int:
        """How many contexts it makes."""
        return len(self.texts)

    @cached_property
    def contexts(self) -> tuple[Context, ...]:
        """The contexts; those of JSON with their ids and relevance."""
        return self.in_json or tuple(map(Context, self.texts))

    @property
    def note(self) -> str:
        """A sentence that says what was done."""
        return _NOTES[self.kind]


def split_text(text: str) -> tuple[Choice, ...]:
    """The ways to make contexts of a text, the likeliest first; ways that give the same contexts are one.

    Spaces at the ends of a context are left out, nothing else is changed; a text of spaces alone gives none.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    blocks = [block.strip("\n") for block in _BLANK_LINES.split(text) if block.strip()]
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if not lines:
        return ()
    one = Choice("one", (text.strip(),))
    by_line = Choice("lines", tuple(lines))
    by_paragraph = Choice("paragraphs", tuple(block.strip() for block in blocks))
    if len(blocks) > 1:
        wrapped = len(blocks) < len(lines) and _is_prose(blocks)
        order = [by_paragraph, by_line] if wrapped or len(blocks) == len(lines) else [by_line, by_paragraph]
        order.append(one)
    else:
        order = [one, by_line] if len(lines) == 1 or _is_wrapped(lines) else [by_line, one]
    from_json = _contexts_in_json(text)
    choices = [Choice("json", tuple(context.text for context in from_json), from_json)] if from_json else []
    for choice in order:
        if all(choice.texts != earlier.texts for earlier in choices):
            choices.append(choice)
    return tuple(choices)


def _is_prose(blocks: Sequence[str]) -> bool:
    """Whether lines inside the blocks break in the midst of sentences, rather than each being a passage."""
    broken = [line.rstrip() for block in blocks for line in block.split("\n")[:-1]]
    ended = sum(line.endswith(_SENTENCE_ENDS) for line in broken)
    return ended < _MOSTLY * len(broken)


def _is_wrapped(lines: Sequence[str]) -> bool:
    """Whether the lines look like one passage wrapped at a width."""
    inner = lines[:-1]
    if not inner:
        return False
    widths = [len(line) for line in inner]
    return (
        min(widths) >= _WRAPPED_LEAST_WIDTH
        and max(widths) - min(widths) <= _WRAPPED_SPREAD
        and len(lines[-1]) <= max(widths) + _WRAPPED_SPREAD
        and _is_prose(["\n".join(lines)])
    )


def _contexts_in_json(text: str) -> tuple[Context, ...]:
    data = text.encode("utf-8", "surrogatepass")
    if not starts_like_json(data):
        return ()
    source = Source(data)
    try:
        if is_json(data):
            collector = read_json_document(source)
        elif is_lines_of_json(data):
            collector = read_json_lines(source)
        else:
            return ()
    except InputError:
        return ()
    batch, _ = collector.batch()
    return tuple(context for request in batch.requests for context in request.contexts)
