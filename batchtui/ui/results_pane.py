"""Results: what came back for the job that is looked at."""

import re
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from batchtui.clock import Clock
from batchtui.commands.store import ranked as ranked_job_of
from batchtui.exchange.ranked import RankedJob
from batchtui.jobs.errors import JobsError
from batchtui.jobs.service import JobsService
from batchtui.model import JobState
from batchtui.text import one_line
from batchtui.ui.messages import JobAction, JudgmentMade, Trouble
from batchtui.ui.ranking_list import RankingList
from batchtui.ui.request_list import RequestsScreen
from batchtui.ui.results_view import (
    ResultsView,
    details,
    job_metric_line,
    load_view,
    metrics_line,
    spread_line,
    state_line,
    times_line,
    trouble_lines,
)
from batchtui.ui.widgets.text_screen import TextScreen
from batchtui.ui.widgets.text_view import TextView
from batchtui.ui.widgets.virtual_list import VirtualList
from batchtui.ui.widgets.words import Words

ROOMY_ROWS = 28


class ResultsPane(Vertical):
    """The ranking of one request of one job, and the full text of the selected context."""

    BORDER_TITLE = "Results"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "request(-1)", "Previous request", show=False, id="results.previous"),
        Binding("right_square_bracket", "request(1)", "Next request", show=False, id="results.next"),
        Binding("o", "overview", "Requests", id="results.overview"),
        Binding("c", "job('compare')", "Compare", id="results.compare"),
        Binding("r", "job('again')", "Again", id="results.again"),
        Binding("R", "job('again_now')", "Submit again", show=False, id="results.again_now"),
        Binding("s", "job('decide')", "Stop or follow", show=False, id="results.decide"),
        Binding("a", "job('ask_now')", "Ask now", show=False, id="results.ask_now"),
        Binding("x", "job('export')", "Export", show=False, id="results.export"),
        Binding("y", "job('copy')", "Copy", show=False, id="results.copy"),
        Binding("i", "details", "Details", show=False, id="results.details"),
        Binding("v", "job('raw')", "Raw answer", show=False, id="results.raw"),
    ]

    class Loaded(Message):
        """What is to be shown was read."""

        def __init__(self, view: ResultsView | None) -> None:
            super().__init__()
            self.view = view

    def __init__(self, service: JobsService, clock: Clock) -> None:
        super().__init__(id="results")
        self.service = service
        self.clock = clock
        self.job_id: int | None = None
        self.request_index = 0
        self.view: ResultsView | None = None
        self._wanted: tuple[int, int] | None = None
        self._reading = False

    def compose(self) -> ComposeResult:
        yield Words(id="result-summary")
        yield Words(id="result-heading")
        yield RankingList()
        yield Words(id="result-gap")
        yield TextView(id="result-text")

    def on_mount(self) -> None:
        self._show_summary()
        self.set_interval(1, self._tick)

    @property
    def ranking(self) -> RankingList:
        """The list of ranked contexts."""
        return self.query_one(RankingList)

    def look_at(self, job_id: int | None, request_index: int = 0) -> None:
        """Show a job; the same job again is read anew."""
        if job_id != self.job_id:
            self.request_index = request_index
        self.job_id = job_id
        if job_id is None:
            self._show(None)
        else:
            self._load(job_id, self.request_index)

    def refresh_if(self, job_ids: frozenset[int]) -> None:
        """Read the job anew if it is one of these."""
        if self.job_id in job_ids:
            self.look_at(self.job_id)

    def _load(self, job_id: int, request_index: int) -> None:
        """Read beside the screen; while one is read only the last one wanted waits."""
        if self._reading:
            self._wanted = (job_id, request_index)
            return
        self._reading = True
        self.run_worker(
            lambda: self._read(job_id, request_index), thread=True, group="results", exit_on_error=False
        )

    def _read(self, job_id: int, request_index: int) -> None:
        view = None
        try:
            view = load_view(self.service, job_id, request_index)
        except JobsError as error:
            self.post_message(Trouble(str(error), title="The job can't be read"))
        finally:
            self.post_message(self.Loaded(view))

    @on(Loaded)
    def _loaded(self, message: Loaded) -> None:
        message.stop()
        self._reading = False
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            self._load(*wanted)
        elif message.view is None or message.view.job.id == self.job_id:
            self._show(message.view)

    def _show(self, view: ResultsView | None) -> None:
        before, self.view = self.view, view
        ranking = self.ranking
        result = view.result if view else None
        ranking.show(
            view.request if view else None, result.ranking if result else None, view.grades if view else {}
        )
        another = (
            view is None
            or before is None
            or (before.job.id, before.request_index)
            != (
                view.job.id,
                view.request_index,
            )
        )
        if another or (before and before.result is None):
            ranking.move_cursor(0)
        self._show_summary()
        self._show_text()

    def _tick(self) -> None:
        if self.view and self.view.job.state.open:
            self._show_summary()

    def _show_summary(self) -> None:
        view = self.view
        summary = self.query_one("#result-summary", Words)
        heading = self.query_one("#result-heading", Words)
        heading.display = view is not None
        if view is None:
            summary.say(Content("Nothing to show yet: submit a batch, or pick a job in Jobs"))
            self.border_subtitle = None
            return
        job, ranking = view.job, self.ranking
        good = job.state is JobState.DONE and not job.failed_requests
        lines = [Content.styled(state_line(job, self.clock.now()), "bold $text-success" if good else "bold")]
        where = f"{one_line(job.model, 60)} on {one_line(job.backend, 60)}" + (
            f" · scored by {one_line(job.scorer, 60)}" if job.scorer else ""
        )
        lines.append(Content.styled(where, "dim"))
        # Where rows are scarce they go to the ranking; `i` shows what is left out here.
        roomy = self.size.height >= ROOMY_ROWS
        notes = [one_line(job.note, 200), times_line(job) if roomy else ""]
        lines += [Content.styled(text, "dim") for text in filter(None, notes)]
        lines += [Content.styled(text, "$text-error") for text in trouble_lines(job)]
        if view.result and not view.result.success:
            why = one_line(view.result.error or "no reason was given", 300)
            lines.append(Content.styled(f"this request failed: {why}", "$text-error"))
        if view.result:
            lines += [
                Content.styled(one_line(text, 300), "$text-warning") for text in view.result.problems[:3]
            ]
        lines.append(Content(one_line(f"“{view.request.query}”", 500)))
        if metrics := view.metrics:
            lines.append(Content.styled(metrics_line(metrics, len(view.request.contexts)), "$text-accent"))
        if mean := job_metric_line(view):
            lines.append(Content.styled(mean, "$text-accent"))
        if roomy and (spread := spread_line(ranking.scores)):
            lines.append(Content.styled(spread, "dim"))
        summary.say(Content("\n").join(lines))
        heading.say(Content.styled(ranking.heading, "dim"))
        reference = view.request.external_reference
        where = f"job {job.id} · request {view.request_index + 1}/{job.requests}"
        if reference:
            where += f" · {one_line(reference, 24)}"
        if span := ranking.score_range:
            where += f" · bars {span[0]:.3f}–{span[1]:.3f}"
        self.border_subtitle = Content(where)

    def _show_text(self) -> None:
        view, row = self.view, self.ranking.current
        if view is None or row is None:
            self.query_one(TextView).show("")
            self.query_one("#result-gap", Words).say(Content(""))
            return
        words = tuple(dict.fromkeys(re.findall(r"\w{2,}", view.request.query[:2000])))[:50]
        self.query_one(TextView).show(view.request.contexts[row.index].text, words)
        self.query_one("#result-gap", Words).say(Content.styled(self.ranking.words_on_current, "dim"))

    @on(VirtualList.Highlighted, "#ranking")
    def _highlighted(self, message: VirtualList.Highlighted) -> None:
        message.stop()
        self._show_text()

    @on(RankingList.Judged)
    def _judged(self, message: RankingList.Judged) -> None:
        message.stop()
        view = self.view
        if view is None:
            return
        try:
            self.service.judge(
                view.request.query, view.request.contexts[message.row.index].text, message.grade
            )
        except JobsError as error:
            self.post_message(Trouble(str(error), title="The judgment was not kept"))
            return
        self.ranking.grade(message.row, message.grade)
        self._show_summary()
        self.post_message(JudgmentMade())

    def action_job(self, what: str) -> None:
        """Do something to the job that is looked at."""
        self.post_message(JobAction(what, [self.view.job] if self.view else []))

    @work(thread=True, exclusive=True, group="overview")
    def action_overview(self) -> None:
        """Show all requests of the job, to pick one."""
        if self.view:
            ranked = ranked_job_of(self.service, self.view.job)
            self.app.call_from_thread(self._show_overview, ranked)

    def _show_overview(self, ranked: RankedJob) -> None:
        def picked(index: int | None) -> None:
            if index is not None and self.job_id == ranked.job.id:
                self.request_index = index
                self.look_at(self.job_id)

        self.app.push_screen(RequestsScreen(ranked, self.request_index), picked)

    def action_details(self) -> None:
        """Show all that is known of the job."""
        if self.view:
            text = details(self.view, self.clock.now())
            self.app.push_screen(TextScreen(f"Job {self.view.job.id}", text))

    def action_request(self, step: int) -> None:
        """Go to the next or the previous request of the job."""
        if self.view and 0 <= self.view.request_index + step < self.view.job.requests:
            self.request_index = self.view.request_index + step
            self.look_at(self.job_id)
