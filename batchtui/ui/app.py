"""The app: three panes, what flows between them, and the follower beside them."""

from typing import ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, Static, Tab, Tabs

from batchtui.clock import Clock
from batchtui.jobs.service import JobsService
from batchtui.model import Batch, Draft, Job
from batchtui.settings import CLOUDFLARE, Settings, credentials_missing
from batchtui.text import safe
from batchtui.ui.compose_pane import ComposePane, first_problem
from batchtui.ui.draft_keeper import INTERVAL, DraftKeeper
from batchtui.ui.jobs_pane import JobsPane
from batchtui.ui.keymap import APP_ACTIONS, APP_BINDINGS
from batchtui.ui.messages import DraftChanged, DraftWanted, JobPicked, JobsChanged, JudgmentMade, Trouble
from batchtui.ui.results_pane import ResultsPane
from batchtui.ui.status_header import StatusHeader

PANES = ("jobs", "compose", "results")
SMALLEST = (60, 16)


class BatchtuiApp(App[None]):
    """Compose, submit, watch, read the ranking."""

    TITLE = "batchtui"
    CSS_PATH = ["app.tcss", "compose_pane.tcss", "jobs_pane.tcss", "results_pane.tcss"]
    HORIZONTAL_BREAKPOINTS = [
        (0, "-tiny"),
        (SMALLEST[0], "-narrow"),
        (120, "-wide"),
        (180, "-full"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (SMALLEST[1], "-high")]
    BINDINGS: ClassVar[list[BindingType]] = list(APP_BINDINGS)
    ENABLE_COMMAND_PALETTE = True

    def __init__(self, service: JobsService, settings: Settings, clock: Clock, draft: Draft) -> None:
        super().__init__()
        self.service = service
        self.settings = settings
        self.clock = clock
        self.pane = "compose"
        self._first_draft = draft

    def compose(self) -> ComposeResult:
        yield StatusHeader()
        yield Tabs(*(Tab(name.title(), id=f"tab-{name}") for name in PANES), id="pane-tabs")
        with Container(id="panes"):
            yield ComposePane(self._first_draft)
            yield ResultsPane(self.service, self.clock)
            yield JobsPane(self.service, self.clock)
        yield Static(id="too-small")
        yield Footer()

    def on_mount(self) -> None:
        if self.settings.theme in self.available_themes:
            self.theme = self.settings.theme
        self.set_keymap(self.settings.keys)
        compose = self.query_one(ComposePane)
        self.drafts = DraftKeeper(self.service, self._first_draft)
        header = self.query_one(StatusHeader)
        header.backend = self.settings.backend_name
        self.show_pane("compose")
        compose.query_one("#query").focus()
        self.call_after_refresh(self._start)

    def _start(self) -> None:
        # What is heavy (the HTTP client, the emulator) is imported by the follower, after the first paint.
        self.service.subscribe(self._tell_jobs_changed)
        self.run_worker(self._follow(), group="follower", exit_on_error=False)
        self.set_interval(INTERVAL, self._save_draft_soon)
        self._refresh_header()

    def _tell_jobs_changed(self, job_ids: frozenset[int]) -> None:
        self.post_message(JobsChanged(job_ids))

    async def _follow(self) -> None:
        try:
            await self.service.run_follower()
        except Exception as error:
            self.log.error(repr(error))
            self.post_message(Trouble(str(error), title="Jobs are not followed any more"))

    # What the panes say

    @on(JobPicked)
    def _job_picked(self, message: JobPicked) -> None:
        self.query_one(ResultsPane).look_at(message.job_id)
        if message.open:
            self.action_focus_pane("results")

    @on(JobsChanged)
    def _jobs_changed(self, message: JobsChanged) -> None:
        self.query_one(JobsPane).reload_soon()
        self.query_one(ResultsPane).refresh_if(message.job_ids)
        self._refresh_header()

    @on(JudgmentMade)
    def _judgment_made(self) -> None:
        self.query_one(JobsPane).reload_soon()

    @on(DraftChanged)
    def _draft_changed(self) -> None:
        self.drafts.changed()
        self._refresh_header()

    @on(DraftWanted)
    def _draft_wanted(self, message: DraftWanted) -> None:
        self.open_draft(Draft(0, message.batch, message.name))
        self.action_focus_pane("compose")

    @on(Trouble)
    def _trouble(self, message: Trouble) -> None:
        self.tell(message.text, title=message.title, severe=message.severe)

    def tell(self, text: str, *, title: str = "", severe: bool = False) -> None:
        """Show a notice, made safe, markup off; the title too."""
        self.notify(
            safe(text),
            title=safe(title),
            severity="error" if severe else "information",
            timeout=12,
            markup=False,
        )

    def _refresh_header(self) -> None:
        header = self.query_one(StatusHeader)
        header.model = self.query_one(ComposePane).composition.batch.model
        header.open_jobs = self.service.open_count()
        today = self.clock.now() // 86_400 * 86_400
        header.tokens_today = self.service.tokens_since(today, self.settings.backend)

    # Drafts

    def _current_draft(self) -> Draft:
        pane = self.query_one(ComposePane)
        return Draft(0, pane.composition.batch, self.drafts.name, pane.unfinished)

    def _save_draft_soon(self) -> None:
        if self.drafts.waits:
            draft = self._current_draft()
            self.run_worker(lambda: self._write(draft), thread=True, group="drafts", exit_on_error=False)

    def _write(self, draft: Draft) -> None:
        try:
            self.drafts.write_if_changed(draft)
        except Exception as error:
            self.post_message(Trouble(str(error), title="The draft was not saved"))

    def open_draft(self, draft: Draft) -> None:
        """Go on with another draft; the one shown is saved first."""
        self._write(self._current_draft())
        self.drafts.follow(draft)
        self.query_one(ComposePane).load(draft)
        if not draft.id:
            self.drafts.changed()
        self._refresh_header()

    # Submitting

    def action_submit(self) -> None:
        """Submit the draft, or go to the first thing to mend."""
        pane = self.query_one(ComposePane)
        batch = pane.finish()
        if problem := first_problem(batch):
            self.action_focus_pane("compose")
            pane.mend(problem)
            self.tell(problem.text, title="Not sent", severe=True)
        elif self.settings.backend == CLOUDFLARE and (missing := credentials_missing(self.settings)):
            self.tell(missing, title="Not sent", severe=True)
        else:
            pane.sent()
            self.submit(batch)

    def submit(self, batch: Batch) -> None:
        """Write a batch to the store, from where the follower sends it."""
        self.run_worker(lambda: self._submit(batch), thread=True, group="submit", exit_on_error=False)

    def _submit(self, batch: Batch) -> None:
        try:
            job = self.service.submit(batch, backend=self.settings.backend)
        except Exception as error:
            self.post_message(Trouble(str(error), title="Not sent; the draft is kept"))
        else:
            self.call_from_thread(self._submitted, job)

    def _submitted(self, job: Job) -> None:
        self.query_one(JobsPane).reload(keep=job.id)
        self.query_one(ResultsPane).look_at(job.id)
        if not self.screen.has_class("-wide") and not self.screen.has_class("-full"):
            self.action_focus_pane("results")

    # Panes

    @property
    def narrow(self) -> bool:
        """Whether one pane is shown at a time."""
        return self.size.width < 120

    def show_pane(self, name: str) -> None:
        """Bring a pane to the front where one is shown at a time."""
        self.pane = name
        for pane in PANES:
            self.query_one(f"#{pane}").set_class(pane == name, "-shown")
        tabs = self.query_one("#pane-tabs", Tabs)
        if tabs.active != f"tab-{name}":
            tabs.active = f"tab-{name}"

    @on(Tabs.TabActivated, "#pane-tabs")
    def _tab_activated(self, message: Tabs.TabActivated) -> None:
        name = (message.tab.id or "").removeprefix("tab-")
        if name != self.pane:
            self.action_focus_pane(name)

    def on_descendant_focus(self) -> None:
        """The pane that has the focus is the one shown."""
        for pane in PANES:
            if self.query_one(f"#{pane}").has_focus_within and pane != self.pane:
                self.show_pane(pane)

    def action_focus_pane(self, name: str) -> None:
        """Go to a pane."""
        self.show_pane(name)
        first = {"jobs": "#job-list", "compose": "#query", "results": "#ranking"}
        self.query_one(first[name]).focus()

    def on_resize(self) -> None:
        """Say what is needed where the terminal is too small."""
        width, height = SMALLEST
        self.query_one("#too-small", Static).update(
            Content(
                f"This terminal has {self.size.width}×{self.size.height} cells, "
                f"and batchtui needs {width}×{height}. "
                "Make it larger; all that you typed is kept."
            )
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of the app rest while a dialog is open."""
        if isinstance(self.screen, ModalScreen) and action in APP_ACTIONS - {"quit"}:
            return False
        return super().check_action(action, parameters)

    async def action_quit(self) -> None:
        """Save the draft and leave; the jobs are taken up again next time."""
        self._write(self._current_draft())
        self.exit()
