"""Text that is not ours, made safe to show in a terminal; imports nothing of the project.

What is stored and sent stays as it was: this is for the eye only. Each character that a terminal would obey,
hide or reorder by becomes a picture of itself:

- C0 controls and DEL: their Control Pictures, `␛` for ESC (a line feed stays, CR LF becomes one, tabs become
  spaces);
- all others (C1 controls, bidi marks and overrides, zero-width and other default-ignorable characters, line
  separators, tags, lone surrogates, private use, noncharacters, a skin tone on nothing that takes one): their
  numbers, `‹U+202E›`, and of a long run the first few, `‹+84 hidden›`;
- combining marks beyond four on one base: `‹+96 marks›`.

Kept, because text needs them: joiners inside emoji sequences (three at most, as in Unicode's own) and between
letters of scripts that join, one variation selector on an emoji, and format characters that have a glyph.

The sets are Unicode's `Default_Ignorable_Code_Point`, the noncharacters and the general categories `Cc`,
`Cs`, `Co`, `Zl`, `Zp` and `Cf`, less `Prepended_Concatenation_Mark` (https://www.unicode.org/reports/tr44/).
"""

import re

TAB_WIDTH = 4
MARKS_ON_ONE_BASE = 4
SHOWN_OF_A_HIDDEN_RUN = 16
LINE_BREAK_SIGN = "⏎"
ELLIPSIS = "…"

_CONTROLS = "\x00-\x08\x0b-\x1f\x7f"
_BASIC_PLANE = (
    "\x80-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ud7fc-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
)
_NONCHARACTERS = "".join(f"{chr(end - 1)}{chr(end)}" for end in range(0x1FFFF, 0xF0000, 0x10000))
_ASTRAL_PLANES = (
    "\U00013430-\U00013442\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
    + _NONCHARACTERS
)

# Scripts whose spelling needs joiners: Arabic to Sinhala, Myanmar, Khmer, Mongolian, Javanese, Meetei Mayek.
_JOINING = (
    "\u0620-\u06dc\u06de-\u070e\u0710-\u088f\u0892-\u08e1\u08e3-\u0dff\u1000-\u109f\u1780-\u17b3\u17b6-\u17d3"
    "\u1820-\u18aa\ua840-\ua87f\ua8e0-\ua9df\uaa60-\uaaff"
)
_VIRAMA = (
    "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d3b\u0d3c\u0d4d\u0dca"
    "\u1039\u103a\u17d2\ua8c4\ua9c0\uaaf6"
)
_SYMBOL = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2934\u2935\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001f3fa\U0001f400-\U0001faff]"
)
_SKIN_TONE = "[\U0001f3fb-\U0001f3ff]"
# Unicode's Emoji_Modifier_Base: on all else a skin tone takes cells of its own.
_TAKES_SKIN_TONE = (
    "[\u261d\u26f9\u270a-\u270d\U0001f385\U0001f3c2-\U0001f3c4\U0001f3c7\U0001f3ca-\U0001f3cc\U0001f442"
    "\U0001f443\U0001f446-\U0001f450\U0001f466-\U0001f478\U0001f47c\U0001f481-\U0001f483\U0001f485-"
    "\U0001f487\U0001f48f\U0001f491\U0001f4aa\U0001f574\U0001f575\U0001f57a\U0001f590\U0001f595\U0001f596"
    "\U0001f645-\U0001f647\U0001f64b-\U0001f64f\U0001f6a3\U0001f6b4-\U0001f6b6\U0001f6c0\U0001f6cc"
    "\U0001f90c\U0001f90f\U0001f918-\U0001f91f\U0001f926\U0001f930-\U0001f939\U0001f93c-\U0001f93e"
    "\U0001f977\U0001f9b5\U0001f9b6\U0001f9b8\U0001f9b9\U0001f9bb\U0001f9cd-\U0001f9cf\U0001f9d1-"
    "\U0001f9dd\U0001fac3-\U0001fac5\U0001faf0-\U0001faf8]"
)
_EMOJI = f"(?:{_TAKES_SKIN_TONE}{_SKIN_TONE}|{_SYMBOL}\ufe0f?)"

