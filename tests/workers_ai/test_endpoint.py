"""Where the token may go, and the URLs that are made."""

import subprocess
import sys

import pytest

from batchtui.workers_ai.endpoint import CLOUDFLARE_BASE_URL, Endpoint, EndpointError
from batchtui.workers_ai.secret import Secret

from .raw_server import TOKEN


class TestTheBaseUrl:
    @pytest.mark.parametrize(
        "base_url",
        [
            CLOUDFLARE_BASE_URL,
            f"{CLOUDFLARE_BASE_URL}/",
            "HTTPS://API.Cloudflare.com/client/v4",
            "https://gateway.ai.cloudflare.com/v1/0123abc/my-gateway/workers-ai",
            "http://127.0.0.1:8787/client/v4",
            "http://localhost:8787/client/v4",
            "http://[::1]:8787/client/v4",
            "https://xn--bcher-kva.example",
        ],
    )
    def test_may_take_a_token(self, base_url: str) -> None:
        assert Endpoint(base_url, "acc", Secret(TOKEN)).base_url == base_url

    @pytest.mark.parametrize(
        "base_url",
        [
            "http://api.cloudflare.com/client/v4",
            "http://192.168.0.7:8787",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://0.0.0.0:8787",
            "http://2130706433",
        ],
    )
    def test_without_https_takes_none_off_this_machine(self, base_url: str) -> None:
        with pytest.raises(EndpointError, match="use https") as caught:
            Endpoint(base_url, "acc", Secret(TOKEN))
        assert TOKEN not in str(caught.value)
        assert Endpoint(base_url, "acc").token is None

    @pytest.mark.parametrize(
        "base_url",
        [
            "",
            "api.cloudflare.com/client/v4",
            "ftp://api.cloudflare.com",
            "https://",
            "https:///client/v4",
            "https://user:hunter2@api.cloudflare.com",
            "http://127.0.0.1\\@evil.example",
            "http://127.0.0.1:8787@evil.example/",
            "http://127.0.0.1#@evil.example/",
            "https://api.cloudflare.com/client/v4?key=hunter2",
            "https://api.cloudflare.com/client/v4#x",
            "https://api.cloudflare.com/../x",
            "https://api.cloudflare.com/%2e%2E/x",
            "https://api.cloudflare.com:99999",
            "https://api.cloudflare.com/a b",
            "https://api.cloudflare.com\n",
            "https://аpi.cloudflare.com",
            " https://api.cloudflare.com",
            "http://[:::]/x",
            "http://[1.2.3.4]/x",
            "https:/user:hunter2@api.cloudflare.com/x",
            "user:hunter2@api.cloudflare.com/x",
            "https://user:hunter2\n@api.cloudflare.com/x",
            "https://user:hun#ter2?hunter2@api.cloudflare.com/x",
            "https://api.cloudflare.com/#hunter2",
            "https://hunter2@evil.example/@cf",
        ],
    )
    def test_that_is_no_plain_url_is_refused(self, base_url: str) -> None:
        with pytest.raises(EndpointError, match="base URL") as caught:
            Endpoint(base_url, "acc")
        assert "hunter2" not in str(caught.value)

    def test_that_is_refused_is_shown_as_far_as_it_holds_no_secret(self) -> None:
        for given, shown in (
            ("https://user:hunter2@api.example:80/x?key=hunter2", "'https://***@api.example:80/x'"),
            ("ftp://api.example/x#hunter2", "'ftp://api.example/x'"),
        ):
            with pytest.raises(EndpointError) as caught:
                Endpoint(given, "acc")
            assert shown in str(caught.value)


class TestTheAccount:
    @pytest.mark.parametrize("account_id", ["", ".", ".."])
    def test_is_needed(self, account_id: str) -> None:
        with pytest.raises(EndpointError, match="CLOUDFLARE_ACCOUNT_ID"):
            Endpoint(CLOUDFLARE_BASE_URL, account_id)

    @pytest.mark.parametrize("account_id", ["ac\udcff", "a b", "a\n", "é", "\0"])
    def test_that_no_url_can_hold_is_refused(self, account_id: str) -> None:
        with pytest.raises(EndpointError, match="account ID"):
            Endpoint(CLOUDFLARE_BASE_URL, account_id)

    def test_is_not_needed_behind_an_ai_gateway(self) -> None:
        endpoint = Endpoint("https://gateway.ai.cloudflare.com/v1/acc/gw/workers-ai", "")
        assert endpoint.run_url("@cf/x", queue=False) == f"{endpoint.base_url}/@cf/x"
        assert endpoint.models_url(page=1, per_page=1) is None

    def test_stays_one_part_of_the_path(self) -> None:
        url = Endpoint("https://api.example", "a/../b?c").run_url("m", queue=True)
        assert url == "https://api.example/accounts/a%2F..%2Fb%3Fc/ai/run/m?queueRequest=true"


class TestTheToken:
    @pytest.mark.parametrize(
        ("value", "word"),
        [
            (f"{TOKEN}\n", "a line break"),
            (f"{TOKEN}\r\nX-Other: 1", "a line break"),
            (f" {TOKEN}", "a space"),
            (f"{TOKEN}é", "not printable ASCII"),
            (f"{TOKEN}\x00", "not printable ASCII"),
            (f"{TOKEN}\ud800", "not printable ASCII"),
            ("", "empty"),
        ],
    )
    def test_that_cannot_be_sent_is_refused_and_not_shown(self, value: str, word: str) -> None:
        with pytest.raises(ValueError, match=word) as caught:
            Secret(value)
        assert TOKEN not in str(caught.value)

    def test_shows_itself_only_when_asked(self) -> None:
        secret = Secret(TOKEN)
        endpoint = Endpoint(CLOUDFLARE_BASE_URL, "acc", secret)
        for text in (
            repr(secret),
            str(secret),
            f"{secret}",
            f"{secret!r:>40}",
            repr(endpoint),
            repr([secret]),
        ):
            assert "***" in text
            assert TOKEN not in text
        assert secret.reveal() == TOKEN

    def test_is_equal_to_itself_alone(self) -> None:
        assert Secret(TOKEN) == Secret(TOKEN)
        assert Secret(TOKEN) != Secret(TOKEN + "x")
        assert Secret(TOKEN) != TOKEN
        assert len({Secret(TOKEN), Secret(TOKEN)}) == 1

    def test_that_is_too_short_to_be_masked_goes_nowhere_but_to_this_machine(self) -> None:
        with pytest.raises(EndpointError, match="copy the whole token") as caught:
            Endpoint(CLOUDFLARE_BASE_URL, "acc", Secret("tok1234"))
        assert "tok1234" not in str(caught.value)
        assert Endpoint(CLOUDFLARE_BASE_URL, "acc", Secret("tok12345")).token is not None
        assert Endpoint("http://localhost:8787", "acc", Secret("t")).token is not None

    def test_is_masked_in_texts_unless_it_could_be_a_word(self) -> None:
        assert Secret(TOKEN).mask(f"a {TOKEN} b {TOKEN}") == "a *** b ***"
        assert Secret(TOKEN).mask_bytes(f"a {TOKEN}".encode()) == b"a ***"
        assert Secret("a").mask("banana") == "banana"
        assert Secret("a").mask_bytes(b"banana") == b"banana"


def test_nothing_heavy_is_imported_before_the_first_call() -> None:
    code = (
        "import sys, batchtui.workers_ai.client as client\n"
        "client.WorkersAI(client.Endpoint('https://api.example', 'acc'))\n"
        "print(sorted({'httpx', 'httpcore', 'textual', 'starlette', 'anyio'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
