"""Two jobs or more side by side: which ranks better, and what moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from batchtui.comparison import ComparedRequest, Comparison
from batchtui.exchange.comparison_form import moved_text, place_text
from batchtui.text import cell_width, fit, one_line
from batchtui.ui.widgets.dialog import DialogBox
from batchtui.ui.widgets.text_view import TextView
from batchtui.ui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from batchtui.ui.job_actions import JobActions

PLACE_CELLS = 11
JOBS_SHOWN = 4


class QueryList(VirtualList):
    """The queries that all jobs have, with the metric in each job."""

    def __init__(self, comparison: Comparison) -> None:
        super().__init__(id="compared-queries")
        self.comparison = comparison

    def on_mount(self) -> None:
        self.set_row_count(len(self.comparison.requests))

    def row_content(self, index: int, width: int) -> Content:
        """Number, nDCG@10 in each job, the query."""
        request = self.comparison.requests[index]
        figures = [
            f"{metrics.ndcg_at_10:.2f}" if metrics else "  – " for metrics in request.metrics[:JOBS_SHOWN]
        ]
        first, last = request.metrics[0], request.metrics[-1]
        sign, colour = " ", ""
        if first and last and abs(last.ndcg_at_10 - first.ndcg_at_10) > 1e-9:
            better = last.ndcg_at_10 > first.ndcg_at_10
            sign, colour = ("↑", "$text-success") if better else ("↓", "$text-error")
        start = f"{index + 1:>4} {' '.join(figures)} "
        room = max(width - cell_width(start) - 2, 1)
        return Content.assemble(
            start, (f"{sign} ", colour), fit(one_line(" → ".join(dict.fromkeys(request.queries)), room), room)
        )


class ContextTable(VirtualList):
    """The contexts of one query with their place in each job."""

    def __init__(self) -> None:
        super().__init__(id="compared-contexts")
        self.request: ComparedRequest | None = None

    def show(self, request: ComparedRequest) -> None:
        """Show another query's contexts."""
        self.request = request
        self.set_row_count(len(request.contexts))
        self.move_cursor(0)

    def row_content(self, index: int, width: int) -> Content:
        """Rank and score in each job, how far it moved, its judgment, its first line."""
        assert self.request is not None
        context = self.request.contexts[index]
        moved = context.moved or 0
        colour = "$text-success" if moved > 0 else "$text-error" if moved < 0 else "dim"
        grade = "·" if context.grade is None else str(context.grade)
        start = Content.assemble(
            *(f"{place_text(place):<{PLACE_CELLS}}" for place in context.places[:JOBS_SHOWN]),
            (f"{moved_text(context):<5}", colour),
            (f"{grade} ", "bold" if context.grade else "dim"),
        )
        room = max(width - start.cell_length, 1)
        return Content.assemble(start, fit(one_line(context.context.text, room), room))


class CompareScreen(ModalScreen[None]):
    """The verdict on top, the queries below it, and the contexts of the selected one."""

    DEFAULT_CSS = """
    CompareScreen {
        align: center middle;
        & #verdict { height: auto; max-height: 10; }
        & #compared-queries { height: 1fr; border-top: solid $foreground 30%; }
        & #compared-contexts { height: 2fr; }
        & #agreement { height: auto; border-top: solid $foreground 30%; }
        & #compared-text { height: 1fr; border-top: solid $foreground 30%; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Leave", id="compare.leave"),
        Binding("x,y", "take_along", "Take along", show=False, id="compare.take_along"),
        Binding("tab", "app.focus_next", "Next list", show=False, id="compare.next"),
    ]

    def __init__(self, comparison: Comparison, job_actions: JobActions) -> None:
        super().__init__()
        self.comparison = comparison
        self.job_actions = job_actions

    def compose(self) -> ComposeResult:
        names = " and ".join(str(job.id) for job in self.comparison.jobs)
        with DialogBox(f"Compare jobs {names}", "tab next list · x takes along · escape leaves", large=True):
            yield Static(id="verdict")
            yield QueryList(self.comparison)
            yield Static(id="agreement")
            yield ContextTable()
            yield TextView(id="compared-text")

    def on_mount(self) -> None:
        self.query_one("#verdict", Static).update(self._verdict())
        self._show(0)
        self.query_one(QueryList).focus()

    def action_take_along(self) -> None:
        """Take the comparison to a file or the clipboard."""
        self.job_actions.take_comparison(self.comparison)

    def _verdict(self) -> Content:
        lines = []
        comparison = self.comparison
        for place, job in enumerate(comparison.jobs):
            metrics = comparison.metrics[place]
            figures = (
                f"nDCG@10 {metrics.ndcg_at_10:.4f} · MRR {metrics.mrr:.4f} · MAP {metrics.map:.4f} · "
                f"P@5 {metrics.p_at_5:.4f} · {metrics.judged} judged"
                if metrics
                else "nothing judged in all jobs, so no metric"
            )
            who = f"{job.model} on {one_line(job.backend, 30)}" + (f" ({job.scorer})" if job.scorer else "")
            lines.append(
                Content.assemble((f"job {job.id} ", "bold"), (f"{one_line(who, 60)}  ", "dim"), figures)
            )
            if left_out := comparison.left_out[place]:
                lines.append(
                    Content.styled(f"  {left_out} of its requests are not in every job", "$text-warning")
                )
        for verdict in comparison.verdicts:
            if verdict is not None:
                sentence = f"job {verdict.job_id} against job {comparison.jobs[0].id}: {verdict.sentence}"
                lines.append(Content.styled(sentence, "bold $text-accent"))
        return Content("\n").join(lines)

    def _show(self, index: int) -> None:
        request = self.comparison.requests[index]
        parts = []
        for job, agreement in zip(self.comparison.jobs[1:], request.agreements, strict=True):
            if agreement.kendall_tau is not None and agreement.rank_biased_overlap is not None:
                parts.append(
                    f"job {job.id}: Kendall's tau {agreement.kendall_tau:.2f}, "
                    f"rank-biased overlap {agreement.rank_biased_overlap:.2f}"
                )
        heads = "".join(f"{f'job {job.id}':<{PLACE_CELLS}}" for job in self.comparison.jobs[:JOBS_SHOWN])
        self.query_one("#agreement", Static).update(
            Content("\n").join(
                [
                    Content(" · ".join(parts) or "fewer than two contexts in common"),
                    Content.styled(heads + "moved J", "dim"),
                ]
            )
        )
        self.query_one(ContextTable).show(request)
        self._show_text()

    def _show_text(self) -> None:
        table = self.query_one(ContextTable)
        if table.request is not None and table.request.contexts:
            self.query_one(TextView).show(table.request.contexts[table.cursor].context.text)

    @on(VirtualList.Highlighted, "#compared-queries")
    def _query_highlighted(self, message: VirtualList.Highlighted) -> None:
        message.stop()
        self._show(message.index)

    @on(VirtualList.Highlighted, "#compared-contexts")
    def _context_highlighted(self, message: VirtualList.Highlighted) -> None:
        message.stop()
        self._show_text()
