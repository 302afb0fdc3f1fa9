"""Saves the draft as it is typed: soon after each change, one write at a time, off the screen's thread."""

from threading import Lock

import msgspec

from batchtui.clock import Clock
from batchtui.jobs.service import JobsService
from batchtui.model import Draft

# How often it is looked whether the draft changed, in seconds; a crash loses at most what was typed in it.
INTERVAL = 0.4
# A draft of megabytes takes a while to write; so many times that long it then rests.
RESTS = 4


class DraftKeeper:
    """Knows which draft is edited, and whether it changed since it was last written."""

    def __init__(self, service: JobsService, clock: Clock, draft: Draft) -> None:
        self.service = service
        self.clock = clock
        self._lock = Lock()
        self._changed = False
        self._rests_until = 0.0
        self.follow(draft)

    def follow(self, draft: Draft) -> None:
        """Another draft is edited from now on; one without an id is new and is written when it changes."""
        self.name = draft.name
        self._place = _Place(draft.id)
        self._changed = False

    def changed(self) -> None:
        """The draft was edited since it was written."""
        self._changed = True

    def write_if_changed(self, draft: Draft) -> None:
        """Write the draft as it is now. Blocks; after a StoreError it still counts as changed."""
        place = self._place
        begun = self.clock.monotonic()
        with self._lock:
            if place is self._place:
                if not self._changed:
                    return
                self._changed = False
            try:
                place.id = self.service.save_draft(msgspec.structs.replace(draft, id=place.id)).id
            except Exception:
                self._changed = True
                raise
            finally:
                now = self.clock.monotonic()
                self._rests_until = now + RESTS * (now - begun)

    @property
    def draft_id(self) -> int:
        """The draft's id in the store; 0 while it was never written."""
        return self._place.id

    @property
    def waits(self) -> bool:
        """Whether there is something to write and nothing is being written."""
        return self._changed and not self._lock.locked() and self.clock.monotonic() >= self._rests_until


class _Place:
    """Where a draft lies in the store; a new one has 0 until it is first written."""

    def __init__(self, id: int) -> None:
        self.id = id
