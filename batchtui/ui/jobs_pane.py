"""Jobs: the live list of what was submitted."""

from dataclasses import replace
from typing import ClassVar, get_args

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input

from batchtui.clock import Clock
from batchtui.figures import duration
from batchtui.jobs.search import JobQuery, Sort
from batchtui.jobs.service import JobsService
from batchtui.model import Job, JobState
from batchtui.text import cell_width, fit, one_line
from batchtui.ui.messages import JobAction, JobPicked
from batchtui.ui.widgets.line_input import LineInput
from batchtui.ui.widgets.virtual_list import VirtualList

NO_JOBS = "No job yet: compose a batch and press ctrl+s"
PAGE = 64
# A sign, a space, the longest state, a space; an nDCG@10 with its space.
STATE_CELLS = 14
METRIC_CELLS = 5
# Changes within this time are drawn once, in seconds.
COALESCED = 0.1
# The list is searched when the typing rests so long, in seconds.
FIND_AFTER = 0.12
SORTS: tuple[Sort, ...] = get_args(Sort)

SIGNS = {
    JobState.SENDING: ("↑", "$text-primary"),
    JobState.QUEUED: ("○", "$text-secondary"),
    JobState.RUNNING: ("◐", "$text-warning"),
    JobState.DONE: ("✓", "$text-success"),
    JobState.FAILED: ("✗", "$text-error"),
    JobState.UNCONFIRMED: ("?", "$text-error"),
    JobState.EXPIRED: ("⊘", "$text-error"),
    JobState.STOPPED: ("■", "$text-muted"),
}


class JobList(VirtualList):
    """The rows of the Jobs pane, read from the store a page at a time."""

    def __init__(self, service: JobsService, clock: Clock) -> None:
        super().__init__(id="job-list", empty=NO_JOBS)
        self.service = service
        self.clock = clock
        self.filter = JobQuery()
        self.marked: set[int] = set()
        self._pages: dict[int, list[Job]] = {}
        self._number_cells = 4
        self._shows_metric = False
        self._ages: list[str] = []

    def job_at(self, index: int) -> Job | None:
        """The job in a row; None where the list has got shorter."""
        page = index // PAGE
        if page not in self._pages:
            if len(self._pages) > 32:
                self._pages.clear()
            self._pages[page] = self.service.page(self.filter, page * PAGE, PAGE)
        rows = self._pages[page]
        return rows[index % PAGE] if index % PAGE < len(rows) else None

    @property
    def current(self) -> Job | None:
        """The job under the cursor."""
        return self.job_at(self.cursor) if self.row_count else None

    def reload(self, keep: int | None) -> None:
        """Read the list anew, with the cursor on job `keep` where it is still there."""
        self._pages.clear()
        self.set_row_count(self.service.count(self.filter))
        first = self.job_at(0)
        self._number_cells = max(4, len(str(first.id))) if first else 4
        self._shows_metric = any(job.ndcg_at_10 is not None for job in self._pages.get(0, ()))
        place = self.service.position(self.filter, keep) if keep is not None else None
        if place is not None and place != self.cursor:
            self.move_cursor(place)

    def refresh_ages(self) -> None:
        """Draw the rows in view again if an age they show is another by now."""
        first = self.scroll_offset.y
        jobs = [self.job_at(first + row) for row in range(min(self.size.height, self.row_count - first))]
        ages = [self._age(job) for job in jobs if job]
        if ages != self._ages:
            self._ages = ages
            self.refresh()

    def row_content(self, index: int, width: int) -> Content:
        """Number, state, metric, what it asks, its size and its age."""
        job = self.job_at(index)
        if job is None:
            return Content("")
        sign, colour = SIGNS[job.state]
        state = str(job.state)
        if job.state is JobState.DONE and job.failed_requests:
            state = f"done −{job.failed_requests}"
        elif job.parts > 1 and job.state.open:
            state = f"{state} {job.parts_done}/{job.parts}"
        metric = ""
        if self._shows_metric:
            metric = f"{job.ndcg_at_10:.2f} " if job.ndcg_at_10 is not None else " " * METRIC_CELLS
        size = f"{job.requests}×{job.contexts // max(job.requests, 1)}"
        end = f"{size:>6} {self._age(job):>7}"
        mark = "▌" if job.id in self.marked else ("•" if job.pinned else " ")
        start = f"{mark}{job.id:>{self._number_cells}} "
        room = width - cell_width(start) - STATE_CELLS - len(metric) - cell_width(end) - 1
        return Content.assemble(
            (start, "bold" if job.id in self.marked else ""),
            (f"{sign} {fit(state, 11)} ", colour),
            metric,
            fit(one_line(job.label or job.model, max(room, 1)), max(room, 1)),
            " ",
            (end, "dim"),
        )

    def _age(self, job: Job) -> str:
        now = self.clock.now()
        if job.state.open and job.next_ask_at is not None and job.next_ask_at - now > 3:
            return f"in {duration(job.next_ask_at - now)}"
        return duration(max(now - job.created_at, 0))


