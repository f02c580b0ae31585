"""Web service parameters: which settings of an experiment a caller may set, and what was set by one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from studio.engine.errors import ModuleError, shown
from studio.engine.sections import Section
from studio.engine.settings import AnyRule, Setting, setting_text

# Studio's module error numbers
UNKNOWN, MISSING, INVALID = 2, 3, 8


@dataclass(frozen=True)
class Parameter:
    """One parameter: the setting that it sets, the setting's rule, and its default, None where there is none."""

    target: str
    rule: AnyRule
    default: Setting | None


@dataclass(frozen=True)
class Parameters:
    """The parameters of one web service by name; `owner` is named by errors."""

    owner: str = ""
    declared: Mapping[str, Parameter] = field(default_factory=dict)

    @property
    def defaults(self) -> dict[str, str | None]:
        """Name to default as text, None where the caller has to give a value."""
        return {name: None if one.default is None else setting_text(one.default) for name, one in self.declared.items()}

    def read(self, given: Mapping[str, str]) -> dict[str, Setting]:
        """
        Return target to value for the parameters of one call.

        Raises:
            ModuleError: One is unknown, has no default and is absent, or is not a value of the setting that it sets.
        """
        unknown = sorted(set(given) - set(self.declared))
        if unknown:
            known = ", ".join(f"'{name}'" for name in self.declared) or "none"
            raise ModuleError(
                self.owner, UNKNOWN, f"no web service parameter is named {shown(unknown)}; known: {known}"
            )
        absent = [name for name, one in self.declared.items() if one.default is None and name not in given]
        if absent:
            raise ModuleError(
                self.owner, MISSING, f"web service parameter(s) {absent} have no default: give each a value"
            )
        return {self.declared[name].target: self._value(name, text) for name, text in given.items()}

    def _value(self, name: str, text: str) -> Setting:
        try:
            return self.declared[name].rule.accept_text(text)
        except ValueError as problem:
            raise ModuleError(self.owner, INVALID, f"web service parameter '{name}': {problem}") from problem


def read_parameters(
    section: Section, owner: str, rules: Mapping[str, AnyRule], settings: Mapping[str, Setting]
) -> Parameters:
    """
    Read a table of parameters; problems are added to the section.

    Args:
        rules: The rule of each setting that may be set.
        settings: What each of them is in the declaration, a parameter's default.
    """
    declared = {}
    for name, _ in section.items():
        entry = section.section(name)
        target = entry.text("sets") if entry.values else ""
        is_required = entry.flag("required")
        if target and target not in rules:
            entry.report("sets", f"there is no setting '{target}'; known are {list(rules)}")
        elif target:
            declared[name] = Parameter(target, rules[target], None if is_required else settings[target])
        entry.close()
    return Parameters(owner, declared)
