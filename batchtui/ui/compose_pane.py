"""Compose: the draft, a query and its contexts, before it is submitted."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Label, TextArea

from batchtui.clock import Clock, utc_day_of
from batchtui.drafting import Composition, Field, Problem, counts_of, problems_of
from batchtui.estimates import BodySizes, estimate_batch, window_bytes, words_on
from batchtui.jobs.service import JobsService
from batchtui.model import Batch, Context, Draft
from batchtui.settings import LOCAL
from batchtui.text import one_line
from batchtui.ui.context_list import ContextList
from batchtui.ui.messages import DraftChanged
from batchtui.ui.widgets.text_editor import TextEditor
from batchtui.ui.widgets.virtual_list import VirtualList
from batchtui.ui.widgets.words import Words

CHECK_AFTER = 0.3


class ComposePane(Vertical):
    """The fields of the current request, and what is to be known before it is sent."""

    BORDER_TITLE = "Compose"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+pageup", "request(-1)", "Previous request", show=False, id="compose.previous"),
        Binding("ctrl+pagedown", "request(1)", "Next request", show=False, id="compose.next"),
        Binding("escape", "leave_editing", "Leave editing", show=False, id="compose.leave"),
    ]

    class Pasted(Message):
        """Something that may be more than a text for the field was pasted."""

        def __init__(self, text: str, *, into_query: bool) -> None:
            super().__init__()
            self.text = text
            self.into_query = into_query

    def __init__(self, service: JobsService, backend: str, clock: Clock, draft: Draft) -> None:
        super().__init__(id="compose")
        self.service = service
        self.backend = backend
        self.clock = clock
        self.sizes = BodySizes()
        self.composition = Composition(draft)
        self.problem: Problem | None = None
        self._editing: int | None = None
        self._checking: Timer | None = None
        self._checked = ""
        self._typed = ""

    def compose(self) -> ComposeResult:
        yield Label("Query")
        yield TextEditor(id="query", placeholder="what to search for; Enter goes on")
        yield Words(id="context-label")
        yield ContextList()
        yield TextEditor(id="editor", placeholder="add a context; Enter adds it")
        yield Words(id="compose-summary")

    def on_mount(self) -> None:
        self.fill(self.composition.draft.unfinished)

    @property
    def unfinished(self) -> str:
        """The text in the context editor that is not a context yet."""
        return "" if self._editing is not None else self.query_one("#editor", TextEditor).value

    def load(self, draft: Draft) -> None:
        """Put another draft in place of the one shown."""
        self.composition = Composition(draft)
        self.fill(draft.unfinished)

    def fill(self, unfinished: str = "") -> None:
        """Bring every field up to date with the current request."""
        self._editing = None
        self.query_one("#query", TextEditor).value = self.composition.request.query
        self._fill_editor(unfinished)
        self.problem = None
        self._show_contexts()

    def finish(self) -> Batch:
        """The batch as it would go out now; an edit under way is taken in first."""
        self.take_query()
        self._take_edit()
        return self.composition.to_submit(self.unfinished)

    def sent(self) -> None:
        """The batch went out: an unfinished context is a context of the draft from now on."""
        if self.unfinished.strip():
            self._add((Context(self.unfinished),))
        self.problem = None
        self._show_summary()

    def mend(self, problem: Problem) -> None:
        """Show a problem where it is and put the cursor there."""
        self.composition.go(problem.request_index)
        unfinished = self.unfinished
        self.fill(unfinished)
        self.problem = problem
        self._show_contexts()
        if problem.field is Field.QUERY:
            self.query_one("#query").focus()
        elif problem.context_index is not None:
            contexts = self.query_one(ContextList)
            contexts.move_cursor(problem.context_index)
            contexts.focus()
        else:
            self.query_one("#editor").focus()

    def insert_query(self, text: str) -> None:
        """Put a pasted text into the query, at the cursor."""
        self.query_one("#query", TextEditor).insert_text(text)

    def insert_context(self, text: str) -> None:
        """Put a pasted text into the context editor, at the cursor."""
        self.query_one("#editor", TextEditor).insert_text(text)

    def text_to_edit(self) -> str:
        """The text of the field that an outside editor is opened on: the query, or a context."""
        return self._edited_field().value

    def take_edited(self, text: str) -> None:
        """Put what an outside editor left into that field."""
        field = self._edited_field()
        field.value = text
        field.focus()

    def _edited_field(self) -> TextEditor:
        query = self.query_one("#query", TextEditor)
        if query.has_focus:
            return query
        contexts = self.query_one(ContextList)
        if contexts.has_focus and contexts.row_count and self._editing is None:
            self._begin_edit(contexts.cursor)
        return self.query_one("#editor", TextEditor)

    def go_to(self, request_index: int) -> None:
        """Show another request of the draft."""
        if self.composition.go(request_index):
            self.fill(self.unfinished)

    def changed_outside(self) -> None:
        """The draft was changed by a dialog: show it."""
        self.fill(self.unfinished)
        self._changed()

    def paste_contexts(self, contexts: tuple[Context, ...]) -> None:
        """Add what a paste was chosen to be."""
        self._add(contexts)

    def take_query(self) -> None:
        """Take in what stands in the query's field, which says so only a moment after it was typed."""
        typed = self.query_one("#query", TextEditor).value
        if typed != self.composition.request.query:
            self.composition.set_query(typed)
            self._changed()

    @on(TextArea.Changed, "#query")
    def _query_changed(self) -> None:
        self.take_query()

    @on(TextArea.Changed, "#editor")
    def _editor_changed(self) -> None:
        typed = self.query_one("#editor", TextEditor).value
        if typed != self._typed:
            self._changed()
        self._typed = typed

    @on(TextEditor.Finished, "#query")
    def _query_finished(self, message: TextEditor.Finished) -> None:
        message.stop()
        self.query_one("#editor").focus()

    @on(TextEditor.Finished, "#editor")
    def _context_finished(self, message: TextEditor.Finished) -> None:
        message.stop()
        editor = self.query_one("#editor", TextEditor)
        if self._editing is not None:
            self._take_edit()
            self.query_one(ContextList).focus()
        elif editor.value.strip():
            self._add((Context(editor.value),))
        else:
            where = self.composition.request_index
            self.problem = Problem(
                where, Field.CONTEXTS, "nothing to add: type a context first", blocks=False
            )
            self._show_summary()

    @on(TextEditor.BigPaste)
    def _big_paste(self, message: TextEditor.BigPaste) -> None:
        message.stop()
        self.post_message(self.Pasted(message.text, into_query=message.editor.id == "query"))

    @on(VirtualList.Chosen, "#context-list")
    def _edit(self, message: VirtualList.Chosen) -> None:
        message.stop()
        self._begin_edit(message.index)

    def _begin_edit(self, index: int) -> None:
        if self.unfinished.strip():
            self._add((Context(self.unfinished),))
        self._editing = index
        editor = self.query_one("#editor", TextEditor)
        self._fill_editor(self.composition.request.contexts[index].text)
        editor.focus()
        self._show_summary()

    @on(VirtualList.Highlighted, "#context-list")
    def _highlighted(self, message: VirtualList.Highlighted) -> None:
        message.stop()

    @on(ContextList.Wanted)
    def _wanted(self, message: ContextList.Wanted) -> None:
        message.stop()
        composition, contexts = self.composition, self.query_one(ContextList)
        if message.what == "add":
            self.query_one("#editor").focus()
            return
        if message.what == "duplicate":
            composition.duplicate_context(message.index)
        elif message.what == "delete":
            composition.delete_context(message.index)
        else:
            place = composition.move_context(message.index, -1 if message.what == "move_up" else 1)
            self._show_contexts()
            contexts.move_cursor(place)
        self._changed()

    def action_request(self, step: int) -> None:
        """Go to the next or the previous request of the draft."""
        self._take_edit()
        unfinished = self.unfinished
        if self.composition.go(self.composition.request_index + step):
            self.fill(unfinished)
            self._changed()

    def action_leave_editing(self) -> None:
        """Leave the edit of a context without taking it, or a text that is held whole."""
        editor = self.query_one("#editor", TextEditor)
        if self._editing is not None or editor.holds_whole:
            self.fill()
            self.query_one(ContextList).focus()

    def change(self, what: str) -> None:
        """Carry out a command on the draft: undo, redo, add_request, duplicate_request, …"""
        self._take_edit()
        composition, unfinished = self.composition, self.unfinished
        changes: dict[str, Callable[[], object]] = {
            "undo": composition.undo,
            "redo": composition.redo,
            "previous": lambda: composition.go(composition.request_index - 1),
            "next": lambda: composition.go(composition.request_index + 1),
            "add_request": composition.add_request,
            "same_contexts": lambda: composition.duplicate_request(keep_query=False, keep_contexts=True),
            "same_query": lambda: composition.duplicate_request(keep_query=True, keep_contexts=False),
            "delete_request": composition.delete_request,
        }
        changes[what]()
        self.fill(unfinished)
        if what in ("add_request", "same_contexts"):
            self.query_one("#query").focus()
        self._changed()

    def _fill_editor(self, text: str) -> None:
        self.query_one("#editor", TextEditor).value = text
        self._typed = self.query_one("#editor", TextEditor).value

    def _add(self, contexts: tuple[Context, ...]) -> None:
        self.composition.add_contexts(contexts)
        self._fill_editor("")
        listed = self.query_one(ContextList)
        self._changed()
        listed.move_cursor(len(self.composition.request.contexts) - 1)

    def _take_edit(self) -> None:
        if self._editing is None:
            return
        index, self._editing = self._editing, None
        editor = self.query_one("#editor", TextEditor)
        if editor.value.strip():
            self.composition.edit_context(index, editor.value)
        self._fill_editor("")
        self._changed()

    def _changed(self) -> None:
        self.problem = None
        self._checked = ""
        self._show_contexts()
        self.post_message(DraftChanged())

    def _show_contexts(self) -> None:
        wrong = frozenset[int]()
        if self.problem and self.problem.context_index is not None:
            wrong = frozenset((self.problem.context_index,))
        contexts = self.composition.request.contexts
        self.query_one(ContextList).show(contexts, wrong)
        self.query_one("#context-label", Words).say(Content(f"Contexts {len(contexts):,}"))
        self._show_summary()
        # Sizes and doubles are looked at when the typing rests: a batch may have megabytes.
        if self._checking:
            self._checking.stop()
        self._checking = self.set_timer(CHECK_AFTER, self._check)

    def _check(self) -> None:
        batch = self.composition.batch
        self._checked = self._estimate(batch)
        if self.problem is None:
            here = self.composition.request_index
            window = window_bytes(batch, self.service.tokens_per_byte(batch.model, self.backend))
            told = [problem for problem in problems_of(batch, window) if not problem.blocks]
            self.problem = next((problem for problem in told if problem.request_index == here), None)
        self._show_summary()

    def _estimate(self, batch: Batch) -> str:
        learned = self.service.tokens_per_byte(batch.model, self.backend)
        body_bytes = self.sizes.of(batch)
        return words_on(
            estimate_batch(batch, body_bytes, learned),
            billed=self.backend != LOCAL,
            tokens_today=self.service.tokens_since(utc_day_of(self.clock.now()), self.backend),
            model_name=batch.model,
        )

    def _show_summary(self) -> None:
        composition = self.composition
        batch = composition.batch
        reference = composition.request.external_reference
        where = f"request {composition.request_index + 1}/{len(batch.requests)}"
        self.border_subtitle = Content(f"{where} · {one_line(reference, 24)}" if reference else where)
        lines = []
        if self._editing is not None:
            lines.append(
                Content(f"editing context {self._editing + 1}: Enter keeps it, escape leaves it as it was")
            )
        if self.problem:
            colour = "$text-error" if self.problem.blocks else "$text-warning"
            lines.append(Content.styled(self.problem.text, colour))
        typed = "one more being typed" if self.unfinished.strip() else ""
        lines.append(Content(" · ".join(filter(None, [counts_of(batch), typed, self._checked]))))
        self.query_one("#compose-summary", Words).say(Content("\n").join(lines))


def first_problem(batch: Batch) -> Problem | None:
    """The first thing that keeps a batch from being sent."""
    return next((problem for problem in problems_of(batch) if problem.blocks), None)
