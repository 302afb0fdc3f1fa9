"""Exported curl commands send the same body from bash, zsh and fish, whatever the texts hold."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hostile import dangerous_in, hostile_strings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchtui.exchange.curl_form import LONGEST_ARGUMENT_BYTES, quoted_json, write_curl
from batchtui.exchange.reading import read_batches
from batchtui.exchange.writing import export
from batchtui.model import Batch, Context, Request
from batchtui.workers_ai.endpoint import EndpointError
from batchtui.workers_ai.wire import encode_batch, encode_collect

from .jobs_for_export import make_batch, make_job

SHELLS = [
    pytest.param(
        name, marks=pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed")
    )
    for name in ("bash", "zsh", "fish", "dash")
]
TOKEN = "t0ken-$HOME-`id`"
ACCOUNT = "acc0unt"
BASE = "https://api.cloudflare.com/client/v4/accounts"
FAKE_CURL = """#!/bin/sh
printf '%s\\0' "$@" >> "$SEEN/arguments"
for argument do last=$argument; done
if [ "$last" = @- ]; then cat >> "$SEEN/arguments"; printf '\\0' >> "$SEEN/arguments"; fi
"""


def is_sendable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


SENDABLE = [text for _, text in hostile_strings() if text and is_sendable(text)]
HOSTILE = [text for text in SENDABLE if len(text) < 5_000]
# Those of 1 MB with BATCHTUI_EXHAUSTIVE=1; not all in one body, for fish 3.6 takes no word over 16 MiB.
LONGEST = 2_000_000 if os.environ.get("BATCHTUI_EXHAUSTIVE") == "1" else 50_000
LONG = [text for text in SENDABLE if 5_000 <= len(text) <= LONGEST]


class Shell:
    """A shell in whose PATH curl is a script that writes down its arguments."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.seen = directory / "arguments"
        self.script = directory / "script"
        self.working_directory = directory / "work"
        tools, home = directory / "bin", directory / "home"
        for folder in (tools, home, self.working_directory):
            folder.mkdir()
        (tools / "curl").write_text(FAKE_CURL)
        (tools / "curl").chmod(0o755)
        self.environment = {
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "SEEN": str(directory),
            "CLOUDFLARE_API_TOKEN": TOKEN,
            "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
        }

    def run(self, commands: str, locale: str = "C.UTF-8") -> list[str]:
        """What curl was given, word by word, over all commands; nothing else may be said or made."""
        self.seen.unlink(missing_ok=True)
        self.script.write_text(commands)
        done = subprocess.run(
            [self.name, str(self.script)],
            env=self.environment | {"LC_ALL": locale},
            cwd=self.working_directory,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert list(self.working_directory.iterdir()) == []
        return self.seen.read_bytes().decode().split("\0")[:-1]


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    return Shell(request.param, tmp_path)


class TestInEveryShell:
    def test_the_words_that_curl_gets(self, shell: Shell) -> None:
        batch = make_batch(['it\'s "a" \\ $HOME `id` !! \n', "b"], reference="r")
        words = shell.run(export(make_job(batch, backend="cloudflare"), batch, None, None, "curl"))
        url = f"{BASE}/{ACCOUNT}/ai/run/@cf/baai/bge-m3?queueRequest=true"
        headers = ["-H", f"Authorization: Bearer {TOKEN}", "-H", "Content-Type: application/json"]
        submit, collect = words[: len(words) // 2], words[len(words) // 2 :]
        assert submit[:6] == collect[:6] == [url, *headers, "--data-raw"]
        assert json.loads(submit[6]) == json.loads(encode_batch(batch.requests))
        assert json.loads(collect[6]) == json.loads(encode_collect("abc"))

    @pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
    def test_hostile_texts(self, shell: Shell, locale: str) -> None:
        for start in range(0, len(HOSTILE), 40):
            batch = make_batch(HOSTILE[start : start + 40], query=HOSTILE[start])
            words = shell.run(write_curl(make_job(batch), batch), locale)
            assert json.loads(words[6]) == json.loads(encode_batch(batch.requests))

    def test_long_hostile_texts(self, shell: Shell) -> None:
        for start in range(0, len(LONG), 4):
            batch = make_batch(LONG[start : start + 4])
            words = shell.run(write_curl(make_job(batch), batch))
            body = words[7 if words[5] == "--data-binary" else 6]
            assert json.loads(body) == json.loads(encode_batch(batch.requests))

    def test_every_pair_of_characters_that_shells_know(self, shell: Shell) -> None:
        special = "'\"\\$`!%#~*?[]{}()<>|;&=^@, \t\n\r\0\x1babu0"
        batch = make_batch([first + second for first in special for second in special])
        words = shell.run(write_curl(make_job(batch), batch))
        assert json.loads(words[6]) == json.loads(encode_batch(batch.requests))

    def test_a_body_longer_than_an_argument_may_be(self, shell: Shell) -> None:
        batch = make_batch(["it's \\ 日本 %s %d\n" * 200] * 100)
        commands = write_curl(make_job(batch), batch)
        assert len(commands) > 2 * LONGEST_ARGUMENT_BYTES
        words = shell.run(commands)
        assert words[5:7] == ["--data-binary", "@-"]
        assert json.loads(words[7]) == json.loads(encode_batch(batch.requests))

    @pytest.mark.parametrize("request_id", [*HOSTILE[:10], "'; touch made; '", "\\' ; touch made; \\'"])
    def test_a_request_id_is_an_answer_and_not_trusted(self, shell: Shell, request_id: str) -> None:
        batch = make_batch(["a"])
        words = shell.run(write_curl(make_job(batch, backend="cloudflare", request_id=request_id), batch))
        assert json.loads(words[-1]) == {"request_id": request_id}

    @pytest.mark.parametrize("model", ["a'b", 'a"b', "$(touch made)", "a`touch made`", "a b?c#d", "日\x1b\\"])
    def test_a_model_is_not_trusted(self, shell: Shell, model: str) -> None:
        batch = Batch(make_batch(["a"]).requests, model)
        words = shell.run(write_curl(make_job(batch), batch))
        assert words[0].startswith(f"{BASE}/{ACCOUNT}/ai/run/")
        assert read_batches(write_curl(make_job(batch), batch).encode()).batch.model == model


@pytest.mark.parametrize("name", SHELLS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(min_size=1), min_size=1, max_size=20))
def test_any_text(name: str, texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    shell = Shell(name, tmp_path_factory.mktemp(name))
    batch = make_batch(texts)
    assert json.loads(shell.run(write_curl(make_job(batch), batch))[6]) == json.loads(
        encode_batch(batch.requests)
    )


class TestCommands:
    def test_the_token_is_named_and_never_written(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
        monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
        batch = make_batch(["a"])
        text = write_curl(make_job(batch), batch)
        assert TOKEN not in text
        assert ACCOUNT not in text
        assert text.count('"Authorization: Bearer $CLOUDFLARE_API_TOKEN"') == 2
        assert text.count("/accounts/$CLOUDFLARE_ACCOUNT_ID/") == 2

    def test_they_are_safe_to_print(self) -> None:
        batch = make_batch(HOSTILE)
        assert [
            place for place in dangerous_in(write_curl(make_job(batch), batch)) if "marks" not in place
        ] == []

    def test_the_body_has_no_quoting_that_shells_read_differently(self) -> None:
        word = quoted_json(json.dumps(["'", '"', "\\", "\\\\'", "a\\'b\"", "!"]).encode())
        inside = word[1:-1]
        assert not {"'", "!"} & set(inside)
        assert "\\\\" not in inside
        assert '\\"' not in inside

    def test_the_collect_of_a_local_job_has_a_place_to_fill_in(self) -> None:
        batch = make_batch(["a"])
        assert '{"request_id":"THE-REQUEST-ID-OF-THE-ANSWER"}' in write_curl(make_job(batch), batch)

    def test_a_model_that_takes_no_batches_is_run_request_by_request(self) -> None:
        requests = (Request("q", (Context("a"),)), Request("p", (Context("b"),)))
        batch = Batch(requests, "@cf/baai/bge-reranker-base", top_k=3)
        text = export(make_job(batch), batch, None, None, "curl")
        assert "queueRequest" not in text
        assert text.count("curl ") == 2
        assert read_batches(text.encode()).batch == batch

    def test_a_base_url_of_ones_own(self) -> None:
        batch = make_batch(["a"])
        over_http = write_curl(make_job(batch, backend="http://192.0.2.1:8787/client/v4"), batch)
        assert 'curl "http://192.0.2.1:8787/client/v4/accounts/$CLOUDFLARE_ACCOUNT_ID/ai/run/' in over_http
        assert "TOKEN" not in over_http
        assert "TOKEN" in write_curl(make_job(batch, backend="http://127.0.0.1:8787/client/v4"), batch)
        gateway = "https://gateway.ai.cloudflare.com/v1/a/g/workers-ai"
        assert f'curl "{gateway}/@cf/baai/bge-m3?' in write_curl(make_job(batch, backend=gateway), batch)

    def test_a_base_url_with_a_password_is_refused(self) -> None:
        batch = make_batch(["a"])
        with pytest.raises(EndpointError) as caught:
            write_curl(make_job(batch, backend="https://me:secret@example.com/v4"), batch)
        assert "secret" not in str(caught.value)
