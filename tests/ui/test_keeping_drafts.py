"""What was typed last is what is kept, whenever the writing of it happens."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual import events

from batchtui.backends import Backends, open_service
from batchtui.clock import SystemClock
from batchtui.jobs.errors import StoreError
from batchtui.jobs.service import JobsService
from batchtui.model import Batch, Draft, Request
from batchtui.settings import load
from batchtui.ui.draft_keeper import DraftKeeper

from .support import at_the_app

EMPTY = Draft(0, Batch(()))


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobsService]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    settings, clock = load("local", {}), SystemClock()
    opened = open_service(settings, Backends(settings, clock), clock)
    yield opened
    opened.close()


@pytest.fixture
def keeper(service: JobsService) -> DraftKeeper:
    return DraftKeeper(service, SystemClock(), EMPTY)


def typed(text: str) -> Draft:
    return Draft(0, Batch((Request("", ()),)), unfinished=text)


def kept(service: JobsService) -> list[str]:
    return [draft.unfinished for draft in service.drafts()]


def test_what_is_typed_while_an_earlier_version_waits_to_be_written_is_written_too(
    keeper: DraftKeeper, service: JobsService
) -> None:
    keeper.changed()
    earlier = keeper.take(typed("a"))
    keeper.changed()
    keeper.write(earlier)
    assert keeper._changed
    keeper.write(keeper.take(typed("ab")))
    assert kept(service) == ["ab"]


def test_a_version_that_comes_late_does_not_replace_a_later_one(
    keeper: DraftKeeper, service: JobsService
) -> None:
    late = keeper.take(typed("a"))
    keeper.write(keeper.take(typed("ab")))
    keeper.write(late)
    assert kept(service) == ["ab"]


def test_a_version_that_comes_late_is_written_where_its_draft_is(
    keeper: DraftKeeper, service: JobsService
) -> None:
    late = keeper.take(typed("the first"))
    keeper.follow(EMPTY)
    keeper.write(keeper.take(typed("the second")))
    keeper.write(late)
    assert sorted(kept(service)) == ["the first", "the second"]


def test_a_change_is_written_also_where_nobody_said_that_there_was_one(
    keeper: DraftKeeper, service: JobsService
) -> None:
    keeper.write(keeper.take(typed("a")))
    keeper.write(keeper.take(typed("ab")))
    assert kept(service) == ["ab"]


def test_nothing_is_written_for_a_draft_that_is_as_it_was(keeper: DraftKeeper, service: JobsService) -> None:
    keeper.write(keeper.take(typed("")))
    assert kept(service) == []
    keeper.write(keeper.take(typed("a")))
    [before] = service.drafts()
    keeper.write(keeper.take(typed("a")))
    assert service.drafts() == [before]


def test_a_deleted_draft_is_not_brought_back_by_a_version_that_comes_late(
    keeper: DraftKeeper, service: JobsService
) -> None:
    keeper.write(keeper.take(typed("a")))
    late = keeper.take(typed("ab"))
    keeper.delete()
    keeper.write(late)
    assert kept(service) == []


def test_what_could_not_be_written_still_waits(
    keeper: DraftKeeper, service: JobsService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(draft: Draft) -> Draft:
        raise StoreError("The disk is full.")

    with monkeypatch.context() as full:
        full.setattr(service, "save_draft", refuse)
        with pytest.raises(StoreError):
            keeper.write(keeper.take(typed("a")))
    assert keeper._changed
    keeper.write(keeper.take(typed("a")))
    assert kept(service) == ["a"]


@pytest.mark.parametrize("field", ["query", "editor"])
async def test_what_is_pasted_right_before_a_new_draft_or_the_end_is_kept(field: str) -> None:
    async with at_the_app() as person:
        for number in range(20):
            person.app.query_one(f"#{field}").focus()
            person.app.post_message(events.Paste(f"text {number}"))
            person.send("ctrl+n" if number < 19 else "ctrl+q")
        await person.until(lambda: not person.app.is_running)
        drafts = person.service.drafts()
        texts = [draft.unfinished or draft.batch.requests[0].query for draft in drafts]
        assert texts == [f"text {number}" for number in range(20)]
