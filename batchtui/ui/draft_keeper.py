"""Saves the draft as it is typed: soon after each change, one write at a time, off the screen's thread."""

from threading import Lock

import msgspec

from batchtui.clock import Clock
from batchtui.drafting import EMPTY_REQUEST
from batchtui.jobs.service import JobsService
from batchtui.model import Batch, Draft

# How often it is looked whether the draft changed, in seconds; a crash loses at most what was typed in it.
INTERVAL = 0.4
# A draft of megabytes takes a while to write; so many times that long it then rests.
RESTS = 4


class DraftKeeper:
    """Knows which draft is edited, and writes what differs from what was written last."""

    def __init__(self, service: JobsService, clock: Clock, draft: Draft) -> None:
        self.service = service
        self.clock = clock
        self._lock = Lock()
        self._changed = False
        self._taken = 0
        self._rests_until = 0.0
        self.follow(draft)

    def follow(self, draft: Draft) -> None:
        """Another draft is edited from now on; one without an id is new, and written when it has content."""
        self.name = draft.name
        self._place = _Place(draft)
        self._changed = False

    def changed(self) -> None:
        """The draft was edited since it was taken."""
        self._changed = True

    @property
    def waits(self) -> bool:
        """Whether there is something to write and nothing is being written."""
        return self._changed and not self._lock.locked() and self.clock.monotonic() >= self._rests_until

    def take(self, draft: Draft) -> "Version":
        """The draft as it is now, to be written by any thread; what is edited later is a later version."""
        self._changed = False
        self._taken += 1
        return Version(self._place, self._taken, draft)

    def write(self, version: "Version") -> None:
        """Write a version, unless a later one is written already or it says nothing new.

        Blocks; after a StoreError the draft counts as changed.
        """
        place, begun = version.place, self.clock.monotonic()
        with self._lock:
            content = _content(version.draft)
            if version.number < place.number or content == place.content:
                return
            try:
                place.id = self.service.save_draft(msgspec.structs.replace(version.draft, id=place.id)).id
            except Exception:
                self._changed = True
                raise
            finally:
                now = self.clock.monotonic()
                self._rests_until = now + RESTS * (now - begun)
            place.number, place.content = version.number, content

    def delete(self) -> None:
        """Remove the draft from the store; no version of it is written any more. Raises StoreError."""
        with self._lock:
            if self._place.id:
                self.service.delete_draft(self._place.id)
            self._place.number = self._taken + 1


class _Place:
    """Where a draft lies in the store, 0 until it is first written, and what was written there last."""

    def __init__(self, draft: Draft) -> None:
        self.id = draft.id
        self.number = 0
        self.content = _content(draft if draft.id else Draft(0, Batch((), draft.batch.model)))


class Version(msgspec.Struct, frozen=True):
    """A draft at one moment, and where it belongs."""

    place: _Place
    number: int
    draft: Draft


def _content(draft: Draft) -> tuple[Batch, str, str]:
    """What makes two versions of a draft differ; an empty request stands for none."""
    batch = draft.batch
    if batch.requests == (EMPTY_REQUEST,):
        batch = msgspec.structs.replace(batch, requests=())
    return batch, draft.name, draft.unfinished
