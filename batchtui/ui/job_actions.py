"""What a person does to jobs, from the list, from Results and from the palette."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from batchtui.commands.store import grades_of, ranked
from batchtui.comparison import Comparison, compare
from batchtui.exchange.comparison_form import comparison_object, write_comparison
from batchtui.exchange.json_text import to_json
from batchtui.exchange.writing import ExportForm, export
from batchtui.files import expanded, working_directory, write_atomically
from batchtui.jobs.errors import JobsError
from batchtui.jobs.parts import takes_batches
from batchtui.model import Job, JobState
from batchtui.text import from_bytes, one_line, pasteable
from batchtui.ui.clipboard import ClipboardError, copy
from batchtui.ui.messages import DraftWanted
from batchtui.ui.widgets.choice_screen import ChoiceScreen
from batchtui.ui.widgets.prompt_screen import PromptScreen
from batchtui.ui.widgets.text_screen import TextScreen

if TYPE_CHECKING:
    from batchtui.ui.app import BatchtuiApp

FORM_WORDS: dict[ExportForm, str] = {
    "json": "the job with its rankings, as `batchtui show --json`",
    "jsonl": "the batch with its judgments, which reads back in",
    "csv": "a row a ranked context",
    "md": "Markdown tables",
    "trec": "a TREC run",
    "qrels": "the judgments as TREC qrels",
    "curl": "the calls as curl commands, without the token",
    "table": "text, as `batchtui show`",
}
RAW_SHOWN_BYTES = 200_000

Result = TypeVar("Result")


class JobActions:
    """Carries out what is asked of jobs; what goes wrong is told and changes nothing."""

    def __init__(self, app: BatchtuiApp) -> None:
        self.app = app
        self.service = app.service
        self._deleted: list[list[int]] = []

    def run(self, what: str, jobs: list[Job]) -> None:
        """Do one thing to one job or several."""
        doing: dict[str, Callable[[list[Job]], None]] = {
            "again": lambda chosen: self._again(chosen[0]),
            "again_now": self._again_now,
            "delete": self._delete,
            "ask_now": lambda chosen: self._each(chosen, self.service.ask_now, "asking now"),
            "decide": lambda chosen: self._decide(chosen[0]),
            "label": lambda chosen: self._label(chosen[0]),
            "note": lambda chosen: self._note(chosen[0]),
            "pin": self._pin,
            "compare": self._compare,
            "export": self._export,
            "copy": lambda chosen: self._copy(chosen[0]),
            "raw": lambda chosen: self._raw(chosen[0]),
        }
        if what == "undelete":
            self._guarded(self._undelete)
        elif not jobs:
            self.app.tell("There is no job here yet: submit a batch first.")
        else:
            self._guarded(lambda: doing[what](jobs))

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (JobsError, OSError, ValueError) as error:
            self.app.tell(str(error), title="Not done", severe=True)

    def _beside(self, work: Callable[[], Result], then: Callable[[Result], None]) -> None:
        """Do long work beside the screen, and go on with what it made."""

        def run() -> None:
            try:
                made = work()
            except (JobsError, OSError, ValueError, ClipboardError) as error:
                self.app.call_from_thread(self.app.tell, str(error), title="Not done", severe=True)
            else:
                self.app.call_from_thread(lambda: self._guarded(lambda: then(made)))

        self.app.run_worker(run, thread=True, group="jobs", exit_on_error=False)

    def _each(self, jobs: list[Job], action: Callable[[int], object], done: str) -> None:
        for job in jobs:
            action(job.id)
        self.app.tell(f"{self._named(jobs)}: {done}")

    def _named(self, jobs: list[Job]) -> str:
        return f"job {jobs[0].id}" if len(jobs) == 1 else f"{len(jobs)} jobs"

    def _again(self, job: Job) -> None:
        self.app.post_message(DraftWanted(self.service.batch(job.id), job.label))

    def _again_now(self, jobs: list[Job]) -> None:
        for job in jobs:
            self.app.draft_actions.submit_batch(self.service.batch(job.id), job.label)

    def _delete(self, jobs: list[Job]) -> None:
        for job in jobs:
            self.service.delete(job.id)
        self._deleted.append([job.id for job in jobs])
        self.app.jobs_pane.unmark()
        self.app.tell(f"{self._named(jobs)} deleted; u brings back")

    def _undelete(self) -> None:
        if not self._deleted:
            self.app.tell("Nothing was deleted since batchtui was opened.")
            return
        ids = self._deleted.pop()
        for job_id in ids:
            self.service.undelete(job_id)
        named = f"job {ids[0]} is" if len(ids) == 1 else f"{len(ids)} jobs are"
        self.app.tell(f"{named} back")

    def _decide(self, job: Job) -> None:
        if job.state.open:
            self._each([job], self.service.stop, "not followed any more; s follows it again")
        elif job.state is JobState.STOPPED:
            self._each([job], self.service.follow, "followed again")
        elif job.state in (JobState.UNCONFIRMED, JobState.FAILED, JobState.EXPIRED):
            self._ask_whether_to_send_again(job)
        else:
            self.app.tell(f"job {job.id} is {job.state}; there is nothing to stop or to follow")

    def _ask_whether_to_send_again(self, job: Job) -> None:
        answers = [("Submit again", "sends what has no answer once more; it may be billed twice")]
        question = f"Job {job.id} {job.state}."
        if job.state is JobState.UNCONFIRMED:
            question = "The batch was sent and the answer never came: it may run, or not."
            answers.append(("Forget", "ends the job; what may run is left alone"))
        answers.append(("Leave it", "decide later"))

        def decided(place: int | None) -> None:
            if place == 0:
                self._guarded(lambda: self._each([job], self.service.resubmit, "is sent again"))
            elif place == 1 and job.state is JobState.UNCONFIRMED:
                self._guarded(lambda: self._each([job], self.service.forget, "forgotten"))

        self.app.push_screen(ChoiceScreen(f"Job {job.id} · {job.state}", question, answers), decided)

    def _label(self, job: Job) -> None:
        def named(text: str | None) -> None:
            if text is not None:
                self._guarded(lambda: self.service.set_label(job.id, text))

        self.app.push_screen(PromptScreen(f"Label of job {job.id}", value=job.label), named)

    def _note(self, job: Job) -> None:
        def noted(text: str | None) -> None:
            if text is not None:
                self._guarded(lambda: self.service.set_note(job.id, text))

        self.app.push_screen(PromptScreen(f"Note on job {job.id}", value=job.note), noted)

    def _pin(self, jobs: list[Job]) -> None:
        pinned = not all(job.pinned for job in jobs)
        for job in jobs:
            self.service.set_pinned(job.id, pinned)

    def _compare(self, jobs: list[Job]) -> None:
        self._beside(lambda: self._compared(jobs), self._show_comparison)

    def _compared(self, jobs: list[Job]) -> Comparison | None:
        if len(jobs) == 1:
            job_id = jobs[0].id
            earlier = self.service.earlier_with_same_queries(job_id)
            earlier = earlier or self.service.earlier_with_same_contexts(job_id)
            if earlier is None:
                return None
            jobs = [earlier, *jobs]
        jobs = sorted(jobs, key=lambda job: job.id)
        return compare([ranked(self.service, job) for job in jobs])

    def _show_comparison(self, comparison: Comparison | None) -> None:
        from batchtui.ui.compare_screen import CompareScreen

        if comparison is None:
            self.app.tell(
                "No earlier job has the same queries or contexts: mark two jobs or more with space."
            )
        elif not comparison.requests:
            self.app.tell("These jobs have neither queries nor contexts in common.")
        else:
            self.app.push_screen(CompareScreen(comparison, self))

    def _text_of(self, job: Job, form: ExportForm) -> str:
        batch = self.service.batch(job.id)
        grades = grades_of(self.service, batch)
        batches = takes_batches(batch.model)
        return export(
            job,
            batch,
            self.service.results(job.id),
            grades,
            form,
            linear_gain=self.service.linear_gain,
            takes_batches=batches,
        )

    def _export(self, jobs: list[Job]) -> None:
        def chosen(place: int | None) -> None:
            if place is not None:
                self._ask_where(jobs, forms[place])

        forms = list(FORM_WORDS)
        answers: list[tuple[str, str]] = [(form, FORM_WORDS[form]) for form in forms]
        self.app.push_screen(ChoiceScreen(f"Export {self._named(jobs)}", "", answers), chosen)

    def _ask_where(self, jobs: list[Job], form: ExportForm) -> None:
        suffix = {"table": "txt", "trec": "run", "qrels": "qrels", "curl": "sh"}.get(form, form)
        name = f"job-{'-'.join(str(job.id) for job in jobs[:4])}.{suffix}"
        self._ask_and_write(name, lambda: "".join(self._text_of(job, form) for job in jobs))

    def _ask_and_write(self, name: str, text: Callable[[], str]) -> None:
        def answered(given: str | None) -> None:
            if given and given.strip():
                self._beside(lambda: _write(given.strip(), text()), self.app.tell)

        question = "A file to write; an existing one is replaced."
        self.app.push_screen(PromptScreen("Export to", question, str(working_directory() / name)), answered)

    def take_comparison(self, comparison: Comparison) -> None:
        """Take a comparison along: to a file or the clipboard, as text or JSON."""
        texts: list[tuple[str, str, str, Callable[[], str]]] = [
            ("Text", "to a file", "txt", lambda: write_comparison(comparison)),
            ("JSON", "to a file", "json", lambda: to_json(comparison_object(comparison), indent=2) + "\n"),
            ("Text", "to the clipboard", "", lambda: write_comparison(comparison)),
            ("JSON", "to the clipboard", "", lambda: to_json(comparison_object(comparison), indent=2)),
        ]
        name = f"comparison-{'-'.join(str(job.id) for job in comparison.jobs)}"

        def chosen(place: int | None) -> None:
            if place is None:
                return
            _, _, suffix, text = texts[place]
            if suffix:
                self._ask_and_write(f"{name}.{suffix}", text)
            else:
                self._beside(lambda: f"The comparison {copy(self.app, text())}", self.app.tell)

        answers = [(form, where) for form, where, _, _ in texts]
        self.app.push_screen(ChoiceScreen("Take the comparison along", "", answers), chosen)

    def _copy(self, job: Job) -> None:
        view = self.app.results_pane.view
        texts: list[tuple[str, str, Callable[[], str]]] = [
            ("Ranking", "as Markdown", lambda: self._text_of(job, "md")),
            ("Curl", "the calls, without the token", lambda: self._text_of(job, "curl")),
            ("JSON", "the job with its rankings", lambda: self._text_of(job, "json")),
        ]
        if view is not None and view.job.id == job.id and (row := self.app.results_pane.ranking.current):
            text = view.request.contexts[row.index].text
            texts.insert(0, ("Context", one_line(text, 60), lambda: pasteable(text)))
            query = view.request.query
            texts.append(("Query", one_line(query, 60), lambda: pasteable(query)))
        if request_id := job.request_id:
            texts.append(("Request ID", one_line(request_id, 60), lambda: one_line(request_id)))

        def chosen(place: int | None) -> None:
            if place is not None:
                name, _, text = texts[place]
                self._beside(lambda: f"{name} {copy(self.app, text())}", self.app.tell)

        answers = [(name, more) for name, more, _ in texts]
        self.app.push_screen(ChoiceScreen(f"Copy from job {job.id}", "", answers), chosen)

    def _raw(self, job: Job) -> None:
        answers = self.service.raw_answers(job.id)
        if not answers:
            self.app.tell(f"Nothing came back for job {job.id} yet.")
            return
        shown = [
            f"part {answer.part + 1}, {len(answer.body):,} bytes\n{readable_answer(answer.body)}"
            for answer in answers
        ]
        self.app.push_screen(TextScreen(f"What the service answered to job {job.id}", "\n\n".join(shown)))


def readable_answer(body: bytes) -> str:
    """A raw answer as safe text, cut at RAW_SHOWN_BYTES: JSON indented, all else as it came."""
    if len(body) <= RAW_SHOWN_BYTES:
        # JSON nested too deep is not indented either.
        with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            body = msgspec.json.format(body, indent=2)
    return from_bytes(body[:RAW_SHOWN_BYTES])


def _write(given: str, text: str) -> str:
    try:
        path = expanded(given)
        write_atomically(path, text.encode("utf-8"))
    except OSError as error:
        raise OSError(f"{given} can't be written: {error.strerror}; choose another place") from None
    return f"Written to {path}"
