"""The doors: reads the command line and opens the one that was asked for, importing nothing else."""

from __future__ import annotations

import argparse
import codecs
import gc
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from batchtui import __version__

if TYPE_CHECKING:
    from batchtui.model import Draft
    from batchtui.settings import Settings

DONE, FAILED, BAD_INPUT, NO_CREDENTIALS, INTERRUPTED = 0, 1, 2, 3, 130
SWITCH_SECONDS = 0.0005
EXPORT_FORMS = ("table", "json", "jsonl", "csv", "md", "trec", "qrels", "curl")

COMMANDS = {
    "submit": "submit batches from files, and follow them with --wait",
    "jobs": "list jobs, newest first",
    "show": "show one job: its rankings, usage and errors",
    "compare": "rankings of jobs side by side, with metrics where there are judgments",
    "serve": "run the emulator of Workers AI over HTTP",
    "locate": "say where config, data and log lie",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    command, rest = split_command(given)
    _open_what_is_closed()
    _let_output_hold_any_text()
    try:
        return run(command, parser_of(command).parse_args(rest))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has gone; there is nobody to tell.
        sys.stdout = None
        return DONE


def _open_what_is_closed() -> None:
    """Have a standard stream that was closed be an empty one, so that no file of ours gets its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - it stays open


def _let_output_hold_any_text() -> None:
    """Where standard output is not UTF-8, write what it can't hold as JSON does, so that JSON stays exact."""

    def escaped(error: UnicodeError) -> tuple[str, int]:
        import json

        assert isinstance(error, UnicodeEncodeError)
        return json.dumps(error.object[error.start : error.end])[1:-1], error.end

    codecs.register_error("batchtui", escaped)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="batchtui")


def split_command(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """The command, if the first word that is no flag is one, and all the other words."""
    place = 0
    while place < len(arguments) and arguments[place].startswith("-") and arguments[place] != "-":
        if arguments[place] == "--":
            return None, list(arguments)
        place += 2 if arguments[place] == "--backend" else 1
    if place < len(arguments) and arguments[place] in COMMANDS:
        return arguments[place], [*arguments[:place], *arguments[place + 1 :]]
    return None, list(arguments)


class CommandParser(argparse.ArgumentParser):
    """Tells what is wrong with the words given, safe for a terminal."""

    def error(self, message: str) -> NoReturn:
        """Tell it and end."""
        from batchtui.text import one_line

        super().error(one_line(message))


def parser_of(command: str | None) -> argparse.ArgumentParser:
    """The parser of one command; None is that of the app."""
    if command is None:
        width = max(map(len, COMMANDS))
        listed = "\n".join(f"  batchtui {name:<{width}}  {what}" for name, what in COMMANDS.items())
        parser = CommandParser(
            prog="batchtui",
            description="Compose a query and contexts, submit them as a batch, and see them ranked.",
            epilog=f"commands:\n{listed}\n\nEach command says more with --help.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument(
            "file", nargs="?", metavar="FILE|-", help="a batch to open as a draft; - is standard input"
        )
        parser.add_argument("--version", action="version", version=f"batchtui {__version__}")
    else:
        parser = CommandParser(prog=f"batchtui {command}", description=COMMANDS[command])
    parser.add_argument(
        "--backend",
        metavar="local|cloudflare|URL",
        help="who scores (default: cloudflare with an account ID and a token, else local)",
    )
    if add_arguments := _ADD_ARGUMENTS.get(command or ""):
        add_arguments(parser)
    return parser


def _submit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", metavar="FILE|-", help="a file, a folder of files, or - for standard input"
    )
    parser.add_argument("--model", help="the model, instead of the one the file or the config names")
    parser.add_argument("--query", help="the query for a file of plain text")
    parser.add_argument("--wait", action="store_true", help="follow the jobs to their end")
    parser.add_argument("--json", action="store_true", help="print the jobs as JSON")


def _jobs_arguments(parser: argparse.ArgumentParser) -> None:
    from batchtui.model import JobState

    parser.add_argument("--state", choices=[str(state) for state in JobState], help="only jobs in this state")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", metavar="JOB|last", help="a job's number, or last")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--format", choices=EXPORT_FORMS, default="table", help="how (default: %(default)s)")
    chosen.add_argument(
        "--json", action="store_const", const="json", dest="format", help="the same as --format json"
    )


