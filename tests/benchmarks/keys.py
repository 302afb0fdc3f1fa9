"""A key in long lists against the same key in short ones: from typing it to the frame that shows it.

`settled` is processor time of the program for each key, with all that the key brings about: the job that is
read for Results, the header, the draft.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from .stores import seed
from .support import Table, Terminal, app_on, copy_store, interleaved, temporary_home

ROUNDS = 15
SETTLED_KEYS = 20
JOBS_KEY, RESULTS_KEY = "\x1bOQ", "\x1bOS"
KEYS = {
    "down": "\x1b[B",
    "page down": "\x1b[6~",
    "page up": "\x1b[5~",
    "end": "G",
    "home": "g",
}
LONG, SHORT = "long", "short"


def key(terminal: Terminal, text: str) -> float:
    """Milliseconds from a key to the end of the next frame; then the app comes to rest."""
    terminal.settle(0.06)
    terminal.write(text)
    seconds = terminal.until_frame()
    terminal.settle(0.06)
    return seconds * 1000


def settled(terminal: Terminal, there: str, back: str) -> float:
    """Milliseconds of processor time that a key costs in the end."""
    terminal.settle()
    before = terminal.cpu_seconds()
    for place in range(SETTLED_KEYS):
        terminal.write(back if place % 2 else there)
        terminal.settle(0.05)
    return (terminal.cpu_seconds() - before) * 1000 / SETTLED_KEYS


def scroll(terminal: Terminal, there: str, back: str) -> float:
    """Milliseconds for a key, where every second one leads back so that the list never ends."""
    first = key(terminal, there)
    return (first + key(terminal, back)) / 2


@contextmanager
def side_by_side(home: Path, long: Path, short: Path, pane: str) -> Iterator[dict[str, Terminal]]:
    """The app on two stores, with a list in focus."""
    with ExitStack() as stack:
        terminals = {}
        for name, store in ((LONG, long), (SHORT, short)):
            place = home / f"{store.stem}-{pane == RESULTS_KEY}"
            copy_store(store, place)
            terminals[name] = stack.enter_context(app_on(place))
            terminals[name].write(pane)
            terminals[name].settle()
        yield terminals


def measure(table: Table, title: str, terminals: dict[str, Terminal]) -> None:
    """A line for each kind of key."""
    pairs = {"down, up": (KEYS["down"], "\x1b[A"), "pages": (KEYS["page down"], KEYS["page up"])}
    pairs["end, home"] = (KEYS["end"], KEYS["home"])
    for what, (there, back) in pairs.items():
        pressed = {name: partial(scroll, terminal, there, back) for name, terminal in terminals.items()}
        found = interleaved(pressed, ROUNDS)
        table.ratio(f"{what} in {title}", found[LONG], found[SHORT], 1.3)
        settling = {name: partial(settled, terminal, there, back) for name, terminal in terminals.items()}
        costs = interleaved(settling, 3)
        table.ratio("    settled", costs[LONG], costs[SHORT], 1.3)


def main() -> None:
    """Print the table."""
    with temporary_home() as home:
        for name, jobs, contexts in (("many", 100_000, 3), ("few", 10, 3)):
            seed(home / f"{name}.db", jobs, contexts=contexts)
        for name, contexts in (("wide", 10_000), ("narrow", 10)):
            seed(home / f"{name}.db", 1, contexts=contexts, words=120)
        table = Table("A key")
        with side_by_side(home, home / "many.db", home / "few.db", JOBS_KEY) as terminals:
            measure(table, "100,000 jobs against 10", terminals)
        with side_by_side(home, home / "wide.db", home / "narrow.db", RESULTS_KEY) as terminals:
            measure(table, "10,000 ranked against 10", terminals)


if __name__ == "__main__":
    main()
