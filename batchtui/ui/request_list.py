"""All requests of a job in an overview: how each fared, and how it was judged."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from batchtui.exchange.ranked import RankedJob, RankedRequest
from batchtui.text import cell_width, fit, one_line
from batchtui.ui.widgets.dialog import DialogBox
from batchtui.ui.widgets.virtual_list import VirtualList


class RequestList(VirtualList):
    """A request a row: its number, whether it was answered, its best score, its metric, its query."""

    def __init__(self, ranked: RankedJob) -> None:
        super().__init__(id="request-list")
        self.ranked = ranked

    def on_mount(self) -> None:
        self.set_row_count(len(self.ranked.requests))

    def row_content(self, index: int, width: int) -> Content:
        """One request."""
        request = self.ranked.requests[index]
        best = f"{request.rows[0].score:.4f}" if request.rows else "      "
        metric = f"{request.metrics.ndcg_at_10:.2f}" if request.metrics else " –  "
        sign, colour = _sign(request)
        reference = fit(one_line(request.request.external_reference or "", 16), 16)
        start = f"{request.number:>5} "
        middle = f" {best}  {metric}  {reference} "
        room = max(width - cell_width(start) - 1 - cell_width(middle), 1)
        text = request.trouble if sign == "✗" and request.trouble else request.request.query
        return Content.assemble(start, (sign, colour), middle, fit(one_line(text, room), room))


def _sign(request: RankedRequest) -> tuple[str, str]:
    if request.result is None:
        return "○", "$text-muted"
    return ("✓", "$text-success") if request.result.success else ("✗", "$text-error")


class RequestsScreen(ModalScreen[int | None]):
    """The overview; its result is the place of the request picked, or None."""

    DEFAULT_CSS = """
    RequestsScreen { align: center middle; & RequestList { height: 1fr; } & #means { height: auto; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,o", "dismiss(None)", "Leave", id="requests.leave")
    ]

    def __init__(self, ranked: RankedJob, request_index: int) -> None:
        super().__init__()
        self.ranked = ranked
        self.request_index = request_index

    def compose(self) -> ComposeResult:
        job = self.ranked.job
        with DialogBox(f"Requests of job {job.id}", "Enter shows · escape leaves", large=True):
            yield Static(self._means(), id="means")
            yield RequestList(self.ranked)

    def on_mount(self) -> None:
        requests = self.query_one(RequestList)
        requests.move_cursor(self.request_index)
        requests.focus()

    def _means(self) -> Content:
        metrics = self.ranked.metrics
        requests = self.ranked.requests
        judged = sum(request.metrics is not None for request in requests)
        head = Content.styled(f"{'#':>5}   best    nDCG  {'reference':<16} query", "dim")
        if metrics is None:
            first = Content(f"{len(requests):,} requests, none judged")
        else:
            first = Content.styled(
                f"{judged} of {len(requests)} judged · nDCG@10 {metrics.ndcg_at_10:.4f} · "
                f"MRR {metrics.mrr:.4f} · MAP {metrics.map:.4f} · P@5 {metrics.p_at_5:.4f} · "
                f"R@10 {metrics.recall_at_10:.4f}",
                "bold $text-accent",
            )
        return Content("\n").join([first, head])

    @on(VirtualList.Chosen, "#request-list")
    def _chosen(self, message: VirtualList.Chosen) -> None:
        message.stop()
        self.dismiss(message.index)

    @on(VirtualList.Highlighted, "#request-list")
    def _highlighted(self, message: VirtualList.Highlighted) -> None:
        message.stop()
