"""Where Workers AI is: base URL, account and token, and the URLs of its calls."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from batchtui.workers_ai.secret import SHORTEST_MASKED, Secret

CLOUDFLARE_BASE_URL = "https://api.cloudflare.com/client/v4"

# Narrower than RFC 3986, so that no two parsers can differ on which host a token goes to.
_BASE_URL = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:/[a-z0-9._~@%+-]+)*/*",
    re.IGNORECASE | re.ASCII,
)


class EndpointError(ValueError):
    """A base URL, account or model of which no safe URL can be made."""


@dataclass(frozen=True)
class Endpoint:
    """A base URL (`https://api.cloudflare.com/client/v4` or one that speaks the same), an account, a token.

    A base URL whose path has the part `workers-ai` is an AI Gateway's: the model stands right behind it.
    Raises EndpointError for a base URL that is no plain http or https URL; for one that is not on this
    machine, where a token would go without https or is too short to be masked; and for an account that is
    missing or not printable ASCII.
    """

    base_url: str
    account_id: str
    token: Secret | None = None

    def __post_init__(self) -> None:
        if not _is_plain(self.base_url):
            raise EndpointError(
                f"The base URL {_without_secrets(self.base_url)!r} is not usable: write it as "
                f"{CLOUDFLARE_BASE_URL}, without a user name, a query or a fragment."
            )
        try:
            _ = urlsplit(self.base_url).port
        except ValueError:
            raise EndpointError(f"The base URL {self.base_url!r} has a port over 65535.") from None
        if self.token is not None and not self.loopback:
            if urlsplit(self.base_url).scheme.lower() != "https":
                raise EndpointError(
                    f"The base URL {self.base_url!r} would send the API token in the clear: use https."
                )
            if not self.token.maskable:
                raise EndpointError(
                    f"The API token has fewer than {SHORTEST_MASKED} characters, too few to be masked where "
                    f"{self.host} echoes it: copy the whole token."
                )
        if not self.gateway and (not self.account_id or self.account_id in (".", "..")):
            raise EndpointError("The account ID is missing: set CLOUDFLARE_ACCOUNT_ID.")
        if not is_account(self.account_id):
            raise EndpointError(
                "The account ID holds a space or a character that is not printable ASCII: copy it again."
            )

    @property
    def host(self) -> str:
        """Host, and port where it is given."""
        return urlsplit(self.base_url).netloc

    @property
    def loopback(self) -> bool:
        """Whether the base URL is on this machine."""
        name = urlsplit(self.base_url).hostname or ""
        if name == "localhost":
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False

    @property
    def gateway(self) -> bool:
        """Whether the base URL is an AI Gateway's."""
        return "workers-ai" in urlsplit(self.base_url).path.split("/")

    def run_url(self, model: str, *, queue: bool) -> str:
        """The URL that runs `model`, as a batch or at once; raises EndpointError for no model's name."""
        if not model or _has_dot_segment(model) or "" in model.split("/"):
            raise EndpointError(f"{model!r} is not the name of a model.")
        try:
            name = quote(model, safe="/@")
        except UnicodeEncodeError:
            raise EndpointError(f"{model!r} is not the name of a model.") from None
        ahead = "" if self.gateway else f"/accounts/{self._account}/ai/run"
        return f"{self.base_url.rstrip('/')}{ahead}/{name}{'?queueRequest=true' if queue else ''}"

    def models_url(self, *, page: int, per_page: int) -> str | None:
        """The URL of one page of the list of models; None for an AI Gateway, which has none."""
        if self.gateway:
            return None
        base = self.base_url.rstrip("/")
        return f"{base}/accounts/{self._account}/ai/models/search?page={page}&per_page={per_page}"

    @property
    def _account(self) -> str:
        return quote(self.account_id, safe="")


def is_account(account_id: str) -> bool:
    """Whether a URL can hold the account ID, which is printable ASCII without spaces."""
    return re.fullmatch("[!-~]*", account_id) is not None


def _is_plain(url: str) -> bool:
    try:
        path = urlsplit(url).path
    except ValueError:
        # What is in brackets is no address.
        return False
    return _BASE_URL.fullmatch(url) is not None and not _has_dot_segment(path)


def _without_secrets(url: str) -> str:
    shown = re.sub(r"^(https?:/*)?.*@", r"\1***@", url, flags=re.DOTALL | re.IGNORECASE)
    return re.split("[?#]", shown, maxsplit=1)[0]


def _has_dot_segment(path: str) -> bool:
    return any(segment.replace("%2e", ".").replace("%2E", ".") in (".", "..") for segment in path.split("/"))
