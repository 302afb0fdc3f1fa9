"""curl commands in: the bodies they send and the model their URL names."""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

import msgspec

from batchtui.exchange.json_reader import read_json_document
from batchtui.exchange.requests_from_json import RequestCollector
from batchtui.exchange.source import InputError, Source

_START = r"\s*(?:[$%>]\s+)?"
_CURL = re.compile(_START.encode() + rb"curl(?:\.exe)?\s")
_PRINTER = re.compile(_START.encode() + rb"(?:printf|echo)\s")
_PIPE = re.compile(rb"\|\s*curl\s")
_PROMPT = re.compile(_START)
_MODEL = re.compile(r"(?:https?://)?[^/]+(?:/[^/?#]+)*?/(?:ai/run|workers-ai)/([^?#]+)")
_LONGEST_URL = 4096
_PIECE = re.compile(
    r"""'(?P<single>[^']*)'
    |\$'(?P<ansi>[^'\\]*+(?:\\.[^'\\]*+)*+)'
    |"(?P<double>[^"\\]*+(?:\\.[^"\\]*+)*+)"
    |\\(?P<continued>\r?\n)
    |\\(?P<escaped>.)
    |(?P<ends>[ \t\r]*(?:\n|[|;&]+)\s*)
    |(?P<space>\s+)
    |(?P<plain>[^\s'"\\|;&]+)""",
    re.VERBOSE | re.DOTALL,
)
_DOUBLE_ESCAPE = re.compile(r'\\([$`"\\])|\\\r?\n')
_ANSI_ESCAPE = re.compile(
    r"\\(?:u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))", re.DOTALL
)
_ANSI_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}
_BODY_OPTION = re.compile(r"(--data(?:-raw|-binary|-ascii)?|--json)(?:=(.*))?|(-d)(.+)?", re.DOTALL)
_REMEDY = "give the body itself, as in -d '{\"requests\": […]}'"


def is_curl(data: bytes) -> bool:
    """Whether it is a curl command, or a printf or an echo piped into one."""
    if _PRINTER.match(data):
        return _PIPE.search(data) is not None
    return _CURL.match(data) is not None


def read_curl(source: Source) -> RequestCollector:
    """Read the bodies of every curl command in the input, and the model of the URLs, into one batch."""
    source.check_encoding()
    collector = RequestCollector(source.limits)
    printed: str | None = None
    asks_only = False
    bodies = 0
    for words in _commands(source):
        if words[0] in ("printf", "echo"):
            printed = _printed(words)
            continue
        if words[0] not in ("curl", "curl.exe"):
            continue
        body = _body(words, printed, source)
        printed = None
        if body is None:
            continue
        if _asks_for_a_result(body):
            asks_only = True
            continue
        bodies += 1
        model = _model(words)
        if model is not None:
            collector.settings.setdefault("model", model)
        name = f"{source.name}, in the body" if source.name else "in the body"
        inner = Source(body, name, source.limits, cancelled=source.cancelled)
        read_json_document(inner, collector)
    if not bodies:
        raise _without_body(source, asks_only)
    return collector


def _without_body(source: Source, asks_only: bool) -> InputError:
    if asks_only:
        return source.error(
            "the command asks for a result and submits nothing", "give the one that submitted it"
        )
    return source.error("the curl command has no body", _REMEDY)


def _body(words: Sequence[str], printed: str | None, source: Source) -> bytes | None:
    parts: list[str] = []
    rest = iter(words[1:])
    for word in rest:
        option = _BODY_OPTION.fullmatch(word)
        if option is None:
            continue
        name = option.group(1) or option.group(3)
        attached = option.group(2) if option.group(1) else option.group(4)
        value = next(rest, "") if attached is None else attached
        if value == "@-" and printed is not None and name != "--data-raw":
            value = printed
        elif value.startswith("@") and name != "--data-raw":
            raise source.error(
                f"the body is in another file, {value[:80]!r}", "open that file, or " + _REMEDY
            )
        parts.append(value)
    if not parts:
        return None
    return "".join(parts).encode("utf-8", "surrogatepass")


def _printed(words: Sequence[str]) -> str:
    texts = [word for word in words[1:] if not re.fullmatch(r"-[neE]+|--|%s(?:\\n)?", word)]
    return " ".join(texts)


def _asks_for_a_result(body: bytes) -> bool:
    try:
        members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return "request_id" in members and members.keys().isdisjoint({"requests", "query", "contexts"})


def _model(words: Sequence[str]) -> str | None:
    for word in words[1:]:
        found = _MODEL.match(word) if len(word) <= _LONGEST_URL else None
        if found is not None:
            return unquote(found.group(1)).strip("/") or None
    return None


def _commands(source: Source) -> Iterator[list[str]]:
    """The words of each command, as a POSIX shell splits them; variables stay as they are written."""
    text = source.text.strip()
    start = _PROMPT.match(text)
    position = start.end() if start else 0
    words: list[str] = []
    word: list[str] | None = None
    pieces = 0
    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece is None:
            raise source.error(
                "a quotation mark is not closed", "copy the whole command", character=_index(source, position)
            )
        position = piece.end()
        pieces += 1
        if pieces > source.limits.pieces:
            raise source.too_many("words and signs")
        source.advance(position)
        kind = piece.lastgroup or ""
        if kind in ("space", "ends") and word is not None:
            words.append("".join(word))
            word = None
        if kind == "ends" and words:
            yield words
            words = []
        if kind not in ("space", "ends", "continued"):
            word = [] if word is None else word
            word.append(_unquoted(kind, piece.group(kind)))
    if word is not None:
        words.append("".join(word))
    if words:
        yield words


def _index(source: Source, position: int) -> int:
    return position + len(source.text) - len(source.text.lstrip())


def _unquoted(kind: str, text: str) -> str:
    if kind == "double":
        return _DOUBLE_ESCAPE.sub(lambda match: match.group(1) or "", text)
    if kind == "ansi":
        return _ANSI_ESCAPE.sub(_ansi_character, text)
    return text


def _ansi_character(match: re.Match[str]) -> str:
    short, long, byte, octal, letter = match.groups()
    if letter is not None:
        return _ANSI_LETTERS.get(letter, letter)
    code = int(octal, 8) if octal else int(short or long or byte, 16)
    return chr(code) if code <= 0x10FFFF else "�"