class JobsPane(Vertical):
    """The list, the field that filters it, and the keys for what is done to jobs."""

    BORDER_TITLE = "Jobs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "Find", id="jobs.find"),
        Binding("space", "mark", "Mark", id="jobs.mark"),
        Binding("c", "job('compare')", "Compare", id="jobs.compare"),
        Binding("r", "job('again')", "Again", id="jobs.again"),
        Binding("R", "job('again_now')", "Submit again", show=False, id="jobs.again_now"),
        Binding("a", "job('ask_now')", "Ask now", show=False, id="jobs.ask_now"),
        Binding("s", "job('decide')", "Stop", show=False, id="jobs.decide"),
        Binding("d,delete", "job('delete')", "Delete", show=False, id="jobs.delete"),
        Binding("u", "job('undelete')", "Bring back", show=False, id="jobs.undelete"),
        Binding("l", "job('label')", "Label", show=False, id="jobs.label"),
        Binding("n", "job('note')", "Note", show=False, id="jobs.note"),
        Binding("p", "job('pin')", "Pin", show=False, id="jobs.pin"),
        Binding("S", "sort", "Sort", show=False, id="jobs.sort"),
        Binding("x", "job('export')", "Export", show=False, id="jobs.export"),
        Binding("y", "job('copy')", "Copy", show=False, id="jobs.copy"),
        Binding("v", "job('raw')", "Raw answer", show=False, id="jobs.raw"),
        Binding("escape", "leave_find", "Leave", show=False, id="jobs.leave"),
    ]

    def __init__(self, service: JobsService, clock: Clock) -> None:
        super().__init__(id="jobs")
        self.service = service
        self.clock = clock
        self._waiting = False
        self._picked: int | None = None
        self._typing: Timer | None = None

    def compose(self) -> ComposeResult:
        yield LineInput(id="job-filter", placeholder="find in label, query, context, reference, state, model")
        yield JobList(self.service, self.clock)

    def on_mount(self) -> None:
        self.query_one("#job-filter").display = False
        self.reload()
        self.set_interval(1, self.jobs.refresh_ages)

    @property
    def jobs(self) -> JobList:
        """The list of jobs."""
        return self.query_one(JobList)

    @property
    def chosen(self) -> list[Job]:
        """The marked jobs, or the one under the cursor."""
        marked = [self.service.job(job_id) for job_id in sorted(self.jobs.marked)]
        current = self.jobs.current
        return [job for job in marked if job] or ([current] if current else [])

    def unmark(self) -> None:
        """Forget the marks."""
        self.jobs.marked.clear()
        self.jobs.refresh()

    def reload(self, keep: int | None = None) -> None:
        """Read the list anew; the cursor stays on its job, or goes to job `keep`."""
        jobs = self.jobs
        current = jobs.current
        jobs.reload(keep if keep is not None else (current.id if current else None))
        parts = [f"{len(jobs.marked)} marked"] if jobs.marked else []
        parts += [f"by {jobs.filter.sort}"] if jobs.filter.sort != SORTS[0] else []
        parts += [f"{jobs.row_count:,}"]
        self.border_subtitle = Content(" · ".join(parts))
        self._pick()

    def reload_soon(self) -> None:
        """Read the list anew a little later: many changes in a moment are one."""
        if not self._waiting:
            self._waiting = True
            self.set_timer(COALESCED, self._reload_now)

    def _reload_now(self) -> None:
        self._waiting = False
        self.reload()

    def _pick(self, *, open: bool = False) -> None:
        job = self.jobs.current
        if open or (job and job.id) != self._picked:
            self._picked = job.id if job else None
            self.post_message(JobPicked(self._picked, open=open))

    @on(VirtualList.Highlighted, "#job-list")
    def _highlighted(self, message: VirtualList.Highlighted) -> None:
        message.stop()
        self._pick()

    @on(VirtualList.Chosen, "#job-list")
    def _chosen(self, message: VirtualList.Chosen) -> None:
        message.stop()
        self._pick(open=True)

    @on(Input.Changed, "#job-filter")
    def _filter_typed(self, message: Input.Changed) -> None:
        message.stop()
        if self._typing:
            self._typing.stop()
        self._typing = self.set_timer(FIND_AFTER, lambda: self._filter(text=message.value))

    @on(Input.Submitted, "#job-filter")
    def _filter_done(self, message: Input.Submitted) -> None:
        message.stop()
        self.jobs.focus()

    def _filter(self, *, text: str | None = None, sort: Sort | None = None) -> None:
        jobs = self.jobs
        jobs.filter = replace(
            jobs.filter,
            text=jobs.filter.text if text is None else text,
            sort=jobs.filter.sort if sort is None else sort,
        )
        jobs.empty = f"No job has {one_line(jobs.filter.text, 30)!r}" if jobs.filter.text.strip() else NO_JOBS
        self.reload()

    def action_find(self) -> None:
        """Open the filter."""
        field = self.query_one("#job-filter", LineInput)
        field.display = True
        field.focus()

    def action_leave_find(self) -> None:
        """Show all jobs again, with the cursor where it is; then forget the marks."""
        if self._typing:
            self._typing.stop()
        field = self.query_one("#job-filter", LineInput)
        if field.display:
            field.value = ""
            field.display = False
        elif self.jobs.marked:
            self.jobs.marked.clear()
        self._filter(text="")
        self.jobs.focus()

    def action_mark(self) -> None:
        """Mark the job under the cursor, or take its mark away, and go on to the next."""
        jobs = self.jobs
        if job := jobs.current:
            jobs.marked ^= {job.id}
            jobs.move_cursor(jobs.cursor + 1)
            self.reload()

    def action_sort(self) -> None:
        """Sort by the next thing there is to sort by."""
        place = SORTS.index(self.jobs.filter.sort)
        self._filter(sort=SORTS[(place + 1) % len(SORTS)])

    def action_job(self, what: str) -> None:
        """Do something to the marked jobs, or to the one under the cursor."""
        self.post_message(JobAction(what, self.chosen))