# The blocks that hold zero-width marks; a word character in them is a base, but for Hangul vowels and finals.
_BASIC_MARK_BLOCKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u1cff\u1dc0-\u1dff\u20d0-\u20ff\u2cef-\u2cf1\u2d7f\u2de0-\u2dff\u302a-\u302f"
    "\u3099\u309a\ua66f-\ua67d\ua69e\ua69f\ua6f0\ua6f1\ua802-\uabed\ud7b0-\ud7fb\ufb1e\ufe20-\ufe2f"
)
_ASTRAL_MARK_BLOCKS = "\U000101fd-\U0001e94a"
_MARK = f"[{_BASIC_MARK_BLOCKS}{_ASTRAL_MARK_BLOCKS}](?<![^\\W\u1161-\u11ff\ud7b0-\ud7fb])"

# Between two marks a joiner would hide a flood; one two or three places after another would let a whole line
# be counted as one cell.
_KEPT = "|".join(
    (
        f"{_SYMBOL}\ufe0e",
        f"{_EMOJI}(?:\u200d{_EMOJI}){{0,3}}",
        "[#*0-9]\ufe0f\u20e3",
        f"(?<=[{_JOINING}])\u200c(?=[{_JOINING}])(?!(?<={_MARK}\u200c){_MARK})",
        f"(?<=[{_VIRAMA}])(?<!\u200d..)(?<!\u200d...)\u200d(?=[{_JOINING}])(?!{_MARK})",
        "(?<=[\u1820-\u18aa])[\u180b-\u180d\u180f]",
    )
)

# A set of the basic plane alone is what `re` scans fastest; each of these finds more than what is unsafe.
_HIDDEN_SUSPECT = re.compile(f"[\t{_CONTROLS}{_BASIC_PLANE}]")
_SUSPECT = re.compile(f"[\t{_CONTROLS}{_BASIC_PLANE}{_BASIC_MARK_BLOCKS}]")
_ASTRAL_SUSPECT = re.compile(
    "[\U00010000-\U0001efff\U0001f3fb-\U0001f3ff\U0001fb00-\U0001ffff\U0002fffe\U0002ffff\U0003fffe-\U0010ffff]"
)

_FLOOD = re.compile(f"(?:{_MARK}){{{MARKS_ON_ONE_BASE + 1},}}")
_PICTURED = re.compile(
    f"(?P<kept>{_KEPT})|(?P<controls>[{_CONTROLS}]+)|[{_BASIC_PLANE}{_ASTRAL_PLANES}]+", re.DOTALL
)
_CONTROL_PICTURES = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"} | {
    0x7F: "␡"
}
_VISIBLE = re.compile("[^ \t\r\n]")


def safe(text: str) -> str:
    """Any text as a person may see it: many lines, no character that a terminal obeys.

    Applying it twice changes nothing more; the result is at most ten times as long. Time is linear, and text
    without anything unsafe comes back as the same object.
    """
    if _is_plain(text):
        return text
    text = text.replace("\r\n", "\n")
    if text.isascii():
        return text.translate(_CONTROL_PICTURES).expandtabs(TAB_WIDTH)
    text = _FLOOD.sub(_without_flood, text)
    if _HIDDEN_SUSPECT.search(text) or _ASTRAL_SUSPECT.search(text):
        text = _PICTURED.sub(_picture, text).expandtabs(TAB_WIDTH)
    return text


