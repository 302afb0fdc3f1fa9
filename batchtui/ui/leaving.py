"""Leaving when told from outside: a signal, or a terminal that went away."""

import asyncio
import os
import select
import signal
import sys
import threading
from collections.abc import Callable

# So long a screen that still hangs on a closed terminal is waited for, in seconds.
PATIENCE = 3.0
# 128 and the number of SIGHUP, which Windows has not.
HUNG_UP = 129


def leave_on_signals(leave: Callable[[int], None]) -> None:
    """Have `leave` called with the exit status in the running event loop on a signal that ends a program."""
    if sys.platform == "win32":
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        loop.add_signal_handler(number, leave, 128 + number)


def leave_with_the_terminal(leave: Callable[[], None]) -> None:
    """Watch the terminal beside the screen: when it is gone, `leave` is called, and then the process ends.

    Without it a program whose terminal was closed without a signal would read its end for ever.
    """
    if sys.platform == "win32":
        return

    def watch() -> None:
        gone = select.poll()
        gone.register(0, 0)
        gone.poll()
        threading.Thread(target=leave, daemon=True).start()
        threading.Event().wait(PATIENCE)
        # The writer of a closed terminal may be stuck for good; all that matters is in the store.
        os._exit(HUNG_UP)

    threading.Thread(target=watch, name="terminal", daemon=True).start()
