"""A 10 MB draft of 10,000 contexts in 100 requests: opened, edited, saved and submitted.

Reading is held against `json.loads` and a plain validation of what came out; a ticker on the event loop tells
how long the screen stood still at the most.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable
from pathlib import Path

from batchtui.exchange.reading import read_batches
from batchtui.model import Batch, Draft, JobState
from batchtui.ui.widgets.choice_screen import ChoiceScreen

from .running_app import app_at_home, key_latency, post_key, until
from .stores import sentence
from .support import Table, interleaved, temporary_home

REQUESTS, CONTEXTS, WORDS = 100, 100, 144
STALL_BUDGET = 50.0
TYPED = "how long do refunds take twice "


def big_file() -> bytes:
    """JSONL of about 10 MB."""
    chance = random.Random(1)
    lines = (
        {
            "query": f"{sentence(chance, 5)} {number}",
            "external_reference": f"r{number}",
            "contexts": [
                {"text": f"{sentence(chance, WORDS)} größe {place}", "id": f"d{place}"}
                for place in range(CONTEXTS)
            ],
        }
        for number in range(REQUESTS)
    )
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()


def loads_and_validates(data: bytes) -> None:
    """What reading must at least do."""
    for line in data.split(b"\n"):
        request = json.loads(line)
        if not isinstance(request["query"], str) or not isinstance(request["external_reference"], str):
            raise ValueError
        for context in request["contexts"]:
            if not isinstance(context["text"], str) or not isinstance(context["id"], str):
                raise ValueError


def milliseconds(work: Callable[[], object]) -> float:
    """How long a piece of work takes."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


async def stalls(home: Path, file: Path, table: Table) -> None:
    """Open, edit, save and submit the big draft."""
    async with app_at_home(home, Draft(0, Batch(()))) as (app, ticker):

        async def open_it() -> None:
            app.draft_actions.read(file)
            await until(lambda: isinstance(app.screen, ChoiceScreen))
            await asyncio.sleep(0.3)
            post_key(app, "enter")
            await until(lambda: len(app.compose_pane.composition.batch.requests) == REQUESTS)
            await asyncio.sleep(2.0)

        async def type_a_query() -> None:
            app.compose_pane.query_one("#query").focus()
            for character in "refund twice":
                post_key(app, character)
                await asyncio.sleep(0.1)
            await asyncio.sleep(1.5)

        async def walk() -> None:
            for _ in range(10):
                app.action_compose("next")
                await asyncio.sleep(0.1)
            await asyncio.sleep(1.0)

        async def duplicate_and_undo() -> None:
            app.action_compose("same_contexts")
            await asyncio.sleep(1.0)
            app.action_compose("undo")
            await asyncio.sleep(1.0)

        async def submit() -> None:
            app.action_submit()
            await until(lambda: (job := app.service.last_job()) and job.state is JobState.DONE)
            await asyncio.sleep(1.0)

        for what, work in (
            ("nothing done", lambda: asyncio.sleep(3.0)),
            ("opened", open_it),
            ("a query typed", type_a_query),
            ("requests walked through", walk),
            ("a request added and undone", duplicate_and_undo),
            ("submitted, scored and shown", submit),
        ):
            table.limit(f"longest stall: {what}", await ticker.during(work), STALL_BUDGET)


async def typing(home: Path, batch: Batch) -> float:
    """Milliseconds until a character typed in the query is drawn, the median of many."""
    async with app_at_home(home, Draft(0, batch)) as (app, _):
        query = app.compose_pane.query_one("#query")
        query.focus()
        return await key_latency(app, query, "selection", TYPED)


def main() -> None:
    """Print the table."""
    data = big_file()
    table = Table(f"A draft of {REQUESTS * CONTEXTS:,} contexts, {len(data) / 1e6:.1f} MB")
    found = interleaved(
        {
            "read": lambda: milliseconds(lambda: read_batches(data, name="big.jsonl")),
            "loads": lambda: milliseconds(lambda: loads_and_validates(data)),
        },
        9,
    )
    table.ratio("read, against json.loads and validation", found["read"], found["loads"], 2.0)
    batch = read_batches(data, name="big.jsonl").batch
    with temporary_home() as home:
        file = home / "big.jsonl"
        file.write_bytes(data)
        asyncio.run(stalls(home / "stalls", file, table))
        big = asyncio.run(typing(home / "big", batch))
        small = asyncio.run(typing(home / "small", Batch((batch.requests[0],))))
        table.ratio("a character in its query, against one request", big, small, 1.3)


if __name__ == "__main__":
    main()
