"""The line on top: who scores, with which model, what is open, what was used today."""

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from batchtui.figures import count
from batchtui.text import cell_width, one_line


class StatusHeader(Widget):
    """Backend, model, open jobs and today's tokens; the less it fits, the less it says."""

    backend: reactive[str] = reactive("")
    model: reactive[str] = reactive("")
    open_jobs: reactive[int] = reactive(0)
    tokens_today: reactive[int] = reactive(0)
    alert: reactive[str] = reactive("")

    def render(self) -> Content:
        """Name and backend always; then what there is room for."""
        width = self.content_size.width
        left = Content.assemble(("batchtui", "bold"), "  ", (one_line(self.backend, 40), "bold $text-accent"))
        if self.alert:
            left = Content.assemble(left, "  ", (one_line(self.alert, 60), "bold $text-error"))
        right = f"{self.open_jobs} open · {count(self.tokens_today)} tokens today"
        model = one_line(self.model, 60)
        for parts in ((model, right), (model.rpartition("/")[2], right), (right,), ()):
            text = "   ".join(parts)
            gap = width - left.cell_length - cell_width(text)
            if gap >= 2:
                return Content.assemble(left, " " * gap, (text, "dim"))
        return left
