"""What the app says to the person: notices, and last words where a fault of ours ends it."""

import logging
from pathlib import Path

from rich.console import RenderableType
from rich.segment import Segment, Segments

from batchtui.text import safe
from batchtui.ui.ordered_input import OrderedInputApp

# How long a notice stands, in seconds: what went wrong takes longer to read.
PLAIN, SEVERE = 5, 12
LONGEST = 2_000
LAST_WORDS = """\
batchtui stopped because of a fault of its own. Drafts and jobs are kept: open it again to go on.
What happened stands in {log_file}; please report it.
"""


class TellingApp(OrderedInputApp):
    """Says things made safe, with markup off."""

    def __init__(self, log_file: Path) -> None:
        super().__init__()
        self.log_file = log_file

    def tell(self, text: str, *, title: str = "", severe: bool = False) -> None:
        """Show a notice."""
        self.notify(
            safe(text[:LONGEST]),
            title=safe(title[:LONGEST]),
            severity="error" if severe else "information",
            timeout=SEVERE if severe else PLAIN,
            markup=False,
        )

    def panic(self, *renderables: RenderableType) -> None:
        """Stop with the last words; what Textual would print goes to the log."""
        self._return_code = 1
        said = (segment.text for shown in renderables for segment in self.console.render(shown))
        logging.getLogger("batchtui").critical("the app stopped: %s", "".join(said))
        self._stop_with_last_words()

    def _fatal_error(self) -> None:
        # Textual would print a traceback with the values of every variable, texts and all.
        logging.getLogger("batchtui").critical("the app stopped", exc_info=self._exception)
        self._stop_with_last_words()

    def _stop_with_last_words(self) -> None:
        words = LAST_WORDS.format(log_file=safe(str(self.log_file)))
        self._exit_renderables.append(Segments([Segment(words)]))
        self._close_messages_no_wait()
