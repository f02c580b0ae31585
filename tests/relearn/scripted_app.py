"""A small HTTP server with scripted answers in the place of the function app; it notes what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.tools.local_server import LocalServer, QuietHandler

KEY = "planted-function-key"


@dataclass
class Outcome:
    code: int
    out: str
    err: str


Relearn = Callable[..., Outcome]


@dataclass
class Asked:
    method: str
    path: str
    body: Any


@dataclass
class ScriptedApp(LocalServer):
    """Answers by `METHOD path`; whatever is not scripted is a 404 without a body, as the platform's are."""

    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        LocalServer.__init__(self, _Handler, app=self)


class _Handler(QuietHandler):
    app: ScriptedApp

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.app.asked.append(Asked(self.command, self.path, json.loads(body) if body else None))
        if self.headers.get("x-functions-key") != KEY:
            status, answer = 401, None
        else:
            status, answer = self.app.answers.get(f"{self.command} {self.path}", (404, None))
        data = b"" if answer is None else answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _handle  # noqa: N815 - the base class looks for these names
