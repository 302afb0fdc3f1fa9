"""JSON and JSONL in: one document, or one value a line, decoded piece by piece."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from batchtui.exchange.json_place import explain_malformed, place_of
from batchtui.exchange.requests_from_json import RequestCollector
from batchtui.exchange.source import MOST_FAULTS, FaultError, LimitPassedError, Source

_BYTE = re.compile(r" \(byte (\d+)\)")
_OPENS = re.compile(rb"[ \t\r\n]*[\[{]")
_NOT_BLANK = re.compile(rb"[^ \t\r\n]")
_BEFORE_VALUES = b",:[{"
# A key or a value and what follows it; an object or an array counts by its opening. A string that is not
# closed ends with its line, so that every byte is looked at once.
_KEY_OR_VALUE = re.compile(rb'(?:"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"?|[\[{]|[^\s,:\[\]{}"]++)[\s,:\]}]*+')


def starts_like_json(data: bytes) -> bool:
    """Whether the first thing in it opens a JSON object or array."""
    return _OPENS.match(data) is not None


def is_json(data: bytes) -> bool:
    """Whether the bytes are one JSON value."""
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def is_lines_of_json(data: bytes) -> bool:
    """Whether the first line that is not blank is a whole JSON value and another line follows it."""
    lines = _lines(data)
    first = next(lines, None)
    return first is not None and next(lines, None) is not None and is_json(data[first[0] : first[1]])


def read_json_lines(source: Source) -> RequestCollector:
    """Read one value a line; blank lines are passed over."""
    _check_values(source)
    collector = RequestCollector(source.limits)
    faults = _Faults(source)
    decode = msgspec.json.Decoder().decode
    for start, end in _lines(source.data):
        try:
            collector.add(decode(source.data[start:end]))
        except FaultError as problem:
            faults.add(problem, start, end)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            source.check_encoding()
            faults.add(_malformed(error, source.data[start:end]), start, end)
        source.advance(end)
    faults.finish()
    return collector


def read_json_document(source: Source, collector: RequestCollector | None = None) -> RequestCollector:
    """Read one JSON value: a body, an array of requests, one request, or contexts alone.

    What it holds is added to `collector` where one is given.
    """
    _check_values(source)
    collector = RequestCollector(source.limits) if collector is None else collector
    faults = _Faults(source)
    end = len(source.data)
    try:
        path, pieces = _pieces(source.data, collector)
    except FaultError as problem:
        faults.add(problem, 0, end)
        faults.finish()
        raise
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        source.check_encoding()
        faults.add(_malformed(error, source.data), 0, end)
        faults.finish()
        raise
    done = 0
    for index, piece in enumerate(pieces):
        place: tuple[str | int, ...] = () if path is None else (*path, index)
        try:
            value = msgspec.json.decode(piece)
            if path == ("requests",):
                collector.add_request(value)
            else:
                collector.add(value, alone=path is None)
        except FaultError as problem:
            problem.path = (*place, *problem.path)
            faults.add(problem, 0, end)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            source.check_encoding()
            malformed = _malformed(error, bytes(piece))
            malformed.path = place
            faults.add(malformed, 0, end)
        done += memoryview(piece).nbytes
        source.advance(done)
    faults.finish()
    return collector


def _pieces(data: bytes, collector: RequestCollector) -> tuple[tuple[str, ...] | None, Sequence[msgspec.Raw]]:
    """The values to decode one after another and the path to their array; no path where one stands alone."""
    if data.lstrip().startswith(b"["):
        return (), msgspec.json.decode(data, type=list[msgspec.Raw])
    members = msgspec.json.decode(data, type=dict[str, msgspec.Raw]) if starts_like_json(data) else {}
    requests = members.pop("requests", None)
    if requests is None:
        return None, (msgspec.Raw(data),)
    collector.add_body_keys({key: msgspec.json.decode(member) for key, member in members.items()})
    if not bytes(requests).startswith(b"["):
        raise FaultError("the requests are no list", 'write "requests": [{…}, {…}]', ("requests",))
    return ("requests",), msgspec.json.decode(requests, type=list[msgspec.Raw])


def _lines(data: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of every line that is not blank, from the first character that is not."""
    end = 0
    while (first := _NOT_BLANK.search(data, end)) is not None:
        start = first.start()
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        yield start, end


def _check_values(source: Source) -> None:
    """InputError where the JSON has more keys and values than are worth decoding."""
    data, most = source.data, source.limits.pieces
    # Each takes two bytes at least, and all but the first of a line stand behind one of four characters.
    if len(data) <= 2 * most or len(data) - len(data.translate(None, _BEFORE_VALUES)) < most:
        return
    if next(islice(_KEY_OR_VALUE.finditer(data), most, None), None) is not None:
        raise source.too_many("keys and values")


class _Faults:
    """The first fault of an input, and how many there are."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._first: tuple[FaultError, int, int] | None = None
        self._count = 0

    def add(self, problem: FaultError, start: int, end: int) -> None:
        """Note a fault in the value at bytes `start` to `end`; raise where reading on is no use."""
        self._count += 1
        if self._first is None:
            self._source.check_encoding()
            self._first = problem, start, end
        if isinstance(problem, LimitPassedError) or self._count == MOST_FAULTS:
            self.finish()

    def finish(self) -> None:
        """Raise the first fault as an InputError, if there is one."""
        if self._first is None:
            return
        problem, start, end = self._first
        text = self._source.data[start:end].decode("utf-8")
        character = place_of(text, problem.path) + problem.offset
        byte = start + len(text[:character].encode("utf-8"))
        raise self._source.error(problem.thing, problem.remedy, byte=byte, more=self._count - 1)


def _malformed(error: Exception, data: bytes) -> FaultError:
    text = data.decode("utf-8")
    if isinstance(error, RecursionError):
        return LimitPassedError("the JSON is nested too deeply", "remove what is no request")
    why = explain_malformed(text)
    if why is not None:
        thing, offset = why
        return FaultError(f"this is not JSON: {thing}", "mend it there", offset=offset)
    found = _BYTE.search(str(error))
    offset = len(data[: int(found.group(1))].decode("utf-8", "replace")) if found else 0
    return FaultError(f"this is not JSON: {_BYTE.sub('', str(error))}", "mend it there", offset=offset)
