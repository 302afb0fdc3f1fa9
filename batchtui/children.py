"""What a program that is started from here learns of the environment: nothing that may be a secret."""

from collections.abc import Mapping

SECRET_WORDS = (
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "CREDENTIAL",
    "API_KEY",
    "APIKEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
)
OUR_TOKEN = "CLOUDFLARE_API_TOKEN"
# A shorter token may stand by chance in any value.
SHORTEST_FOUND = 8
SECRET_BEGINNINGS = ("CLOUDFLARE_", "CF_", "BATCHTUI_")


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what may be a secret: by its name, or by its value.

    A value is one as a URL or proxy with a user in it, or where it holds the token, whatever its name.
    """
    token = environment.get(OUR_TOKEN, "")
    return {
        name: value
        for name, value in environment.items()
        if not name.upper().startswith(SECRET_BEGINNINGS)
        and not any(word in name.upper() for word in SECRET_WORDS)
        and "@" not in (value if name.upper().endswith("_PROXY") else value.partition("://")[2])
        and not (len(token) >= SHORTEST_FOUND and token in value)
    }
