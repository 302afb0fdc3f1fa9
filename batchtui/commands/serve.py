"""`batchtui serve`."""

import argparse

from batchtui.settings import Settings, SettingsError


def serve(namespace: argparse.Namespace, settings: Settings) -> int:
    """Run the emulator over HTTP until it is interrupted; its base URL is the first line of output."""
    from batchtui import logs
    from batchtui.emulator import server
    from batchtui.emulator.errors import EmulatorError
    from batchtui.emulator.options import from_arguments
    from batchtui.files import make_private_directory

    logs.start(settings.locations.log_file)
    directory = settings.locations.data_directory
    make_private_directory(directory)
    options = from_arguments(namespace, directory / f"serve-{namespace.scorer}.db")
    try:
        server.serve(options, namespace.host, namespace.port, lambda url: print(url, flush=True))
    except EmulatorError as error:
        raise SettingsError(str(error)) from None
    return 0
