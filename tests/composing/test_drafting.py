"""A draft while it is edited, and what is to be mended in it before it is sent."""

from hypothesis import given
from hypothesis import strategies as st

from batchtui.drafting import Composition, Field, problems_of, with_references
from batchtui.model import Batch, Context, Draft, Request


def composition(*texts: str, query: str = "refunds") -> Composition:
    contexts = tuple(Context(text) for text in texts)
    return Composition(Draft(0, Batch((Request(query, contexts),))))


def texts(draft: Composition) -> list[str]:
    return [context.text for context in draft.request.contexts]


def test_an_empty_draft_has_one_empty_request_to_type_in() -> None:
    draft = Composition(Draft(0, Batch(())))
    assert draft.empty
    draft.set_query("refunds")
    assert not draft.empty


def test_contexts_are_added_edited_duplicated_moved_and_deleted() -> None:
    draft = composition("one", "two")
    draft.add_contexts((Context("three"),))
    draft.edit_context(0, "ONE")
    draft.duplicate_context(1)
    assert texts(draft) == ["ONE", "two", "two", "three"]
    assert draft.move_context(3, -3) == 0
    assert texts(draft) == ["three", "ONE", "two", "two"]
    assert draft.move_context(0, -1) == 0
    draft.delete_context(2)
    assert texts(draft) == ["three", "ONE", "two"]


def test_an_edited_context_keeps_its_id_and_loses_the_relevance_of_its_old_text() -> None:
    draft = Composition(Draft(0, Batch((Request("q", (Context("old", "a", 3),)),))))
    draft.edit_context(0, "new")
    assert draft.request.contexts == (Context("new", "a"),)


def test_a_copy_of_a_context_has_no_id_of_its_own() -> None:
    draft = Composition(Draft(0, Batch((Request("q", (Context("text", "a"),)),))))
    draft.duplicate_context(0)
    assert [context.id for context in draft.request.contexts] == ["a", None]


def test_typing_is_one_step_of_undo_and_every_other_change_is_its_own() -> None:
    draft = composition("one", query="")
    for typed in ("r", "re", "refund"):
        draft.set_query(typed)
    draft.add_contexts((Context("two"),))
    assert draft.undo() and texts(draft) == ["one"]
    assert draft.undo() and draft.request.query == ""
    assert not draft.undo()
    assert draft.redo() and draft.request.query == "refund"
    assert draft.redo() and texts(draft) == ["one", "two"]
    assert not draft.redo()


def test_a_change_after_an_undo_ends_what_could_be_redone() -> None:
    draft = composition("one")
    draft.delete_context(0)
    draft.undo()
    draft.add_contexts((Context("two"),))
    assert not draft.redo()


@given(
    st.lists(st.sampled_from(["add", "duplicate", "delete", "move", "edit", "request", "drop"]), max_size=30)
)
def test_undoing_everything_gives_the_first_batch_back(changes: list[str]) -> None:
    draft = composition("one", "two", "three")
    before = draft.batch
    for number, change in enumerate(changes):
        last = len(draft.request.contexts) - 1
        match change:
            case "add":
                draft.add_contexts((Context(f"added {number}"),))
            case "request":
                draft.add_request()
            case "drop":
                draft.delete_request()
            case _ if last < 0:
                continue
            case "duplicate":
                draft.duplicate_context(last)
            case "delete":
                draft.delete_context(0)
            case "move":
                draft.move_context(0, last)
            case "edit":
                draft.edit_context(last, f"edited {number}")
    while draft.undo():
        pass
    assert draft.batch == before


def test_a_next_query_takes_the_same_contexts_along_and_the_other_way_round() -> None:
    draft = composition("one", "two")
    draft.duplicate_request(keep_query=False, keep_contexts=True)
    assert (draft.request_index, draft.request.query, texts(draft)) == (1, "", ["one", "two"])
    draft.go(0)
    draft.duplicate_request(keep_query=True, keep_contexts=False)
    assert (draft.request_index, draft.request.query, texts(draft)) == (1, "refunds", [])
    assert len(draft.batch.requests) == 3


def test_the_last_request_is_emptied_and_not_removed() -> None:
    draft = composition("one")
    draft.delete_request()
    assert draft.empty


def test_there_is_nowhere_to_go_beyond_the_requests() -> None:
    draft = composition("one")
    assert not draft.go(1)
    assert not draft.go(-1)
    assert draft.request_index == 0


def test_the_text_still_in_the_editor_goes_out_with_the_batch() -> None:
    draft = composition("one")
    assert [context.text for context in draft.to_submit("two").requests[0].contexts] == ["one", "two"]
    assert [context.text for context in draft.to_submit("  \n").requests[0].contexts] == ["one"]
    assert texts(draft) == ["one"]


def test_references_are_filled_in_from_the_query_unique_and_never_over_those_of_the_person() -> None:
    asked = ["how long do refunds take", "refunds abroad", "返金はいつ", "refunds"]
    requests = [Request(query, (Context("x"),)) for query in asked[:3]]
    requests.append(Request(asked[3], (Context("x"),), "refunds-1"))
    references = [request.external_reference for request in with_references(requests)]
    assert references == ["refunds-2", "refunds-3", "request-1", "refunds-1"]


def test_what_keeps_a_batch_from_being_sent_is_named_with_its_place() -> None:
    batch = Batch(
        (
            Request(" ", (Context("text"),)),
            Request("query", ()),
            Request("query", (Context("text"), Context(" \n"))),
        )
    )
    found = [(p.request_index, p.field, p.context_index) for p in problems_of(batch) if p.blocks]
    assert found == [(0, Field.QUERY, None), (1, Field.CONTEXTS, None), (2, Field.CONTEXTS, 1)]


def test_doubles_are_pointed_out_and_do_not_block() -> None:
    batch = Batch(
        (
            Request("query", (Context("same"), Context("same")), "a"),
            Request("other", (Context("text"),), "a"),
        )
    )
    found = problems_of(batch)
    assert [(p.request_index, p.field, p.blocks) for p in found] == [
        (0, Field.CONTEXTS, False),
        (1, Field.REFERENCE, False),
    ]
    assert "context 2 says the same as context 1" in found[0].text


def test_a_context_over_the_window_is_pointed_out_by_its_bytes() -> None:
    batch = Batch((Request("query", (Context("ü" * 60), Context("u" * 60))),))
    found = problems_of(batch, window_bytes=100)
    assert [(p.context_index, p.blocks) for p in found] == [(0, False)]
    assert "120 bytes" in found[0].text
