"""What the app says to the person: notices, and last words where a fault of ours ends it."""

import logging
import sys
import traceback
from pathlib import Path

from rich.console import RenderableType
from textual import on
from textual.worker import Worker, WorkerState

from batchtui.text import pasteable, safe
from batchtui.ui.ordered_input import OrderedInputApp

# How long a notice stands, in seconds: what went wrong takes longer to read.
PLAIN, SEVERE = 5, 12
LONGEST = 2_000
LONGEST_FAULT = 20_000
LAST_WORDS = """\
batchtui stopped because of a fault of its own. Drafts and jobs are kept:
open it again to go on. Please report what happened; it stands in
{log_file}
"""


class TellingApp(OrderedInputApp):
    """Says things made safe, with markup off."""

    def __init__(self, log_file: Path) -> None:
        super().__init__()
        self.log_file = log_file
        # What to say once the terminal is as it was; Textual would cut it at the width.
        self.last_words = ""

    def tell(self, text: str, *, title: str = "", severe: bool = False) -> None:
        """Show a notice."""
        self.notify(
            safe(text[:LONGEST]),
            title=safe(title[:LONGEST]),
            severity="error" if severe else "information",
            timeout=SEVERE if severe else PLAIN,
            markup=False,
        )

    def copy_to_clipboard(self, text: str) -> None:
        """Copy any text: for this app to the byte, for others as it may be pasted anywhere."""
        super().copy_to_clipboard(pasteable(text))
        self._clipboard = text

    @on(Worker.StateChanged)
    def _tell_fault_of_worker(self, message: Worker.StateChanged) -> None:
        fault = message.worker.error
        if message.state is WorkerState.ERROR and fault is not None:
            words = "".join(traceback.format_exception(fault))
            logging.getLogger("batchtui").error("beside the screen: %s", _without_its_middle(words))
            self.tell(
                f"{type(fault).__name__}: {fault}. It stands in the log, {self.log_file}; please report it.",
                title="Something unforeseen happened",
                severe=True,
            )

    def keep(self) -> None:
        """Write what is not kept yet, before the app ends."""

    def panic(self, *renderables: RenderableType) -> None:
        """Stop with the last words; what Textual would print goes to the log."""
        self._return_code = 1
        plain = self.console.options.update(markup=False)
        said = (segment.text for shown in renderables for segment in self.console.render(shown, plain))
        self._stop_with_last_words("".join(said))

    def _fatal_error(self) -> None:
        # Textual would print a traceback with the values of every variable, texts and all.
        self._stop_with_last_words()

    def _stop_with_last_words(self, said: str = "") -> None:
        # Where a worker failed, the app's own exception has no traceback.
        fault = sys.exception() or self._exception
        said += "".join(traceback.format_exception(fault)) if fault else ""
        log = logging.getLogger("batchtui")
        log.critical("the app stopped: %s", _without_its_middle(said))
        try:
            self.keep()
        except Exception:
            log.critical("the draft was not kept: %s", _without_its_middle(traceback.format_exc()))
        self.last_words = LAST_WORDS.format(log_file=safe(str(self.log_file)))
        self._close_messages_no_wait()


def _without_its_middle(text: str) -> str:
    """Text short enough for a log; of a traceback, the beginning and the end say most."""
    half = LONGEST_FAULT // 2
    return text if len(text) <= LONGEST_FAULT else f"{text[:half]}\n…\n{text[-half:]}"
