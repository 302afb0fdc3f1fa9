"""uvicorn's HTTP/1.1 connection, which waits for ever neither for a request nor for an answer to be read."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from batchtui.emulator.answers import error_envelope
from batchtui.emulator.errors import MISSING_BODY, AnswerError

REQUEST_SECONDS = 15.0
# Above uvicorn's limit, which still answers; beyond this even an answer costs too much.
MOST_OPEN = 1_200


class Connection(H11Protocol):
    """Closes where the head of a request, or a body nobody reads any more, takes too long to come.

    It is dropped where a piece of an answer takes too long to leave: an answer comes in pieces.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._patience: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_OPEN:
            transport.abort()
            return
        # Writing is paused as long as anything is left to be read, however little.
        transport.set_write_buffer_limits(high=0)
        self._wait_for_request()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._answering():
            self._stop_waiting()
        else:
            self._wait_for_request()

    def send_400_response(self, msg: str) -> None:
        """Tell in the API's own envelope what is no HTTP; where an answer was given already, only close."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = error_envelope(AnswerError(MISSING_BODY, detail=msg))
            head = [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
            ]
            for event in (
                h11.Response(status_code=400, headers=head, reason=b"Bad Request"),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _should_upgrade(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._is_read()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        self._is_read()
        super().resume_writing()

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _wait_for_request(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(REQUEST_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._patience = None
        if not self._answering():
            self.transport.close()
