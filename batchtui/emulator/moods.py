"""The moods of the real service: how one batch or call is to go, drawn from the options and its fault."""

import random
from enum import Enum

import msgspec

from batchtui.emulator.errors import KNOWN_ERRORS, NOT_FOUND, UPSTREAM_VALIDATION, AnswerError
from batchtui.emulator.faults import NO_FAULT, Fault, Span
from batchtui.emulator.options import EmulatorOptions

FAILED_BY_MOOD = "AiError: Inference failed: as asked of the emulator"
FAILED_WHOLE_BY_MOOD = "AiError: Upstream validation failed: as asked of the emulator"


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a batch is to go, kept beside it in the queue. Times are seconds.

    `order_seed` is None where answers keep their order; `failing` holds places of requests from 0.
    """

    latency: float = 0.0
    running: float = 0.0
    order_seed: int | None = None
    results_index: bool = False
    failing: tuple[int, ...] = ()
    failed: str | None = None


class Call(Enum):
    """What a call is about; ANY is asked for each, before it is known what it wants."""

    SUBMIT = "submit"
    COLLECT = "collect"
    RUN = "run"
    ANY = "any"


class Moods:
    """Draws from the options; repeatable where they have a seed and the calls come in the same order."""

    def __init__(self, options: EmulatorOptions) -> None:
        self._options = options
        self._random = random.Random(options.seed)

    def plan(self, requests: int, fault: Fault = NO_FAULT, failed: str | None = None) -> Plan:
        """How a batch of so many requests is to go; `failed` says why it fails in any case."""
        options, draw = self._options, random.Random(self._random.getrandbits(64))
        latency = _within(draw, fault.latency or options.latency)
        running = _within(draw, fault.running or options.running)
        order_seed = draw.getrandbits(32)
        by_chance = [place for place in range(requests) if draw.random() < options.fail_rate]
        failing = sorted({*by_chance, *(place for place in fault.failing if place < requests)})
        fails_whole = fault.fail_batch or (options.error == UPSTREAM_VALIDATION and self._struck())
        return Plan(
            latency=latency,
            running=running,
            order_seed=order_seed if _chosen(fault.shuffle, options.shuffle) else None,
            results_index=_chosen(fault.results_index, options.results_index),
            failing=tuple(failing),
            failed=failed or (FAILED_WHOLE_BY_MOOD if fails_whole else None),
        )

    def strike(self, call: Call) -> None:
        """Raise the error that the options ask for where the real service would give it to such a call."""
        code = self._options.error
        if code is not None and _concerns(code, call) and self._struck():
            raise AnswerError(code, retry_after=self._options.retry_after)

    def _struck(self) -> bool:
        return self._random.random() < self._options.error_rate


def _concerns(code: int, call: Call) -> bool:
    if call is Call.ANY:
        return KNOWN_ERRORS[code].gateway
    if KNOWN_ERRORS[code].gateway:
        return False
    if code == NOT_FOUND:
        return call is Call.COLLECT
    if code == UPSTREAM_VALIDATION:
        return call is Call.RUN
    return call in (Call.SUBMIT, Call.RUN)


def _chosen(asked: bool | None, usual: bool) -> bool:
    return usual if asked is None else asked


def _within(draw: random.Random, span: Span) -> float:
    return span.low + (span.high - span.low) * draw.random()
