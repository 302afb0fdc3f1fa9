"""Names of texts by their content, so that a judgment belongs to the pair of texts wherever it occurs."""

import hashlib
from collections.abc import Sequence

HASH_BYTES = 32


def text_hash(text: str) -> bytes:
    """SHA-256 of the exact text; half characters count too."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def text_hashes(texts: Sequence[str]) -> bytes:
    """The hashes of all texts, one after the other."""
    return b"".join(map(text_hash, texts))


def split_hashes(joined: bytes) -> list[bytes]:
    """What text_hashes joined."""
    return [joined[start : start + HASH_BYTES] for start in range(0, len(joined), HASH_BYTES)]
