"""The emulator over HTTP in process against its scorer called in a bare loop on the same texts."""

import asyncio
import itertools
import random
import time
from pathlib import Path
from statistics import median

import httpx
import msgspec

from batchtui.clock import SystemClock
from batchtui.emulator.app import Emulator
from batchtui.emulator.options import AT_ONCE, EmulatorOptions
from batchtui.emulator.scorers.lexical import LexicalScorer
from batchtui.model import DEFAULT_MODEL, Context, Request
from batchtui.workers_ai.wire import Complete, decode_answer, encode_batch, encode_collect

from .support import Table, temporary_home

REQUESTS, CONTEXTS, WORDS = 400, 20, 120
# As in natural text, the n-th word is about n times rarer than the first.
VOCABULARY = 20_000
ROUNDS = 5
PATH = f"/accounts/any/ai/run/{DEFAULT_MODEL}"


def requests_of(chance: random.Random) -> list[Request]:
    """A batch of made-up words that are distributed as those of a language."""
    syllables = [first + second for first in "bdfgklmnprst" for second in "aeiou"]
    words = ["".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(VOCABULARY)]
    weights = list(itertools.accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))

    def text(length: int) -> str:
        return " ".join(chance.choices(words, cum_weights=weights, k=length))

    return [Request(text(6), tuple(Context(text(WORDS)) for _ in range(CONTEXTS))) for _ in range(REQUESTS)]


def bare_loop(requests: list[Request]) -> float:
    """Contexts a second of the scorer alone."""
    scorer = LexicalScorer()
    started = time.perf_counter()
    scorer.score_batch([(request.query, [one.text for one in request.contexts]) for request in requests])
    return len(requests) * CONTEXTS / (time.perf_counter() - started)


async def emulated(client: httpx.AsyncClient, requests: list[Request]) -> float:
    """Contexts a second from submitting a batch to having its answer."""
    body = encode_batch(requests)
    started = time.perf_counter()
    submitted = await client.post(f"{PATH}?queueRequest=true", content=body)
    request_id = msgspec.json.decode(submitted.content)["result"]["request_id"]
    while True:
        answer = await client.post(PATH, content=encode_collect(request_id))
        if isinstance(decode_answer(answer.content), Complete):
            return len(requests) * CONTEXTS / (time.perf_counter() - started)
        await asyncio.sleep(0.01)


async def measure(home: Path) -> tuple[float, float]:
    """Medians of the emulator and of the bare loop, in turns."""
    options = EmulatorOptions(
        database=home / "queue.db", latency=AT_ONCE, running=AT_ONCE, yields_to_screen=False
    )
    emulator = Emulator(options, SystemClock())
    await emulator.start()
    await emulator.warm()
    through, alone = [], []
    transport = httpx.ASGITransport(emulator.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/client/v4") as client:
        for number in range(ROUNDS + 1):
            requests = requests_of(random.Random(number))
            through.append(await emulated(client, requests))
            alone.append(bare_loop(requests))
    await emulator.stop()
    # The first round starts the scoring processes.
    return median(through[1:]), median(alone[1:])


def main() -> None:
    """Print the table."""
    with temporary_home() as home:
        through, alone = asyncio.run(measure(home))
    table = Table("Emulator, milliseconds for a thousand contexts")
    # At least 0.9 × the throughput is at most 1 / 0.9 × the time.
    table.ratio("through the emulator, against the bare loop", 1e6 / through, 1e6 / alone, 1 / 0.9)


if __name__ == "__main__":
    main()
