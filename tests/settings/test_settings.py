"""Flag, environment and config file made into one Settings."""

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
    ["ftp://x", "clodflare", "http://user:word@host/x", "https://host/x?y=1", "://"],
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
