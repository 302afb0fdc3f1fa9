"""Numbers as people read them: sizes, counts and durations; imports nothing of the project."""

_THOUSAND = 1000
_PREFIXES = "kMGT"
_SECONDS_IN_UNIT = ((86_400, "d"), (3_600, "h"), (60, "min"))


def size(number: int) -> str:
    """A number of bytes in decimal units: `999 B`, `1.4 kB`, `14 kB`, `2.5 MB`."""
    figure, prefix = _scaled(number)
    return f"{figure} {prefix}B"


def count(number: int) -> str:
    """A number of things, shortened from a thousand on: `999`, `8.1k`, `14k`, `2.5M`."""
    figure, prefix = _scaled(number)
    return figure + prefix


def duration(seconds: float) -> str:
    """A span of time in its largest unit: `340 ms`, `2.1 s`, `34 s`, `3 min`, `1 h`, `12 d`.

    The figure is rounded down, as ages are told; a span below zero (a clock set back) is zero.
    """
    seconds = max(0.0, seconds)
    for length, unit in _SECONDS_IN_UNIT:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    if seconds >= 10:
        return f"{int(seconds)} s"
    milliseconds = int(seconds * _THOUSAND)
    if milliseconds < _THOUSAND:
        return f"{milliseconds} ms"
    return f"{milliseconds // 100 / 10:.1f} s"


def _scaled(number: int) -> tuple[str, str]:
    """The figure with two digits below ten and none after the point above, and the prefix of its unit."""
    if number < _THOUSAND:
        return str(number), ""
    scaled = number / _THOUSAND
    power = 0
    while round(scaled) >= _THOUSAND and power < len(_PREFIXES) - 1:
        scaled /= _THOUSAND
        power += 1
    return (f"{scaled:.1f}" if round(scaled, 1) < 10 else f"{scaled:.0f}"), _PREFIXES[power]
