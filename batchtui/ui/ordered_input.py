"""Keys in the order in which they were typed, also for who types faster than widgets take them up."""

import sys
from collections import deque
from itertools import takewhile

from textual import events
from textual.app import App
from textual.driver import Driver
from textual.message_pump import MessagePump
from textual.timer import Timer

# What a key does may post a message, whose handler moves the focus: that is two rounds through the queues.
ROUNDS = 2
# A widget that goes away takes what waits in its queue along; so long is waited for it, in seconds.
LONGEST = 3
# The name of the key that stands for many; nothing is bound to it.
RUN = "typed_text"


class OrderedInputApp(App[None]):
    """Hands over one key or paste at a time: the next waits until the last one has had its effect.

    Textual forwards each key to the widget that has the focus when it arrives, and runs priority bindings at
    once, so that of a quickly typed `text, Enter, text, ctrl+s` the second text and the submit come too soon.
    Text that waits goes as one: a terminal without bracketed paste types what is pasted.
    """

    def __init__(self) -> None:
        super().__init__()
        self._typed: deque[events.Event] = deque()
        self._handing_over = 0
        self._patience: Timer | None = None

    def get_driver_class(self) -> type[Driver]:
        """Textual's choice, but one that takes any bytes where it would take only UTF-8."""
        driver = super().get_driver_class()
        if sys.platform == "win32":
            return driver
        from textual.drivers.linux_driver import LinuxDriver

        from batchtui.ui.terminal_input import TerminalDriver

        return TerminalDriver if driver is LinuxDriver else driver

    async def on_event(self, event: events.Event) -> None:
        """Queue what was typed; all else goes its way."""
        if not isinstance(event, (events.Key, events.Paste)) or event.is_forwarded:
            await super().on_event(event)
            return
        self._typed.append(event)
        if len(self._typed) == 1 and not self._patience:
            await self._hand_over()

    async def _hand_over(self) -> None:
        if self._patience:
            self._patience.stop()
            self._patience = None
        if not self._typed:
            return
        event = self._next()
        target = self.focused or self.screen
        self._handing_over += 1
        turn = self._handing_over
        self._patience = self.set_timer(LONGEST, lambda: self._passed((), turn))
        await super().on_event(event)
        way: tuple[MessagePump, ...] = (*target.ancestors_with_self,)
        self._passed(way * ROUNDS, turn)

    def _next(self) -> events.Event:
        """The first of what waits; where the focus takes it as text, with all text right behind it."""
        texts = [*takewhile(bool, map(self._as_text, self._typed))]
        if len(texts) < 2:
            return self._typed.popleft()
        for _ in texts:
            self._typed.popleft()
        return events.Key(RUN, "".join(texts))

    def _as_text(self, event: events.Event) -> str:
        """What the key writes into the field that has the focus; empty where it does anything else."""
        if not (isinstance(event, events.Key) and event.character and event.is_printable):
            return ""
        if self.focused is None or not self.focused.check_consume_key(event.key, event.character):
            return ""
        chain = self.screen._binding_chain
        bound = (one for _, bindings in chain for one in bindings.key_to_bindings.get(event.key, ()))
        return "" if any(binding.priority for binding in bound) else event.character

    def _passed(self, way: tuple[MessagePump, ...], turn: int) -> None:
        """Go through the queues that the key goes through; at the end of the way comes the next key."""
        if turn != self._handing_over:
            return
        for place, pump in enumerate(way):
            if pump.call_later(self._passed, way[place + 1 :], turn):
                return
        self.call_later(self._hand_over)
