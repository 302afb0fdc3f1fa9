"""Config file, environment and flags made into one Settings; where files live."""

import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from batchtui.files import expanded
from batchtui.model import DEFAULT_MODEL
from batchtui.workers_ai.endpoint import CLOUDFLARE_BASE_URL, Endpoint, EndpointError, is_account
from batchtui.workers_ai.secret import Secret

KEYRING_SERVICE = "batchtui"
# An emulator takes any account; this one is sent where the person named none.
ANY_ACCOUNT = "local"

LOCAL = "local"
Embedder = Literal["BAAI/bge-m3", "sentence-transformers/all-MiniLM-L6-v2"]
CLOUDFLARE = "cloudflare"
LARGEST_CONFIG = 1_000_000


class SettingsError(Exception):
    """A setting that can't be used; the text names the setting, its place and the remedy."""


class CredentialsError(SettingsError):
    """The backend needs an account ID and a token, and one of them is missing."""


class Locations(msgspec.Struct, frozen=True):
    """Where config, data and log lie."""

    config_file: Path
    data_directory: Path
    database: Path
    emulator_database: Path
    log_file: Path


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the person chose, from flags, environment and config file, in this order of weight.

    `backend` is `local`, `cloudflare` or a base URL. `latency` is what the local emulator waits, in seconds,
    before a batch runs and while it runs.
    """

    locations: Locations
    backend: str = LOCAL
    base_url: str = CLOUDFLARE_BASE_URL
    account_id: str | None = None
    token: Secret | None = None
    model: str = DEFAULT_MODEL
    scorer: Literal["lexical", "fastembed"] = "lexical"
    model_path: Path | None = None
    embedder: Embedder = "BAAI/bge-m3"
    latency: float = 0.4
    resubmit: Literal["ask", "always"] = "ask"
    calls_per_minute: int = 300
    linear_gain: bool = False
    theme: str | None = None
    keys: dict[str, str] = {}

    @property
    def backend_name(self) -> str:
        """The backend in a word or two, for the header."""
        if self.backend == LOCAL:
            return f"{LOCAL} · {self.scorer}"
        if self.backend == CLOUDFLARE:
            return CLOUDFLARE
        return urlsplit(self.backend).netloc


class _ConfigFile(msgspec.Struct, forbid_unknown_fields=True):
    backend: str | None = None
    base_url: str | None = None
    account_id: str | None = None
    keyring: bool = False
    model: str | None = None
    scorer: Literal["lexical", "fastembed"] | None = None
    model_path: str | None = None
    embedder: Embedder | None = None
    latency: float | None = None
    resubmit: Literal["ask", "always"] | None = None
    calls_per_minute: int | None = None
    linear_gain: bool | None = None
    theme: str | None = None
    keys: dict[str, str] = {}


def locate() -> Locations:
    """The places of this user's files; nothing is made or read."""
    from platformdirs import PlatformDirs

    places = PlatformDirs("batchtui", appauthor=False)
    data = Path(places.user_data_path)
    return Locations(
        config_file=Path(places.user_config_path) / "config.toml",
        data_directory=data,
        database=data / "batchtui.db",
        emulator_database=data / "emulator.db",
        log_file=Path(places.user_log_path) / "batchtui.log",
    )


