"""The section `notify`: whom a model tells of its runs."""

from __future__ import annotations

from urllib.parse import urlsplit

from shared.declarations.section import Section
from shared.domain.lifecycle.notification import NEWS, Form, Notify
from shared.domain.lifecycle.runs import RunState
from shared.secret import Secret

_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_LEAST = 16  # characters of a secret


def read_notify(section: Section) -> Notify | None:
    """Read it; None where the model has no such section."""
    if not section.holds_table("notify"):
        return None
    notify = section.section("notify")
    url, secret = notify.secret("url"), notify.secret("secret")
    form = Form(notify.choice("form", [form.value for form in Form], Form.JSON.value))
    _check_address(notify, url)
    if secret and len(secret.reveal()) < _LEAST:
        notify.wrong("secret", f"has fewer than {_LEAST} characters: take a random one, as from `openssl rand -hex 32`")
    known = {state.value: state for state in NEWS}
    wanted = notify.take("on", list, sorted(known))
    unknown = [str(state) for state in wanted if state not in known]
    if unknown:
        notify.wrong("on", f"'{unknown[0]}' is no state that is told; known are {', '.join(sorted(known))}")
    on: frozenset[RunState] = frozenset(known[state] for state in wanted if state in known)
    notify.close()
    return Notify(url, secret, form, on)


def _check_address(notify: Section, url: Secret) -> None:
    try:
        parts = urlsplit(url.reveal())
    except ValueError:
        notify.wrong("url", "is no address")
        return
    if url and parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _THIS_MACHINE):
        notify.wrong("url", "expected an https address (http only on this machine)")
