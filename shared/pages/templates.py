"""The templates of all pages, with one style sheet for all of them."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from shared.pages.wording import FILTERS

_FOLDER = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader(_FOLDER), undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.filters.update(FILTERS)
_STYLE = (_FOLDER / "style.css").read_text(encoding="utf-8")


def render(template: str, **values: object) -> str:
    """Render a template; `style` is the style sheet, every other value is escaped unless it is `Markup`."""
    return _TEMPLATES.get_template(template).render(style=Markup(_STYLE), **values)  # noqa: S704 (our own file)


def script(name: str) -> Markup:
    """Return one of our scripts, to be put into a page as it is."""
    return Markup((_FOLDER / name).read_text(encoding="utf-8"))  # noqa: S704 (our own file)
