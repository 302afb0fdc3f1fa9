"""A strict reader of what a program writes to a terminal: its sequences told apart from its text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from dangerous import dangerous_in

# ECMA-48: a control sequence, a control string (OSC, DCS, SOS, PM, APC) with its end, and a short escape.
_TOKEN = re.compile(
    rb"\x1b\[(?P<csi>[0-?]*[ -/]*[@-~])"
    rb"|\x1b(?P<string>[]PX^_k])(?P<body>[^\x1b\x07]*)(?P<end>\x1b\\|\x07)?"
    rb"|\x1b(?P<escape>[ -/]*[0-~])"
    rb"|(?P<control>[\x00-\x08\x0b-\x1f\x7f])"
)
_SGR_COLOUR = re.compile(r"[34]8;(?:2;\d+;\d+;\d+|5;\d+)")
_PLACES = "HABCDEFG"


@dataclass
class Output:
    """What a terminal was told: the kinds of its sequences, and the text between them."""

    kinds: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)

    @property
    def dangers(self) -> list[str]:
        """What in the text a terminal would obey, hide or reorder by."""
        return [danger for text in self.texts for danger in dangerous_in(text, own="\r\n")]


def read_output(data: bytes) -> Output:
    """Tell sequences from text; bytes that are not UTF-8 stay in the text as surrogates, and are dangers."""
    output = Output()
    place = 0
    for match in _TOKEN.finditer(data):
        output.texts.append(data[place : match.start()].decode("utf-8", "surrogateescape"))
        place = match.end()
        output.kinds.update(_kinds(match))
    output.texts.append(data[place:].decode("utf-8", "surrogateescape"))
    output.texts = [text for text in output.texts if text]
    return output


def _kinds(match: re.Match[bytes]) -> Iterator[str]:
    if match["csi"] is not None:
        sequence = match["csi"].decode("latin-1")
        if sequence.endswith("m") and sequence[0] not in "<=>?":
            for parameter in _SGR_COLOUR.sub("colour", sequence[:-1]).split(";"):
                yield f"SGR {parameter or '0'}"
        elif sequence[-1] in _PLACES:
            yield f"CSI {sequence[-1]}"
        else:
            yield f"CSI {sequence}"
    elif match["string"] is not None:
        yield f"string {match['string'].decode()}{match['body'][:40].decode('latin-1')}"
    elif match["escape"] is not None:
        yield f"ESC {match['escape'].decode('latin-1')}"
    elif match["control"] not in (b"\r",):
        yield f"control {match['control']!r}"
