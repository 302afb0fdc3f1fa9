import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("module", "needs"), [("text", ()), ("figures", ()), ("evaluation", ("model",))])
def test_texts_and_figures_need_nothing_heavy_and_only_the_words_of_the_project(
    module: str, needs: tuple[str, ...]
) -> None:
    script = f"import sys, batchtui.{module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = loaded.stdout.split()
    assert {name.partition(".")[0] for name in names} & {
        "rich",
        "textual",
        "httpx",
        "numpy",
        "asyncio",
    } == set()
    own = {f"batchtui.{name}" for name in (module, *needs)}
    assert {name for name in names if name.startswith("batchtui.")} == own
