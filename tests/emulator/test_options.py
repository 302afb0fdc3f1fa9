"""The flags of `batchtui serve` become options, and what cannot be is said."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from batchtui.emulator.faults import Span
from batchtui.emulator.options import EmulatorOptions, add_arguments, from_arguments

from .support import ROOT

DATABASE = Path("/somewhere/queue.db")


def _options(*flags: str) -> EmulatorOptions:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return from_arguments(parser.parse_args(flags), DATABASE)


def test_without_flags_it_answers_at_once_and_scores_without_a_model() -> None:
    assert _options() == EmulatorOptions(
        database=DATABASE, latency=Span(0, 0), running=Span(0, 0), yields_to_screen=False
    )


def test_in_the_app_each_state_lasts_long_enough_to_be_seen() -> None:
    options = EmulatorOptions(database=DATABASE)
    assert options.latency.low >= 0.3
    assert options.running.low >= 0.3


def test_every_flag_reaches_its_option() -> None:
    options = _options(
        *("--token", "t", "--scorer", "fastembed", "--model-path", "weights", "--download", "--seed", "7"),
        *("--embedder", "sentence-transformers/all-MiniLM-L6-v2", "--latency", "5-20", "--running", "2.5"),
        *("--shuffle", "--results-index", "--fail-rate", "0.1", "--error", "3040", "--error-rate", "0.5"),
        *("--queue", "here.db", "--retry-after", "3", "--expiry", "60", "--body-limit", "1000"),
    )
    assert options == EmulatorOptions(
        database=Path("here.db"),
        scorer="fastembed",
        model_path=Path("weights"),
        embedder="sentence-transformers/all-MiniLM-L6-v2",
        download=True,
        token="t",
        latency=Span(5, 20),
        running=Span(2.5, 2.5),
        shuffle=True,
        results_index=True,
        fail_rate=0.1,
        error=3040,
        error_rate=0.5,
        retry_after=3,
        seed=7,
        expiry=60,
        body_limit=1000,
        yields_to_screen=False,
    )


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("--port", "65536"), "a port from 0 to 65535"),
        (("--port", "http"), "a port from 0 to 65535"),
        (("--latency", "soon"), "such as 2 or 5-20"),
        (("--latency", "20-5"), "ends before it begins"),
        (("--latency", "-5"), "such as 2 or 5-20"),
        (("--latency", "nan"), "such as 2 or 5-20"),
        (("--latency", "inf"), "such as 2 or 5-20"),
        (("--fail-rate", "1.5"), "a share from 0 to 1"),
        (("--fail-rate", "nan"), "a share from 0 to 1"),
        (("--error", "1"), "3040"),
        (("--error", "²"), "3040"),
        (("--queue", ""), "the name of a file"),
        (("--expiry", "never"), "a number of seconds"),
        (("--body-limit", "10MB"), "a number of bytes"),
        (("--scorer", "magic"), "lexical"),
    ],
)
def test_a_value_that_cannot_be_is_named_with_what_could(
    flags: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, value = flags
    with pytest.raises(SystemExit) as ended:
        _options(f"{name}={value}")
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert name in error
    assert why in error


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("batchtui.emulator.options", ["starlette", "uvicorn", "httpx", "msgspec", "sqlite3", "asyncio"]),
        ("batchtui.emulator.worker", ["starlette", "uvicorn", "httpx", "sqlite3", "asyncio", "numpy"]),
    ],
)
def test_what_must_start_quickly_imports_nothing_heavy(module: str, heavy: list[str]) -> None:
    program = (
        f"import sys; sys.path.insert(0, sys.argv[1]); import {module}\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    command = [sys.executable, "-c", program, str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