def _compare_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "jobs", nargs="+", metavar="JOB", help="two or more jobs' numbers; last is the newest"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def _serve_arguments(parser: argparse.ArgumentParser) -> None:
    from batchtui.emulator.options import add_arguments

    add_arguments(parser)


_ADD_ARGUMENTS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "submit": _submit_arguments,
    "jobs": _jobs_arguments,
    "show": _show_arguments,
    "compare": _compare_arguments,
    "serve": _serve_arguments,
}


def run(command: str | None, namespace: argparse.Namespace) -> int:
    """Open one door; what a person must mend is told on standard error."""
    from batchtui.exchange.source import InputError
    from batchtui.jobs.errors import CredentialsMissing, JobsError
    from batchtui.settings import CredentialsError, SettingsError, load

    try:
        settings = load(namespace.backend)
        match command:
            case "submit":
                from batchtui.commands.submit import submit

                return submit(namespace, settings)
            case "jobs":
                from batchtui.commands.show import list_jobs

                return list_jobs(namespace, settings)
            case "show":
                from batchtui.commands.show import show

                return show(namespace, settings)
            case "compare":
                from batchtui.commands.compare import compare

                return compare(namespace, settings)
            case "serve":
                from batchtui.commands.serve import serve

                return serve(namespace, settings)
            case "locate":
                from batchtui.commands.locate import locate

                return locate(settings)
            case _:
                return open_app(namespace, settings)
    except (CredentialsError, CredentialsMissing) as error:
        return complain(error, NO_CREDENTIALS)
    except (SettingsError, InputError, JobsError, OSError) as error:
        return complain(error, BAD_INPUT)


def complain(error: Exception, status: int) -> int:
    """Tell an error on standard error in one line, safe for a terminal; returns the status."""
    from batchtui.text import one_line

    print(f"batchtui: {one_line(str(error))}", file=sys.stderr)
    return status


def open_app(namespace: argparse.Namespace, settings: Settings) -> int:
    """Open the app on a terminal, with a file or standard input as a draft."""
    from batchtui import logs
    from batchtui.backends import Backends, open_service
    from batchtui.clock import SystemClock
    from batchtui.model import Batch, Draft
    from batchtui.settings import CLOUDFLARE, CredentialsError, credentials_missing

    if settings.backend == CLOUDFLARE and (missing := credentials_missing(settings)):
        raise CredentialsError(missing)
    draft = _read_draft(namespace.file, settings) if namespace.file else None
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        raise OSError("the app needs a terminal; `batchtui submit`, `jobs` and `show` work without one")
    logs.start(settings.locations.log_file, settings.token)
    clock = SystemClock()
    backends = Backends(settings, clock)
    service = open_service(settings, backends, clock)
    try:
        from batchtui.ui.app import BatchtuiApp
        from batchtui.ui.keymap import check_keys

        check_keys(settings.keys, str(settings.locations.config_file))
        last = max(service.drafts(), key=lambda kept: kept.updated_at, default=None)
        app = BatchtuiApp(
            service, backends, settings, clock, draft or last or Draft(0, Batch((), settings.model))
        )
        put_the_screen_first()
        app.run()
        sys.stderr.write(app.last_words)
        return app.return_code or DONE
    finally:
        service.close()


def put_the_screen_first() -> None:
    """Have this process hold a key up as little as it can, right before the app runs."""
    # What is there by now stays: collections need not look at it again.
    gc.freeze()
    # The threads that read and write beside the screen give way to a key sooner.
    sys.setswitchinterval(SWITCH_SECONDS)


def _read_draft(name: str, settings: Settings) -> Draft:
    """A file, or standard input, as a new draft. Raises InputError."""
    import msgspec

    from batchtui.exchange.opening import read_file, read_stream
    from batchtui.model import Draft

    if name == "-":
        opened = read_stream(sys.stdin.buffer)
        _take_the_keyboard_back()
    else:
        opened = read_file(name)
    batch = opened.batch
    if not opened.names_model:
        batch = msgspec.structs.replace(batch, model=settings.model)
    return Draft(0, batch, "" if name == "-" else Path(name).name)


def _take_the_keyboard_back() -> None:
    """Standard input was the file; from here on it is the terminal again."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError:
        raise OSError("standard input was read, but there is no terminal to type in") from None
    os.dup2(terminal, 0)
    os.close(terminal)
    sys.stdin = os.fdopen(0, "r", closefd=False)
