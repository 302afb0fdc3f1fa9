"""Flag, environment and config file made into one Settings."""

import os
import pwd
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from batchtui import settings
from batchtui.settings import SettingsError, credentials_missing, load, set_theme

ACCOUNT = {"CLOUDFLARE_ACCOUNT_ID": "abc", "CLOUDFLARE_API_TOKEN": "token-1234567890"}


@pytest.fixture(autouse=True)
def config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    path = settings.locate().config_file
    path.parent.mkdir(parents=True)
    return path


def test_the_backend_is_local_without_credentials_and_cloudflare_with_both() -> None:
    assert load(environment={}).backend == "local"
    assert load(environment={"CLOUDFLARE_ACCOUNT_ID": "abc"}).backend == "local"
    assert load(environment=ACCOUNT).backend == "cloudflare"


def test_a_flag_beats_the_environment_which_beats_the_config_file(config_file: Path) -> None:
    config_file.write_text('backend = "http://127.0.0.1:1/client/v4"')
    environment = {"BATCHTUI_BACKEND": "http://127.0.0.1:2/client/v4"}
    assert load("local", environment).backend == "local"
    assert load(None, environment).backend == "http://127.0.0.1:2/client/v4"
    assert load(None, {}).backend == "http://127.0.0.1:1/client/v4"


@pytest.mark.parametrize("name", ["CLOUDFLARE_BASE_URL", "CLOUDFLARE_API_BASE_URL"])
def test_the_base_url_goes_by_both_names(name: str) -> None:
    loaded = load(environment=ACCOUNT | {name: "https://gateway.example/v1/a/b/workers-ai/"})
    assert loaded.base_url == "https://gateway.example/v1/a/b/workers-ai"


@pytest.mark.parametrize(
    "backend",
    ["ftp://x", "clodflare", "http://user:word@host/x", "https://host/x?y=1", "://", "http://[:::]/x"],
)
def test_a_backend_that_is_none_is_refused_with_what_it_may_be(backend: str) -> None:
    with pytest.raises(SettingsError, match="backend"):
        load(backend, {})


def test_a_token_is_never_sent_in_the_clear() -> None:
    with pytest.raises(SettingsError, match="https"):
        load("http://example.com/client/v4", ACCOUNT)
    assert load("http://127.0.0.1:8787/client/v4", ACCOUNT).token is not None


def test_a_token_that_no_header_can_hold_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError) as refused:
        load(environment=ACCOUNT | {"CLOUDFLARE_API_TOKEN": "secret\nword"})
    assert "secret" not in str(refused.value) and "CLOUDFLARE_API_TOKEN" in str(refused.value)


@pytest.mark.parametrize("account_id", ["ac\udcff", "a b", "é"])
def test_an_account_id_that_no_url_can_hold_is_refused_with_its_place(
    account_id: str, config_file: Path
) -> None:
    with pytest.raises(SettingsError, match="CLOUDFLARE_ACCOUNT_ID"):
        load(environment={"CLOUDFLARE_ACCOUNT_ID": account_id})
    config_file.write_text("account_id = 'é'")
    with pytest.raises(SettingsError, match="account_id") as refused:
        load(environment={})
    assert str(config_file) in str(refused.value)


def test_a_token_too_short_to_be_masked_is_for_this_machine_alone() -> None:
    short = ACCOUNT | {"CLOUDFLARE_API_TOKEN": "tok1234"}
    with pytest.raises(SettingsError, match="copy the whole token") as refused:
        load(environment=short)
    assert "tok1234" not in str(refused.value)
    assert load("http://127.0.0.1:8787/client/v4", short).token is not None