def one_line(text: str, limit: int | None = None) -> str:
    """Any text as one safe line, line breaks shown as `⏎`, blank lines left out.

    `limit` is in cells, and what goes beyond it ends in `…`; only so much of the text is looked at as fills
    them. The result is not padded.
    """
    first = _VISIBLE.search(text)
    if first is None:
        return ""
    # The most characters one cell can take, with its marks, and some for line breaks.
    end = len(text) if limit is None else first.start() + limit * 8 + 64
    lines = safe(text[first.start() : end]).split("\n")
    line = f" {LINE_BREAK_SIGN} ".join(stripped for part in lines if (stripped := part.strip()))
    if limit is None:
        return line
    if end < len(text) and _VISIBLE.search(text, end):
        line += ELLIPSIS
    return _cut(line, limit)


def from_bytes(data: bytes) -> str:
    """An answer's or a file's bytes as safe text: UTF-8, and what is not UTF-8 shown as `\\x9b`."""
    return safe(data.decode("utf-8-sig", errors="backslashreplace"))


def pasteable(text: str) -> str:
    """Any text as it may be pasted, into a shell too: as `safe` shows it, with its tabs."""
    return "\t".join(map(safe, text.split("\t"))) if "\t" in text else safe(text)


def cell_width(text: str) -> int:
    """How many cells of the terminal one safe line takes, counted as Textual's renderer counts."""
    if text.isascii() and text.isprintable():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def fit(text: str, width: int) -> str:
    """One safe line made exactly `width` cells: cut with `…` at the end, or padded with spaces."""
    line = _cut(text, width)
    return line + " " * (width - cell_width(line))


def _cut(line: str, width: int) -> str:
    if width <= 0:
        return ""
    if len(line) <= width * 2 and cell_width(line) <= width:
        return line
    if line.isascii():
        return line if len(line) <= width else line[: width - 1] + ELLIPSIS
    cut = _place_of_cut(line, width)
    # A joiner with nothing left to join would join the ellipsis.
    return line if cut is None else line[:cut].rstrip("\u200c\u200d") + ELLIPSIS


def _place_of_cut(line: str, width: int) -> int | None:
    """Where to cut so that one cell is left, counted as Rich counts; None where the whole line fits."""
    from rich.cells import cell_len

    used = cut = 0
    base = ""
    joined = False
    for position, character in enumerate(line):
        if joined or character == "\u200d":
            joined = not joined
        elif character == "\ufe0f":
            used += cell_len(base + character) - cell_len(base)
            base = ""
        elif grown := cell_len(character):
            used += grown
            base = character
        if used > width:
            return cut
        if used < width:
            cut = position + 1
    return None


def _is_plain(text: str) -> bool:
    """Whether nothing in the text needs a closer look."""
    if text.isascii():
        return text.replace("\n", "").isprintable()
    if _SUSPECT.search(text):
        return False
    # As many UTF-16 units as characters: nothing lies beyond the basic plane.
    return len(text.encode("utf-16-le")) == 2 * len(text) or not _ASTRAL_SUSPECT.search(text)


def _picture(match: re.Match[str]) -> str:
    found = match.group()
    if match["kept"]:
        return found
    if match["controls"]:
        return found.translate(_CONTROL_PICTURES)
    shown = found if len(found) <= 2 * SHOWN_OF_A_HIDDEN_RUN else found[:SHOWN_OF_A_HIDDEN_RUN]
    numbers = "".join(f"‹U+{ord(character):04X}›" for character in shown)
    return numbers if shown is found else f"{numbers}‹+{len(found) - len(shown)} hidden›"


def _without_flood(match: re.Match[str]) -> str:
    """The run with no more marks on any base than are allowed; a base has a width, a mark has none."""
    run = match.group()
    bases = {character for character in set(run) if cell_width(character)}
    kept: list[str] = []
    marks = 0
    for character in run:
        if character in bases:
            kept += _flood_sign(marks), character
            marks = 0
        else:
            marks += 1
            if marks <= MARKS_ON_ONE_BASE:
                kept.append(character)
    kept.append(_flood_sign(marks))
    return "".join(kept)


def _flood_sign(marks: int) -> str:
    return f"‹+{marks - MARKS_ON_ONE_BASE} marks›" if marks > MARKS_ON_ONE_BASE else ""
