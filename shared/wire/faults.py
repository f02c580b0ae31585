"""The error body: one object with a code, a message and details."""

from __future__ import annotations

from dataclasses import dataclass

from shared.wire.reading import Body


@dataclass(frozen=True)
class Fault:
    """The protocol's error body; `details` is never empty on the wire."""

    code: str
    message: str
    details: tuple[tuple[str, str], ...] = ()

    def to_wire(self) -> Body:
        """Write `{"error": {code, message, details: [{code, message}]}}`."""
        details = self.details or ((self.code, self.message),)
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "details": [{"code": code, "message": message} for code, message in details],
            }
        }

    @classmethod
    def from_wire(cls, body: object) -> Fault:
        """Read an error body; anything shaped otherwise becomes a fault that says so."""
        error = body.get("error") if isinstance(body, dict) else None
        if not isinstance(error, dict):
            return cls("", "the answer holds no error body of the protocol")
        details = error.get("details")
        raw = details if isinstance(details, list) else []
        pairs = tuple((str(d.get("code") or ""), str(d.get("message") or "")) for d in raw if isinstance(d, dict))
        return cls(str(error.get("code") or ""), str(error.get("message") or ""), pairs)

    @property
    def detail_code(self) -> str:
        """The first detail's code, which is the specific one; else the general code."""
        return self.details[0][0] if self.details and self.details[0][0] else self.code

    def sentence(self) -> str:
        """Join message and details for a person."""
        return " ".join(part for part in (self.message, *(text for _, text in self.details)) if part)
