"""The app: three panes, what flows between them, and the follower beside them."""

import asyncio
import contextlib
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.containers import Container
from textual.screen import ModalScreen, Screen
from textual.theme import Theme
from textual.widgets import Footer, Static, Tab, Tabs

from batchtui.backends import Backends
from batchtui.clock import Clock, utc_day_of
from batchtui.jobs.errors import JobsError
from batchtui.jobs.service import JobsService
from batchtui.model import Draft
from batchtui.settings import CLOUDFLARE, Settings, set_theme
from batchtui.ui.compose_pane import ComposePane
from batchtui.ui.draft_actions import DraftActions
from batchtui.ui.draft_keeper import INTERVAL
from batchtui.ui.help import COMMANDS, help_on
from batchtui.ui.job_actions import JobActions
from batchtui.ui.jobs_pane import JobsPane
from batchtui.ui.keymap import APP_ACTIONS, APP_BINDINGS
from batchtui.ui.leaving import HUNG_UP, leave_on_signals, leave_with_the_terminal
from batchtui.ui.messages import (
    DraftChanged,
    DraftWanted,
    JobAction,
    JobPicked,
    JobsChanged,
    JudgmentMade,
    Trouble,
)
from batchtui.ui.paned_app import PANES, PanedApp
from batchtui.ui.results_pane import ResultsPane
from batchtui.ui.status_header import StatusHeader
from batchtui.ui.widgets.text_screen import TextScreen
from batchtui.workers_ai.catalogue import KNOWN
from batchtui.workers_ai.errors import WorkersAIError

STYLES = ("app", "compose_pane", "jobs_pane", "results_pane")


