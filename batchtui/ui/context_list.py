"""The contexts of the current request, a numbered row each."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from batchtui.model import Context
from batchtui.text import fit, one_line
from batchtui.ui.widgets.virtual_list import VirtualList


class ContextList(VirtualList):
    """Numbered contexts; what is done to one is told to the pane, which holds the draft."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,e", "choose", "Edit", show=True, id="contexts.edit"),
        Binding("a", "wanted('add')", "Add", show=False, id="contexts.add"),
        Binding("D", "wanted('duplicate')", "Duplicate", show=False, id="contexts.duplicate"),
        Binding("K,shift+up", "wanted('move_up')", "Move up", show=False, id="contexts.move_up"),
        Binding("J,shift+down", "wanted('move_down')", "Move down", show=False, id="contexts.move_down"),
        Binding("d,delete", "wanted('delete')", "Delete", show=True, id="contexts.delete"),
        Binding("u", "app.compose('undo')", "Undo", show=True, id="contexts.undo"),
        Binding("U", "app.compose('redo')", "Redo", show=False, id="contexts.redo"),
        Binding(
            "left_square_bracket",
            "app.compose('previous')",
            "Previous request",
            show=False,
            id="contexts.previous",
        ),
        Binding(
            "right_square_bracket", "app.compose('next')", "Next request", show=False, id="contexts.next"
        ),
    ]

    class Wanted(Message):
        """Something is to be done to the context under the cursor."""

        def __init__(self, what: str, index: int) -> None:
            super().__init__()
            self.what = what
            self.index = index

    def __init__(self) -> None:
        super().__init__(id="context-list", empty="No context yet: type one below and press Enter")
        self.contexts: tuple[Context, ...] = ()
        self.wrong: frozenset[int] = frozenset()

    def show(self, contexts: tuple[Context, ...], wrong: frozenset[int] = frozenset()) -> None:
        """Show these contexts; `wrong` are the places that have something to mend."""
        self.contexts = contexts
        self.wrong = wrong
        self.set_row_count(len(contexts))

    def row_content(self, index: int, width: int) -> Content:
        """Number, own id, known relevance and the first line."""
        context = self.contexts[index]
        number = f"{index + 1:>{max(2, len(str(self.row_count)))}} "
        own_id = f"{one_line(context.id, 16)} " if context.id else ""
        known = f"[{context.relevance}] " if context.relevance is not None else ""
        room = max(width - len(number) - len(own_id) - len(known), 0)
        text = one_line(context.text, max(room, 1)) or "(empty)"
        return Content.assemble(
            (number, "bold $text-error" if index in self.wrong else "dim"),
            (own_id, "$text-accent"),
            (known, "$text-success"),
            fit(text, room),
        )

    def action_wanted(self, what: str) -> None:
        """Tell the pane what is wanted."""
        if self.row_count or what == "add":
            self.post_message(self.Wanted(what, self.cursor))
