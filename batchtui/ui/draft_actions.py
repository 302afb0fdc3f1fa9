"""What a person does to drafts: submit, save, open files, take pastes in, edit outside, choose the model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from batchtui.drafting import counts_of
from batchtui.exchange.opening import pasted_path, read_file
from batchtui.exchange.reading import Opened, read_batches
from batchtui.exchange.source import InputError, ReadingCancelledError
from batchtui.exchange.splitting import split_text
from batchtui.figures import size
from batchtui.files import working_directory
from batchtui.jobs.errors import InvalidBatch, JobsError
from batchtui.model import Batch, Draft, Job
from batchtui.settings import CLOUDFLARE, credentials_missing
from batchtui.text import one_line
from batchtui.ui.compose_pane import first_problem
from batchtui.ui.draft_keeper import DraftKeeper, Version
from batchtui.ui.messages import Trouble
from batchtui.ui.open_screen import OpenScreen
from batchtui.ui.outside_editor import EditorError, edit_outside
from batchtui.ui.widgets.choice_screen import ChoiceScreen
from batchtui.ui.widgets.progress_screen import ProgressScreen
from batchtui.ui.widgets.prompt_screen import PromptScreen

if TYPE_CHECKING:
    from batchtui.ui.app import BatchtuiApp

# A bar is shown when reading takes longer than this, in seconds.
PROGRESS_AFTER = 0.25


class DraftActions:
    """Carries out what is asked of the draft; what goes wrong is told, and what was typed stays."""

    def __init__(self, app: BatchtuiApp, draft: Draft) -> None:
        self.app = app
        self.service = app.service
        self.keeper = DraftKeeper(app.service, app.clock, draft)
        self._directory = working_directory()
        self._warned = False

    # Keeping

    def current(self) -> Draft:
        """The draft as it is on the screen."""
        pane = self.app.compose_pane
        pane.take_query()
        return Draft(0, pane.composition.batch, self.keeper.name, pane.unfinished)

    def save_soon(self) -> None:
        """Write the draft beside the screen, if it changed."""
        if self.keeper.waits:
            version = self.keeper.take(self.current())
            self.app.run_worker(
                lambda: self._write(version), thread=True, group="drafts", exit_on_error=False
            )

    def save(self) -> bool:
        """Write the draft now; where it can't be, that is told, and False."""
        return self._write(self.keeper.take(self.current()))

    def _write(self, version: Version) -> bool:
        try:
            self.keeper.write(version)
        except JobsError as error:
            self.app.post_message(Trouble(str(error), title="The draft was not saved"))
            return False
        return True

    def may_leave(self) -> bool:
        """Save the draft; where it can't be, the first try to leave says so and the second one leaves."""
        if self.save() or self._warned:
            return True
        self._warned = True
        self.app.tell("Press ctrl+q once more to leave without it.", severe=True)
        return False

    def open(self, draft: Draft) -> None:
        """Go on with another draft; the one shown is saved first."""
        self.save()
        self.keeper.follow(draft)
        self.app.compose_pane.load(draft)
        if not draft.id:
            self.keeper.changed()
        self.app.refresh_header()

    def new(self) -> None:
        """Begin an empty draft, unless the one shown is empty."""
        pane = self.app.compose_pane
        if not pane.composition.empty or pane.unfinished:
            self.open(Draft(0, Batch((), pane.composition.batch.model)))
        self.app.action_focus_pane("compose")

    def choose_draft(self) -> None:
        """Go back to one of the drafts that are kept."""
        self.save()
        kept = sorted(self.service.drafts(), key=lambda draft: draft.updated_at, reverse=True)
        kept = [draft for draft in kept if draft.batch.requests or draft.unfinished]
        if not kept:
            self.app.tell("No draft is kept yet: what you type is one.")
            return

        def chosen(place: int | None) -> None:
            if place is not None:
                self.open(kept[place])
                self.app.action_focus_pane("compose")

        self.app.push_screen(ChoiceScreen("Drafts", "", [_words_on(draft) for draft in kept]), chosen)

    # Submitting

    def submit(self) -> None:
        """Submit the draft, or go to the first thing to mend."""
        pane = self.app.compose_pane
        batch = pane.finish()
        missing = credentials_missing(self.app.settings) if self.app.settings.backend == CLOUDFLARE else None
        if problem := first_problem(batch):
            self.app.action_focus_pane("compose")
            pane.mend(problem)
            self.app.tell(problem.text, title="Not sent", severe=True)
        elif missing:
            self.app.tell(missing, title="Not sent", severe=True)
        else:
            pane.sent()
            self.submit_batch(batch)

    def submit_batch(self, batch: Batch, label: str | None = None) -> None:
        """Write a batch to the store, from where the follower sends it."""
        self.app.run_worker(
            lambda: self._submit(batch, label), thread=True, group="submit", exit_on_error=False
        )

    def _submit(self, batch: Batch, label: str | None) -> None:
        try:
            job = self.service.submit(batch, backend=self.app.settings.backend, label=label)
        except JobsError as error:
            self.app.post_message(Trouble(str(error), title="Not sent; the draft is kept"))
            if isinstance(error, InvalidBatch) and error.request_index is not None:
                self.app.call_from_thread(self.app.compose_pane.go_to, error.request_index)
        else:
            self.app.call_from_thread(self._submitted, job)

    def _submitted(self, job: Job) -> None:
        self.app.jobs_pane.reload(keep=job.id)
        self.app.results_pane.look_at(job.id)
        if self.app.narrow:
            self.app.action_focus_pane("results")

    # Files and pastes

    def open_file(self) -> None:
        """Ask for a file, and open it as a draft."""

        def picked(path: Path | None) -> None:
            if path is not None:
                self._directory = path.parent
                self.read(path)

        self.app.push_screen(OpenScreen(self._directory), picked)

    def read(self, path: Path) -> None:
        """Open a file as a draft, beside the screen; escape stops it, and then nothing is taken."""
        progress = ProgressScreen(f"Reading {path.name}")
        # Most files are read before a bar could be drawn.
        shown = self.app.set_timer(PROGRESS_AFTER, lambda: self.app.push_screen(progress))

        def done(opened: Opened | None, trouble: str = "") -> None:
            shown.stop()
            progress.end()
            if trouble:
                self.app.tell(trouble, title="Not opened", severe=True)
            elif opened is not None:
                self._preview(opened, path.name)

        def read() -> None:
            opened, trouble = None, ""
            try:
                opened = read_file(path, on_progress=progress.tell, cancelled=lambda: progress.stopped)
            except ReadingCancelledError:
                pass
            except InputError as error:
                trouble = str(error)
            self.app.call_from_thread(done, opened, trouble)

        self.app.run_worker(read, thread=True, group="read", exit_on_error=False)

    def _preview(self, opened: Opened, name: str) -> None:
        """Say what will come in, and take it in when the person says so."""
        batch = opened.batch
        lines = [f"{one_line(name, 80)} ({opened.form}): {counts_of(batch)}"]
        lines += [f"“{one_line(batch.requests[0].query, 200)}”"] if not opened.needs_query else []
        lines += map(one_line, opened.notes)
        answers = [("Open as a new draft", "the one shown is kept among the drafts")]
        if opened.needs_query:
            answers.append(("Add its contexts here", "to the query of the draft that is shown"))

        def chosen(place: int | None) -> None:
            if place == 0:
                self._take(opened, name)
            elif place == 1:
                self.app.compose_pane.paste_contexts(batch.requests[0].contexts)

        self.app.push_screen(ChoiceScreen("Open", "\n".join(lines), answers), chosen)

    def _take(self, opened: Opened, name: str) -> None:
        batch = opened.batch
        if not opened.names_model:
            batch = msgspec.structs.replace(batch, model=self.app.compose_pane.composition.batch.model)
        self.open(Draft(0, batch, name))
        self.app.action_focus_pane("compose")

    def paste(self, text: str, *, into_query: bool) -> None:
        """Take in a paste of many lines, of a batch, or of a file's path."""
        pane = self.app.compose_pane
        if path := pasted_path(text):
            self.read(path)
            return
        if pane.composition.empty and not pane.unfinished and (opened := _batch_in(text)):
            self._take(opened, "")
            self.app.tell(f"{opened.form} taken in: {counts_of(opened.batch)}")
            return
        if into_query:
            pane.insert_query(text)
            return
        choices = split_text(text)
        if len(choices) < 2:
            pane.insert_context(text)
            return
        words = {
            "one": "as one context",
            "lines": "by line",
            "paragraphs": "by blank line",
            "json": "as JSON",
        }
        answers = [
            (words[choice.kind], f"{choice.count:,} context{'s' if choice.count != 1 else ''}")
            for choice in choices
        ]

        def chosen(place: int | None) -> None:
            if place is None:
                return
            if choices[place].kind == "one":
                pane.insert_context(text)
            else:
                pane.paste_contexts(choices[place].contexts)

        lines = text.count("\n") + 1
        question = f"{lines:,} lines, {size(len(text.encode('utf-8', 'replace')))}. How shall they come in?"
        self.app.push_screen(ChoiceScreen("Paste", question, answers), chosen)

    def edit_outside(self) -> None:
        """Open the person's editor on the text of the field that has the focus."""
        pane = self.app.compose_pane
        try:
            edited = edit_outside(self.app, pane.text_to_edit())
        except EditorError as error:
            self.app.tell(str(error), title="The text stays as it was", severe=True)
            return
        pane.take_edited(edited)

    def choose_model(self) -> None:
        """Choose the model of the draft, and what its requests take."""
        composition = self.app.compose_pane.composition
        batch = composition.batch
        models = self.app.models
        answers, settings = [], []
        for name in dict.fromkeys([*models, batch.model]):
            model = models.get(name)
            takes = model is None or model.takes_batches
            about = one_line(model.description, 60) if model else "as the draft names it"
            for truncate in (None, True) if takes else (None,):
                settings.append((name, truncate))
                answers.append((name, about if truncate is None else "the same, texts over its window cut"))
        chosen_now = (batch.model, batch.truncate_inputs or None)
        now = settings.index(chosen_now) if chosen_now in settings else 0

        def chosen(place: int | None) -> None:
            if place is None:
                return
            name, truncate = settings[place]
            top_k = batch.top_k if name == batch.model else None
            composition.set_model(name, truncate_inputs=truncate, top_k=top_k)
            self.app.compose_pane.changed_outside()
            model = models.get(name)
            if model is not None and not model.takes_batches:
                self._ask_top_k()

        question = "Who is to rank the contexts of this draft?"
        self.app.push_screen(ChoiceScreen("Model", question, answers, now), chosen)

    def _ask_top_k(self) -> None:
        composition = self.app.compose_pane.composition
        batch = composition.batch

        def answered(text: str | None) -> None:
            if text is None:
                return
            wanted = text.strip()
            if wanted and not (wanted.isascii() and wanted.isdigit() and int(wanted[:9]) > 0):
                self.app.tell("top_k is a number from 1, or nothing for all.", title="Not set", severe=True)
                return
            composition.set_model(
                batch.model, truncate_inputs=None, top_k=int(wanted[:9]) if wanted else None
            )
            self.app.compose_pane.changed_outside()

        question = "How many of the best contexts shall it answer with? Nothing is all of them."
        value = "" if batch.top_k is None else str(batch.top_k)
        self.app.push_screen(PromptScreen("top_k", question, value), answered)

    def set_reference(self) -> None:
        """Set the external_reference of the current request."""
        composition = self.app.compose_pane.composition

        def answered(text: str | None) -> None:
            if text is not None:
                composition.set_reference(text)
                self.app.compose_pane.changed_outside()

        question = "It is sent along and echoed. Nothing has it filled in when the batch is sent."
        value = composition.request.external_reference or ""
        self.app.push_screen(PromptScreen("external_reference", question, value), answered)

    def rename(self) -> None:
        """Name the draft, to find it again among the others."""

        def answered(text: str | None) -> None:
            if text is not None:
                self.keeper.name = text
                self.keeper.changed()

        self.app.push_screen(PromptScreen("Name of the draft", value=self.keeper.name), answered)

    def delete(self) -> None:
        """Remove the draft that is shown; what was submitted from it stays."""
        try:
            self.keeper.delete()
        except JobsError as error:
            self.app.tell(str(error), title="The draft was not deleted", severe=True)
            return
        draft = Draft(0, Batch((), self.app.compose_pane.composition.batch.model))
        self.keeper.follow(draft)
        self.app.compose_pane.load(draft)
        self.app.tell("The draft was deleted.")


def _words_on(draft: Draft) -> tuple[str, str]:
    requests = draft.batch.requests
    query = one_line(requests[0].query if requests else "", 50)
    return draft.name or query or "(no query yet)", f"{counts_of(draft.batch)} · {query}"


def _batch_in(text: str) -> Opened | None:
    """The batch that a pasted curl command or JSON holds; None for all else."""
    if not text.lstrip().startswith(("{", "[", "curl")):
        return None
    try:
        opened = read_batches(text.encode("utf-8", "surrogatepass"))
    except InputError:
        return None
    return None if opened.needs_query or opened.form == "text" else opened
