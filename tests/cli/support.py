"""The program as a shell runs it: with a home of its own, and nothing of the tester's environment."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
QUERY = "This is a story about Cloudflare"
ORANGE = "This is a story about an orange cloud"
LLAMA = "This is a story about a llama"
EMOJI = "This is a story about a hugging emoji"
SAMPLE = {
    "requests": [
        {
            "query": QUERY,
            "contexts": [{"text": ORANGE}, {"text": LLAMA}, {"text": EMOJI}],
            "external_reference": "reference-1",
        }
    ]
}
NOWHERE = "http://127.0.0.1:9/client/v4"


@dataclass
class Ended:
    """A command that has ended."""

    status: int
    out: bytes
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


@dataclass
class User:
    """Somebody with an empty home, in which commands run."""

    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """All that a command of this user sees."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "100",
            **self.variables,
        }

    def start(self, *arguments: str | bytes) -> subprocess.Popen[bytes]:
        """Begin a command, in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "batchtui", *arguments],
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def run(self, *arguments: str | bytes, stdin: bytes = b"") -> Ended:
        """Run a command to its end."""
        process = self.start(*arguments)
        try:
            out, err = process.communicate(stdin, timeout=PATIENCE)
        finally:
            process.kill()
        return Ended(process.returncode, out, err.decode("utf-8", "replace"))

    def shell(self, words: str) -> Ended:
        """Run a command as a shell does, with its redirections."""
        line = f"exec {shlex.quote(sys.executable)} -m batchtui {words}"
        ended = subprocess.run(
            line, shell=True, cwd=self.home, env=self.environment, capture_output=True, timeout=PATIENCE
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr.decode("utf-8", "replace"))

    def write(self, name: str, content: object) -> str:
        """Put a file into the home: bytes and text as they are, all else as JSON; returns its name."""
        if isinstance(content, str):
            content = content.encode("utf-8")
        data = content if isinstance(content, bytes) else json.dumps(content).encode("utf-8")
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return name

    @property
    def config_file(self) -> Path:
        """Where `locate` says that the config file lies."""
        return Path(self.run("locate").out.decode().splitlines()[0].split(maxsplit=1)[1])

    @contextmanager
    def serving(self, *arguments: str) -> Iterator[str]:
        """`batchtui serve` on a free port, for as long as the block takes; gives its base URL."""
        process = self.start("serve", "--port", "0", *arguments)
        assert process.stdout is not None
        try:
            yield process.stdout.readline().decode().strip()
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
