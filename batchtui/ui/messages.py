"""What the panes tell each other, as types."""

from textual.message import Message

from batchtui.model import Batch, Job


class JobPicked(Message):
    """A job is to be looked at; `open` says that the person asked for it by Enter or a click."""

    def __init__(self, job_id: int | None, *, open: bool = False) -> None:
        super().__init__()
        self.job_id = job_id
        self.open = open


class JobAction(Message):
    """Something is to be done to jobs; `what` names it as in ui/job_actions.py."""

    def __init__(self, what: str, jobs: list[Job]) -> None:
        super().__init__()
        self.what = what
        self.jobs = jobs


class JobsChanged(Message):
    """Jobs in the store changed, by this window's follower or by another program."""

    def __init__(self, job_ids: frozenset[int]) -> None:
        super().__init__()
        self.job_ids = job_ids


class DraftChanged(Message):
    """The draft was edited."""


class JudgmentMade(Message):
    """A context was judged, or its judgment taken back."""


class DraftWanted(Message):
    """A batch is to become a new draft."""

    def __init__(self, batch: Batch, name: str = "") -> None:
        super().__init__()
        self.batch = batch
        self.name = name


class Trouble(Message):
    """Something a person must be told: what, and what to do about it."""

    def __init__(self, text: str, *, title: str = "", severe: bool = True) -> None:
        super().__init__()
        self.text = text
        self.title = title
        self.severe = severe