def load(backend: str | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the config file and the environment; `backend` is the flag. Raises SettingsError."""
    locations = locate()
    config = _read_config(locations.config_file)
    account_id = _account_id(environment, config, locations.config_file)
    token = _token(environment, config, account_id)
    base_url = (
        _clean(environment.get("CLOUDFLARE_BASE_URL"))
        or _clean(environment.get("CLOUDFLARE_API_BASE_URL"))
        or config.base_url
        or CLOUDFLARE_BASE_URL
    )
    fallback = CLOUDFLARE if account_id and token else LOCAL
    chosen = backend or _clean(environment.get("BATCHTUI_BACKEND")) or config.backend or fallback
    if chosen == CLOUDFLARE:
        _check_url(base_url, "", token)
    elif chosen != LOCAL:
        _check_url(chosen, "The backend is local, cloudflare or a base URL: ", token)
    given: dict[str, Any] = {
        name: getattr(config, name)
        for name in (
            "model",
            "scorer",
            "embedder",
            "latency",
            "resubmit",
            "calls_per_minute",
            "linear_gain",
            "theme",
        )
        if getattr(config, name) is not None
    }
    return Settings(
        locations=locations,
        backend=chosen.rstrip("/"),
        base_url=base_url.rstrip("/"),
        account_id=account_id,
        token=token,
        model_path=_model_path(config, locations.config_file),
        keys=config.keys,
        **given,
    )


def credentials_missing(settings: Settings) -> str | None:
    """What keeps the `cloudflare` backend from being used, in a sentence; None where nothing does."""
    missing = [
        name
        for name, value in (
            ("CLOUDFLARE_ACCOUNT_ID", settings.account_id),
            ("CLOUDFLARE_API_TOKEN", settings.token),
        )
        if not value
    ]
    if not missing:
        return None
    verb = "is" if len(missing) == 1 else "are"
    return (
        f"Cloudflare needs credentials: {' and '.join(missing)} {verb} not set. "
        "Set them in the environment, or use --backend local."
    )


def set_theme(config_file: Path, theme: str) -> None:
    """Write the chosen theme into the config file, its comments and other settings kept. Raises OSError."""
    import tomlkit

    from batchtui.files import make_private_directory, write_atomically

    text = config_file.read_text("utf-8") if config_file.exists() else ""
    document = tomlkit.parse(text)
    document["theme"] = theme
    make_private_directory(config_file.parent)
    write_atomically(config_file.resolve(), tomlkit.dumps(document).encode())


def _clean(value: str | None) -> str | None:
    return value.strip() or None if value else None


def _account_id(environment: Mapping[str, str], config: _ConfigFile, config_file: Path) -> str | None:
    given = _clean(environment.get("CLOUDFLARE_ACCOUNT_ID"))
    account_id = given or config.account_id
    if account_id and not is_account(account_id):
        place = "CLOUDFLARE_ACCOUNT_ID" if given else f"{config_file}: `account_id`"
        raise SettingsError(
            f"{place} holds a space or a character that is not printable ASCII: copy the account ID again"
        )
    return account_id


def _model_path(config: _ConfigFile, config_file: Path) -> Path | None:
    try:
        return expanded(config.model_path) if config.model_path else None
    except OSError as error:
        raise SettingsError(
            f"{config_file}: `model_path`: {error.strerror}; write the directory's path in full"
        ) from None


def _token(environment: Mapping[str, str], config: _ConfigFile, account_id: str | None) -> Secret | None:
    if given := _clean(environment.get("CLOUDFLARE_API_TOKEN")):
        return _secret(given, "CLOUDFLARE_API_TOKEN")
    if not config.keyring or not account_id:
        return None
    try:
        import keyring
    except ImportError:
        raise SettingsError(
            "keyring = true in the config file needs the keyring package: pip install 'batchtui[keyring]'"
        ) from None
    try:
        kept = keyring.get_password(KEYRING_SERVICE, account_id)
    except Exception as error:
        raise SettingsError(
            f"The system's keyring can't be read ({type(error).__name__}): unlock it, "
            "or set CLOUDFLARE_API_TOKEN"
        ) from None
    return _secret(kept, "the keyring") if kept else None


def _secret(value: str, place: str) -> Secret:
    try:
        return Secret(value)
    except ValueError as error:
        raise SettingsError(f"{place}: {error}") from None


def _check_url(url: str, ahead: str, token: Secret | None) -> None:
    try:
        Endpoint(url, ANY_ACCOUNT, token)
    except EndpointError as error:
        raise SettingsError(f"{ahead}{error}") from None


def _read_config(path: Path) -> _ConfigFile:
    try:
        text = _config_bytes(path).decode("utf-8-sig")
    except FileNotFoundError:
        return _ConfigFile()
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise SettingsError(f"{path} can't be read: {error.strerror}") from None
    try:
        return _checked(tomllib.loads(text))
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {error}; see the README for its settings") from None
    except ValueError as error:
        raise SettingsError(f"{path} is not TOML: {error}") from None
    except RecursionError:
        raise SettingsError(f"{path} is not TOML: it is nested too deep") from None


def _config_bytes(path: Path) -> bytes:
    """What the file holds, which says where the token goes: so nobody else may write it. Raises OSError."""

    def without_waiting(name: str, flags: int) -> int:
        # A pipe that nobody writes to would block for ever.
        return os.open(name, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))

    # A link is followed: what it points to is looked at.
    with open(path, "rb", opener=without_waiting) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise SettingsError(f"{path} can't be read: it is no plain file; put one in its place")
        if hasattr(os, "geteuid"):
            _refuse_other_writers(path, status)
        data = file.read(LARGEST_CONFIG + 1)
    if len(data) > LARGEST_CONFIG:
        raise SettingsError(f"{path} is larger than 1 MB: take out what is no setting")
    return data


def _refuse_other_writers(path: Path, status: os.stat_result) -> None:
    import shlex

    named = shlex.quote(str(path))
    risk = "could send the API token anywhere: look through the file, then"
    if status.st_uid not in (os.geteuid(), 0):
        raise SettingsError(f'{path} belongs to another user, who {risk} `sudo chown "$(id -un)" {named}`')
    if status.st_mode & stat.S_IWOTH or (status.st_mode & stat.S_IWGRP and not _is_own_group(status.st_gid)):
        raise SettingsError(f"{path} is writable by other users, who {risk} `chmod go-w {named}`")


def _is_own_group(group_id: int) -> bool:
    """Whether this user alone is in the group, as where each has one of the same name and umask is 002."""
    import grp
    import pwd

    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(group_id)
    except KeyError:
        return False
    alone = not group.gr_mem or group.gr_mem == [user.pw_name]
    return alone and (group.gr_gid, group.gr_name) == (user.pw_gid, user.pw_name)


def _checked(document: dict[str, Any]) -> _ConfigFile:
    for name in document:
        if "token" in name.lower():
            raise msgspec.ValidationError(
                f"`{name}` does not belong in a file: set CLOUDFLARE_API_TOKEN, or keyring = true"
            )
    config = msgspec.convert(document, _ConfigFile)
    if config.calls_per_minute is not None and not 1 <= config.calls_per_minute <= 1_000_000:
        raise msgspec.ValidationError("`calls_per_minute` must be 1 to 1,000,000")
    if config.latency is not None and not 0 <= config.latency <= 3600:
        raise msgspec.ValidationError("`latency` must be 0 to 3600 seconds")
    return config
