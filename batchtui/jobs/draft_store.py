"""Drafts: kept as they are typed, each saved whole or not at all."""

import json

import msgspec

from batchtui.clock import Clock
from batchtui.jobs.database import Database
from batchtui.model import Draft


class DraftStore:
    """Batches not yet submitted, oldest first."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def drafts(self) -> list[Draft]:
        """All drafts in the order in which they were begun."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT id, updated_at, data FROM drafts ORDER BY id").fetchall()
            return [
                msgspec.structs.replace(_decode(data), id=draft_id, updated_at=updated_at)
                for draft_id, updated_at, data in rows
            ]

    def save(self, draft: Draft) -> Draft:
        """Write a draft and return it as kept; id 0 is a new one, which gets its number."""
        data, now = _encode(draft), self._clock.now()
        with self._database.write() as connection:
            draft_id = connection.execute(
                "INSERT INTO drafts (id, updated_at, data) VALUES (?1, ?2, ?3)"
                " ON CONFLICT (id) DO UPDATE SET updated_at = ?2, data = ?3 RETURNING id",
                (draft.id or None, now, data),
            ).fetchone()[0]
        return msgspec.structs.replace(draft, id=draft_id, updated_at=now)

    def delete(self, draft_id: int) -> None:
        """Remove a draft; one that is not there is no error."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM drafts WHERE id = ?", (draft_id,))


def _encode(draft: Draft) -> bytes:
    try:
        return msgspec.json.encode(draft)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(draft)).encode()


def _decode(data: bytes) -> Draft:
    try:
        return msgspec.json.decode(data, type=Draft)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.convert(json.loads(data), Draft)