def test_the_token_shows_itself_nowhere() -> None:
    loaded = load(environment=ACCOUNT)
    assert ACCOUNT["CLOUDFLARE_API_TOKEN"] not in f"{loaded!r} {loaded} {loaded.token}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("backend = ", "is not TOML"),
        ("colour = 1", "colour"),
        ("scorer = 'best'", "scorer"),
        ("calls_per_minute = 0", "calls_per_minute"),
        ("latency = -1", "latency"),
        pytest.param("calls_per_minute = 1" + "0" * 400, "calls_per_minute", id="a large number"),
        pytest.param("calls_per_minute = 1" + "0" * 5000, "is not TOML", id="a number of 5,001 digits"),
        pytest.param("theme = " + "[" * 5000, "nested too deep", id="a deep array"),
        pytest.param("#" * 1_000_001, "larger than 1 MB", id="a large file"),
        ("model_path = '~nosuchuser/x'", "model_path"),
        ("api_token = 'x'", "does not belong in a file"),
    ],
)
def test_a_bad_config_file_is_told_with_its_path(config_file: Path, text: str, told: str) -> None:
    config_file.write_text(text)
    with pytest.raises(SettingsError) as refused:
        load(environment={})
    assert told in str(refused.value) and str(config_file) in str(refused.value)


def test_a_config_file_that_is_not_utf8_or_no_file_is_told(config_file: Path) -> None:
    config_file.write_bytes(b"model = '\xff'")
    with pytest.raises(SettingsError, match="UTF-8"):
        load(environment={})
    config_file.unlink()
    config_file.mkdir()
    with pytest.raises(SettingsError, match="can't be read"):
        load(environment={})


class TestAConfigFileThatOthersMayHaveWritten:
    """It says where the token goes, so it is read only where nobody else can have written it."""

    @pytest.fixture(autouse=True)
    def backend(self, config_file: Path) -> None:
        config_file.write_text("latency = 2")

    def refused(self) -> str:
        with pytest.raises(SettingsError) as refused:
            load(environment={})
        return str(refused.value)

    @pytest.mark.parametrize("mode", [0o666, 0o602])
    def test_is_refused_with_the_command_that_mends_it(self, config_file: Path, mode: int) -> None:
        config_file.chmod(mode)
        told = self.refused()
        assert str(config_file) in told and "writable by other users" in told
        mend = told.partition("`")[2].removesuffix("`")
        subprocess.run(shlex.split(mend), check=True)
        assert load(environment={}).latency == 2

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
    def test_is_refused_where_it_belongs_to_another_user(self, config_file: Path) -> None:
        os.chown(config_file, pwd.getpwnam("nobody").pw_uid, -1)
        told = self.refused()
        assert str(config_file) in told and "belongs to another user" in told
        mend = told.partition("`")[2].removesuffix("`").removeprefix("sudo ")
        subprocess.run(["sh", "-c", mend], check=True)
        assert load(environment={}).latency == 2

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another group")
    def test_may_be_written_by_a_group_of_this_user_alone(self, config_file: Path) -> None:
        config_file.chmod(0o664)
        assert load(environment={}).latency == 2
        os.chown(config_file, -1, pwd.getpwnam("nobody").pw_gid)
        assert "writable by other users" in self.refused()

    def test_is_looked_at_behind_a_symbolic_link(self, config_file: Path, tmp_path: Path) -> None:
        kept = tmp_path / "dot files.toml"
        config_file.rename(kept)
        config_file.symlink_to(kept)
        assert load(environment={}).latency == 2
        kept.chmod(0o666)
        assert "writable by other users" in self.refused()


@pytest.mark.parametrize("kind", ["pipe", "endless device", "directory"])
def test_a_config_file_that_is_no_plain_file_is_told_at_once(kind: str, config_file: Path) -> None:
    if kind == "pipe":
        os.mkfifo(config_file)
    elif kind == "directory":
        config_file.mkdir()
    else:
        config_file.symlink_to("/dev/zero")
    command = [sys.executable, "-m", "batchtui", "jobs"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"batchtui: {config_file} can't be read")


def test_what_credentials_are_missing_is_named() -> None:
    assert "CLOUDFLARE_API_TOKEN is not set" in str(
        credentials_missing(load("cloudflare", {"CLOUDFLARE_ACCOUNT_ID": "a"}))
    )
    assert credentials_missing(load(environment=ACCOUNT)) is None


def test_the_theme_is_written_with_all_else_kept(config_file: Path) -> None:
    config_file.write_text("# mine\nlatency = 1.5  # slow\n")
    set_theme(config_file, "nord")
    assert config_file.read_text() == '# mine\nlatency = 1.5  # slow\ntheme = "nord"\n'
    assert load(environment={}).theme == "nord"
    assert config_file.stat().st_mode & 0o777 == 0o600
