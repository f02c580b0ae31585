"""What a page of ours may load: its own style, by hash, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import re

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def content_policy(html: str, *, connect: bool = False) -> str:
    """
    Return the Content-Security-Policy that fits a page as it was written.

    Args:
        html: Holds at most one inline style and one inline script, both ours.
        connect: Whether the script may call the address that the page came from.
    """
    rules = ["default-src 'none'", f"style-src {_source(_STYLE, html)}", f"script-src {_source(_SCRIPT, html)}"]
    rules += ["connect-src 'self'"] * connect
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"])


def _source(inline: re.Pattern[str], html: str) -> str:
    found = inline.search(html)
    if found is None:
        return "'none'"
    return f"'sha256-{base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()}'"
