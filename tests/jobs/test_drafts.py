"""Drafts are kept as they are typed."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchtui.model import Batch, Context, Draft, Request

from .conftest import OpenJobs

texts = st.text(st.characters(codec=None), max_size=20)
drafts = st.builds(
    Draft,
    id=st.just(0),
    batch=st.builds(
        Batch,
        requests=st.lists(
            st.builds(
                Request,
                query=texts,
                contexts=st.lists(
                    st.builds(Context, text=texts, id=st.one_of(st.none(), texts)), max_size=3
                ).map(tuple),
            ),
            max_size=2,
        ).map(tuple),
    ),
    name=texts,
    unfinished=texts,
)


def test_a_new_draft_gets_a_number_and_is_found_again(open_jobs: OpenJobs) -> None:
    jobs = open_jobs()
    first = jobs.save_draft(Draft(0, Batch((Request("a", ()),)), name="one"))
    second = jobs.save_draft(Draft(0, Batch(())))
    assert (first.id, second.id) == (1, 2)
    assert first.updated_at > 0
    assert jobs.drafts() == [first, second]
    jobs.close()
    assert open_jobs().drafts() == [first, second]


def test_saving_again_replaces_and_deleting_removes(open_jobs: OpenJobs) -> None:
    jobs = open_jobs()
    draft = jobs.save_draft(Draft(0, Batch(())))
    changed = jobs.save_draft(
        Draft(draft.id, Batch((Request("typed", (Context("more"),)),)), unfinished="hal")
    )
    assert jobs.drafts() == [changed]
    jobs.delete_draft(draft.id)
    jobs.delete_draft(draft.id)
    assert jobs.drafts() == []
    assert jobs.save_draft(Draft(0, Batch(()))).id == draft.id + 1


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draft=drafts)
def test_any_typed_text_comes_back_as_it_was(open_jobs: OpenJobs, draft: Draft) -> None:
    jobs = open_jobs()
    kept = jobs.save_draft(draft)
    found = next(one for one in jobs.drafts() if one.id == kept.id)
    assert (found.batch, found.name, found.unfinished) == (draft.batch, draft.name, draft.unfinished)
    jobs.delete_draft(kept.id)
    jobs.close()
