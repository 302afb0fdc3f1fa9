"""`batchtui locate`."""

from batchtui.settings import Settings
from batchtui.text import one_line


def locate(settings: Settings) -> int:
    """Print where config, data and log lie, one a line."""
    locations = settings.locations
    for name, path in (
        ("config", locations.config_file),
        ("data", locations.database),
        ("emulator", locations.emulator_database),
        ("log", locations.log_file),
    ):
        print(f"{name:<9} {one_line(str(path))}")
    return 0
