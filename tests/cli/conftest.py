"""Every test of the commands begins as a new user."""

from pathlib import Path

import pytest

from .support import User


@pytest.fixture
def user(tmp_path: Path) -> User:
    """A user with an empty home."""
    home = tmp_path / "home"
    home.mkdir()
    return User(home)
