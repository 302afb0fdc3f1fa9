"""The walls between the parts of the house: who may import whom, and what is loaded when."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "batchtui"
CORE = ("model", "evaluation", "text")
HEAVY = {"textual", "httpx", "starlette", "uvicorn"}


def _module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _names_in(tree: ast.AST, module: str, *, is_package: bool) -> Iterator[str]:
    """What is imported anywhere in a file, in functions too; `from a import b` gives both a and a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                here = module.split(".")
                kept = here[: len(here) - node.level + is_package]
                source = ".".join([*kept, *([source] if source else [])])
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


@cache
def imports() -> dict[str, frozenset[str]]:
    """What each module of the project imports, by the module's name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        module = _module_name(path)
        tree = ast.parse(path.read_text("utf-8"))
        names = _names_in(tree, module, is_package=path.name == "__init__.py")
        found[module] = frozenset(names)
    return found


def within(name: str, *parents: str) -> bool:
    return any(name == parent or name.startswith(f"{parent}.") for parent in parents)


def who_imports(*targets: str, among: tuple[str, ...] = ("batchtui",)) -> set[str]:
    return {
        module
        for module, names in imports().items()
        if within(module, *among) and any(within(name, *targets) for name in names)
    }


def loaded_by(script: str, *arguments: str, home: Path) -> set[str]:
    """The names of all modules that are loaded once `script` has run in a Python of its own."""
    told = "import sys; print(*sys.modules, file=sys.stderr)"
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", f"{script}\n{told}", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        cwd=home,
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


def test_the_reader_of_imports_sees_every_way_to_import() -> None:
    source = "import a.b\nfrom c import d\ndef f():\n    from . import e\n    from ..g import h"
    names = set(_names_in(ast.parse(source), "top.part.file", is_package=False))
    assert {"a.b", "c.d", "top.part.e", "top.g.h"} <= names
    assert "top.part.e" in set(_names_in(ast.parse("from . import e"), "top.part", is_package=True))


def test_every_module_of_the_house_is_looked_at() -> None:
    assert {"batchtui.cli", "batchtui.ui.app", "batchtui.workers_ai.wire", "batchtui.emulator.app"} <= set(
        imports()
    )


@pytest.mark.parametrize("module", CORE)
def test_the_core_imports_nothing_of_the_project_but_itself(module: str) -> None:
    of_the_project = {name for name in imports()[f"batchtui.{module}"] if within(name, "batchtui")}
    core = tuple(f"batchtui.{name}" for name in CORE)
    assert {name for name in of_the_project if not within(name, "batchtui", *core)} == set()
    assert {name for name in of_the_project - {"batchtui"} if not within(name, *core)} == set()


@pytest.mark.parametrize("module", CORE)
def test_the_core_loads_nothing_of_the_project_but_itself(module: str, tmp_path: Path) -> None:
    loaded = loaded_by(f"import batchtui.{module}", home=tmp_path)
    of_the_project = {name for name in loaded if name.startswith("batchtui.")}
    assert of_the_project <= {f"batchtui.{name}" for name in CORE}
    assert f"batchtui.{module}" in of_the_project


def test_only_the_ui_imports_textual() -> None:
    outside = {module for module in who_imports("textual") if not within(module, "batchtui.ui")}
    assert outside == set()
    assert "batchtui.ui.app" in who_imports("textual")


def test_nothing_but_the_doors_imports_the_ui() -> None:
    outside = {module for module in who_imports("batchtui.ui") if not within(module, "batchtui.ui")}
    assert outside == {"batchtui.cli"}


def test_the_emulator_takes_of_workers_ai_at_most_the_wire() -> None:
    crossing = {
        name
        for module, names in imports().items()
        if within(module, "batchtui.emulator")
        for name in names
        if within(name, "batchtui.workers_ai")
    }
    assert {name for name in crossing if not within(name, "batchtui.workers_ai.wire")} <= {
        "batchtui.workers_ai"
    }


def test_workers_ai_knows_nothing_of_the_emulator() -> None:
    assert who_imports("batchtui.emulator", among=("batchtui.workers_ai",)) == set()


def test_the_emulator_knows_no_job_store_or_screen() -> None:
    strangers = ("batchtui.jobs", "batchtui.ui", "batchtui.exchange", "batchtui.settings", "batchtui.cli")
    assert who_imports(*strangers, among=("batchtui.emulator",)) == set()


def test_jobs_know_neither_the_emulator_nor_the_ui() -> None:
    assert who_imports("batchtui.emulator", "batchtui.ui", "textual", among=("batchtui.jobs",)) == set()


def test_the_parts_load_no_more_than_their_walls_allow(tmp_path: Path) -> None:
    script = "import batchtui.jobs.service, batchtui.workers_ai.client, batchtui.exchange.writing"
    loaded = loaded_by(script, home=tmp_path)
    assert "batchtui.jobs.service" in loaded
    assert {name for name in loaded if within(name, "batchtui.ui", "batchtui.emulator", "textual")} == set()


def test_the_emulator_loads_of_workers_ai_only_what_the_wire_needs(tmp_path: Path) -> None:
    of_the_wire = loaded_by("import batchtui.workers_ai.wire", home=tmp_path)
    loaded = loaded_by("import batchtui.emulator.server, batchtui.emulator.app", home=tmp_path)
    assert {"batchtui.emulator.app", "batchtui.emulator.server"} <= loaded
    assert {name for name in loaded - of_the_wire if within(name, "batchtui.workers_ai")} == set()
    assert {name for name in loaded if within(name, "batchtui.jobs", "batchtui.ui", "textual")} == set()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["jobs", "--help"], ["serve", "--help"], ["jobs"]]
)
def test_a_light_command_loads_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    script = (
        "import sys\nfrom batchtui.cli import main\n"
        "try:\n    status = main(sys.argv[1:])\nexcept SystemExit as left:\n    status = left.code\n"
        "assert not status, status"
    )
    loaded = loaded_by(script, *arguments, home=tmp_path)
    assert "batchtui.cli" in loaded
    assert {name.partition(".")[0] for name in loaded} & HEAVY == set()


def test_the_app_is_imported_without_the_client_and_the_emulator(tmp_path: Path) -> None:
    loaded = loaded_by("import batchtui.ui.app", home=tmp_path)
    assert "textual" in loaded
    assert {name for name in loaded if within(name, "httpx", "starlette", "uvicorn")} == set()


def test_the_top_level_holds_only_what_the_design_says() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a clone: there is nothing to list")
    top = {name.partition("/")[0] for name in listed.stdout.split("\0") if name}
    assert {name for name in top if not name.startswith(".")} == {
        "pyproject.toml",
        "README.md",
        "batchtui",
        "tests",
        "assets",
    }
