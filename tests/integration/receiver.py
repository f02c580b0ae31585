"""A webhook's other end: a small real HTTP server that notes what it was sent and can be told to misbehave."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.tools.local_server import LocalServer, QuietHandler


@dataclass
class Receiver(LocalServer):
    """Answers with the statuses given, then 204; a 302 leads to itself."""

    statuses: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        LocalServer.__init__(self, _Handler, receiver=self)
        self.url += "/hook/with-a-secret-path"


class _Handler(QuietHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        self.receiver.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.receiver.headers.append(dict(self.headers))
        status = self.receiver.statuses.pop(0) if self.receiver.statuses else 204
        self.send_response(status)
        self.send_header("Location", self.receiver.url)
        self.send_header("Content-Length", "0")
        self.end_headers()