class BatchtuiApp(PanedApp, inherit_bindings=False):
    """Compose, submit, watch, read the ranking."""

    TITLE = "batchtui"
    CSS_PATH = [Path(__file__).parent / f"{name}.tcss" for name in STYLES]
    BINDINGS: ClassVar[list[BindingType]] = list(APP_BINDINGS)
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self, service: JobsService, backends: Backends, settings: Settings, clock: Clock, draft: Draft
    ) -> None:
        super().__init__(settings.locations.log_file)
        self.service = service
        self.backends = backends
        self.settings = settings
        self.clock = clock
        self.models = {name: model for name, model in KNOWN.items() if model.reranks}
        self.job_actions = JobActions(self)
        self.draft_actions = DraftActions(self, draft)
        self._first_draft = draft

    def compose(self) -> ComposeResult:
        yield StatusHeader()
        yield Tabs(
            *(Tab(f"F{key} {name.title()}", id=f"tab-{name}") for key, name in enumerate(PANES, 2)),
            id="pane-tabs",
            active="tab-compose",
        )
        with Container(id="panes"):
            yield ComposePane(self.service, self.settings.backend, self.clock, self._first_draft)
            yield ResultsPane(self.service, self.clock)
            yield JobsPane(self.service, self.clock)
        yield Static(id="too-small")
        yield Footer()

    def on_mount(self) -> None:
        if self.settings.theme in self.available_themes:
            self.theme = self.settings.theme
        self.set_keymap(self.settings.keys)
        self.query_one(StatusHeader).backend = self.settings.backend_name
        self.action_focus_pane("compose")
        self.call_after_refresh(self._start)

    def _start(self) -> None:
        # Without a screen it is a part of another program, whose signals are its own.
        if not self.is_headless:
            leave_on_signals(self._leave)
            leave_with_the_terminal(lambda: self.call_from_thread(self._leave, HUNG_UP))
        self.theme_changed_signal.subscribe(self, self._keep_theme)
        # What is heavy (the HTTP client, the emulator) is imported by the follower, after the first paint.
        self.service.subscribe(self._tell_jobs_changed)
        self.run_worker(self._follow(), group="follower", exit_on_error=False)
        self.set_interval(INTERVAL, self.draft_actions.save_soon)
        self.refresh_header()
        if self.settings.backend == CLOUDFLARE:
            self.run_worker(self._read_models(), group="models", exit_on_error=False)

    async def _read_models(self) -> None:
        # The catalogue in the program serves where this fails; a bad token is told by the first submit.
        with contextlib.suppress(WorkersAIError, JobsError):
            self.models |= await self.backends.rerankers()

    def _keep_theme(self, theme: Theme) -> None:
        try:
            set_theme(self.settings.locations.config_file, theme.name)
        except (OSError, ValueError) as error:
            self.tell(f"The theme was not kept: {error}", severe=True)

    def _tell_jobs_changed(self, job_ids: frozenset[int]) -> None:
        self.post_message(JobsChanged(job_ids))

    async def _follow(self) -> None:
        try:
            await asyncio.to_thread(self.backends.preload)
            await self.service.run_follower()
        except Exception as error:
            self.log.error(repr(error))
            self.post_message(Trouble(str(error), title="Jobs are not followed any more"))

    @property
    def jobs_pane(self) -> JobsPane:
        """The list of jobs."""
        return self.query_one(JobsPane)

    @property
    def results_pane(self) -> ResultsPane:
        """What came back."""
        return self.query_one(ResultsPane)

    @property
    def compose_pane(self) -> ComposePane:
        """The draft."""
        return self.query_one(ComposePane)

    # What the panes say

    @on(JobPicked)
    def _job_picked(self, message: JobPicked) -> None:
        self.results_pane.look_at(message.job_id)
        if message.open:
            self.action_focus_pane("results")

    @on(JobAction)
    def _job_action(self, message: JobAction) -> None:
        self.job_actions.run(message.what, message.jobs)

    @on(JobsChanged)
    def _jobs_changed(self, message: JobsChanged) -> None:
        self.jobs_pane.reload_soon()
        self.results_pane.refresh_if(message.job_ids)
        self.refresh_header()

    @on(JudgmentMade)
    def _judgment_made(self) -> None:
        self.jobs_pane.reload_soon()

    @on(DraftChanged)
    def _draft_changed(self) -> None:
        self.draft_actions.keeper.changed()
        self.refresh_header()

    @on(ComposePane.Pasted)
    def _pasted(self, message: ComposePane.Pasted) -> None:
        self.draft_actions.paste(message.text, into_query=message.into_query)

    @on(DraftWanted)
    def _draft_wanted(self, message: DraftWanted) -> None:
        self.draft_actions.open(Draft(0, message.batch, message.name))
        self.action_focus_pane("compose")

    @on(Trouble)
    def _trouble(self, message: Trouble) -> None:
        self.tell(message.text, title=message.title, severe=message.severe)

    def refresh_header(self) -> None:
        """Show the model, what is open and what was used today."""
        header = self.query_one(StatusHeader)
        header.model = self.compose_pane.composition.batch.model
        header.open_jobs = self.service.open_count()
        today = utc_day_of(self.clock.now())
        header.tokens_today = self.service.tokens_since(today, self.settings.backend)

    # Keys

    def action_submit(self) -> None:
        """Submit the draft."""
        self.draft_actions.submit()

    def action_draft(self, what: str) -> None:
        """Do something to the draft: `new`, `open_file`, `choose_draft`, `edit_outside` or `choose_model`."""
        getattr(self.draft_actions, what)()

    def action_compose(self, what: str) -> None:
        """Change the draft in the compose pane, as its `change` names it."""
        self.compose_pane.change(what)

    def action_job(self, what: str) -> None:
        """Do something to the chosen jobs."""
        self.job_actions.run(what, self.jobs_pane.chosen)

    def action_result(self, what: str) -> None:
        """Do in Results what its key does."""
        getattr(self.results_pane, f"action_{what}")()

    def action_list(self, what: str) -> None:
        """Do in Jobs what its key does."""
        self.action_focus_pane("jobs")
        getattr(self.jobs_pane, f"action_{what}")()

    def action_help(self) -> None:
        """Help on the part that has the focus."""
        self.push_screen(TextScreen("Help", help_on(self.pane, self)))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers."""
        yield from super().get_system_commands(screen)
        for name, what, action in COMMANDS:
            yield SystemCommand(name, what, partial(self.run_action, action))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of the app rest while a dialog is open."""
        if isinstance(self.screen, ModalScreen) and action in APP_ACTIONS:
            return False
        return super().check_action(action, parameters)

    def keep(self) -> None:
        """Write the draft, if there is one yet and it changed."""
        if self.query(ComposePane):
            self.draft_actions.save()

    def _leave(self, status: int) -> None:
        self.keep()
        self.exit(return_code=status)

    async def action_quit(self) -> None:
        """Save the draft and leave; the jobs are taken up again next time."""
        if self.draft_actions.may_leave():
            self.exit()
