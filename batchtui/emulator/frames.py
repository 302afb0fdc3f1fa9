"""What the emulator and its scoring processes say to each other: msgpack behind a length of four bytes."""

import struct
from typing import BinaryIO

import msgspec

HEADER = struct.Struct(">I")


class Item(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One request to be scored; no query asks for embeddings.

    `window` is the most tokens a text may have; longer ones are cut where `truncate` is set, else refused.
    """

    texts: tuple[str, ...]
    query: str | None
    truncate: bool
    window: int


class Outcome(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What came of one item: scores or vectors in the order of its texts, or an error; and its tokens.

    `internal` says that the error is ours and not the input's.
    """

    tokens: int = 0
    scores: list[float] | None = None
    vectors: list[list[float]] | None = None
    error: str | None = None
    internal: bool = False


class Work(msgspec.Struct, array_like=True, frozen=True):
    """Items for one model."""

    model: str
    items: list[Item]


class Done(msgspec.Struct, array_like=True, frozen=True):
    """The outcomes of the items of a piece of work, in their order."""

    outcomes: list[Outcome]


def encode_frame(message: Work | Done) -> bytes:
    """The message as one frame, its length in front."""
    body = msgspec.msgpack.encode(message)
    return HEADER.pack(len(body)) + body


def read_frame(stream: BinaryIO) -> bytes | None:
    """The body of the next frame; None where the stream has ended."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    (length,) = HEADER.unpack(header)
    body = stream.read(length)
    return body if len(body) == length else None
