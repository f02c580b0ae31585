"""A way to a TCP port that can be shut: who comes meanwhile is let in and waits."""

from __future__ import annotations

import contextlib
import socket
import threading


class Doorway:
    """
    Stands before a port on loopback.

    A job that reads its data through a shut doorway is caught at work, for as long as a test needs, on any machine.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._is_open = threading.Event()
        self._is_open.set()
        self.n_knocks = 0
        threading.Thread(target=self._stand, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def shut(self) -> None:
        """Let nobody through who comes from now on."""
        self._is_open.clear()

    def open(self) -> None:
        """Let everybody through."""
        self._is_open.set()

    def close(self) -> None:
        """Stop listening."""
        self.open()
        self._listener.close()

    def _stand(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                caller, _ = self._listener.accept()
                self.n_knocks += 1
                threading.Thread(target=self._lead, args=(caller,), daemon=True).start()

    def _lead(self, caller: socket.socket) -> None:
        self._is_open.wait()
        with caller, socket.create_connection(("127.0.0.1", self._target)) as host:
            back = threading.Thread(target=_pump, args=(host, caller), daemon=True)
            back.start()
            _pump(caller, host)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):  # either side is gone
        while data := source.recv(2**16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
