"""The whole app in a real terminal, once with harmless texts and once with hostile ones, key for key.

All of the hostile texts are shown, and a share of each family is pasted; all with BATCHTUI_EXHAUSTIVE=1.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hostile import hostile_bytes, hostile_strings

from batchtui.exchange.splitting import Choice, split_text
from batchtui.model import Draft
from batchtui.text import one_line

from .escape_sequences import Output, read_output
from .support import EXHAUSTIVE, LONG, environment, opened, sample, sendable
from .terminal import Terminal, terminal
from .walk import ENTER, F2, F3, NEW, TAB, walk

PASTE_STARTS, PASTE_ENDS = b"\x1b[200~", b"\x1b[201~"
# An ESC right before another key would be read as alt; this is the key itself, as kitty sends it.
LEAVE = "\x1b[27u"
SHARE = 8
HARMLESS = [f"text {number}" for number in range(12)]
HOSTILE = [text[:LONG] for _, text in hostile_strings()]
INTO = 1 if EXHAUSTIVE else 3
# What ends its own paste types the rest: a terminal takes the mark out of what it pastes.
PASTED = [data for _, data in sample(hostile_bytes(), SHARE) if len(data) <= LONG and PASTE_ENDS not in data]


def pasted_text(data: bytes) -> str:
    """What a paste of these bytes is to a field."""
    return data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")


def bracketed(data: bytes) -> bytes:
    """As a terminal sends what is pasted."""
    return PASTE_STARTS + data + PASTE_ENDS


def ways_in(data: bytes) -> Sequence[Choice]:
    """How the context editor offers to take a paste in."""
    return split_text(pasted_text(data))


def beginning(text: str) -> str:
    """What every list shows of a text: how many marks or hidden characters it counts depends on its width."""
    return one_line(text, 12).rstrip("…").partition("‹+")[0]


def paste_each(home: Path, pasted: Sequence[bytes], into: Callable[[Terminal, bytes], None]) -> bytes:
    """Each of them pasted once; what the terminal was told."""
    with terminal([], environment(home), home) as app:
        app.read_until("Compose")
        app.settle(1.0)
        for data in pasted:
            into(app, data)
            assert app.alive, data
        assert app.quit() == 0
        return app.written


def into_query(app: Terminal, data: bytes) -> None:
    app.press(NEW + F3, quiet=0.04, first=0.5)
    app.press(bracketed(data), quiet=0.04, first=0.5)


def into_contexts(app: Terminal, data: bytes) -> None:
    """Of the ways that a paste of many lines can come in, the first is taken."""
    app.press(NEW + F3 + TAB + TAB, quiet=0.04, first=0.5)
    if len(ways_in(data)) > 1:
        app.press(bracketed(data), quiet=0.04, until="How shall they come in")
        app.press(ENTER, quiet=0.04, first=0.5)
    else:
        app.press(bracketed(data), quiet=0.04, first=0.5)


def into_filter(app: Terminal, data: bytes) -> None:
    """What is not found is named on the screen, and so every paste is seen."""
    app.press(F2 + "/", quiet=0.04, first=0.5)
    app.press(bracketed(data), quiet=0.04, until=beginning(pasted_text(data)))
    app.press(LEAVE, quiet=0.04, first=0.5)


def drafts_of(home: Path) -> list[Draft]:
    service = opened(home)
    try:
        return service.drafts()
    finally:
        service.close()


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Output:
    """What Textual tells a terminal where no text is hostile."""
    written, _ = walk(tmp_path_factory.mktemp("harmless"), HARMLESS)
    for into in (into_query, into_contexts, into_filter):
        home = tmp_path_factory.mktemp("pasted")
        written += paste_each(home, [b"a line", b"two\nlines", b"more"], into)
    output = read_output(written)
    # Textual sets the pointer's shape, and nothing else, by a control string.
    strings = {kind for kind in output.kinds if kind.startswith(("string", "control", "ESC"))}
    assert strings == {"string ]22;default"}
    assert output.dangers == []
    return output


def assert_harmless(written: bytes, ordinary: Output) -> None:
    output = read_output(written)
    assert output.kinds - ordinary.kinds == set()
    assert output.dangers == []


def assert_all_drawn(texts: Sequence[str], drawn: bytes, name: str) -> None:
    shown = "".join(read_output(drawn).texts)
    forms = ((text, sendable(text)) for text in texts)
    missing = [either for either in forms if not any(beginning(text) in shown for text in either)]
    assert missing == [], name


def test_a_walk_through_every_screen(ordinary: Output, tmp_path: Path) -> None:
    written, lists = walk(tmp_path, HOSTILE)
    assert_harmless(written, ordinary)
    named = {"files": [path.name for path in (tmp_path / "files").iterdir()]}
    for name, drawn in lists.items():
        assert_all_drawn(named.get(name, HOSTILE), drawn, name)


def test_pastes_of_any_bytes_into_the_query(ordinary: Output, tmp_path: Path) -> None:
    pasted = PASTED[::INTO]
    assert_harmless(paste_each(tmp_path, pasted, into_query), ordinary)
    kept = {request.query for draft in drafts_of(tmp_path) for request in draft.batch.requests}
    assert [data for data in pasted if pasted_text(data) and pasted_text(data) not in kept] == []


def test_pastes_of_any_bytes_into_the_context_editor(ordinary: Output, tmp_path: Path) -> None:
    pasted = PASTED[1::INTO]
    assert_harmless(paste_each(tmp_path, pasted, into_contexts), ordinary)
    kept = {draft.unfinished for draft in drafts_of(tmp_path)}
    kept |= {
        context.text
        for draft in drafts_of(tmp_path)
        for request in draft.batch.requests
        for context in request.contexts
    }
    for data in pasted:
        ways = ways_in(data)
        whole = len(ways) < 2 or ways[0].kind == "one"
        texts = {pasted_text(data)} if whole else set(ways[0].texts)
        assert texts - kept <= {""}, data


def test_pastes_of_any_bytes_into_the_filter(ordinary: Output, tmp_path: Path) -> None:
    assert_harmless(paste_each(tmp_path, PASTED[2::INTO], into_filter), ordinary)


@pytest.mark.parametrize(
    ("written", "kinds"),
    [
        (b"a\x1b]52;c;eA==\x07b", {"string ]52;c;eA=="}),
        (b"\x1b[38;2;1;2;3;1mx\x1b[0m", {"SGR colour", "SGR 1", "SGR 0"}),
        (b"\x1b[2J\x1b[3;4H", {"CSI 2J", "CSI H"}),
        (b"\x1bP$qm\x1b\\\x1bc\x07", {"string P$qm", "ESC c", "control b'\\x07'"}),
    ],
)
def test_the_reader_tells_sequences_apart(written: bytes, kinds: set[str]) -> None:
    assert read_output(written).kinds == kinds
    assert read_output("a\u202e\x9bb".encode()).dangers == ["U+202E at 1", "U+009B at 2"]
    assert read_output(b"\x9b2J").dangers != []
