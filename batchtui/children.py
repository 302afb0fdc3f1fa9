"""What a program that is started from here learns of the environment: nothing that may be a secret."""

from collections.abc import Mapping

SECRET_WORDS = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "API_KEY", "APIKEY", "ACCESS_KEY")
SECRET_BEGINNINGS = ("CLOUDFLARE_", "CF_", "BATCHTUI_")


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what may be a secret: by its name, or as a URL with a user in it."""
    return {
        name: value
        for name, value in environment.items()
        if not name.upper().startswith(SECRET_BEGINNINGS)
        and not any(word in name.upper() for word in SECRET_WORDS)
        and "@" not in value.partition("://")[2]
    }
