"""Score Model as a predictive web service has it: its settings, and the parameters by which a call may change them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from studio.engine.parameters import Parameter, Parameters
from studio.engine.score_settings import PLAIN, SCORE_RULES, ScoreSettings

PREFIX = "score."  # begins what its parameters set


@dataclass(frozen=True)
class ScoreModule:
    """The declared settings and parameters."""

    settings: ScoreSettings = PLAIN
    parameters: Parameters = field(default_factory=Parameters)

    @cached_property
    def is_plain(self) -> bool:
        """Whether answers stay as a model gives them, and no call can change that."""
        return self.settings == PLAIN and not self.parameters.declared

    def under(self, given: Mapping[str, str]) -> ScoreSettings:
        """
        Return the settings under the parameters of one call.

        Raises:
            ModuleError: A parameter is unknown, required but absent, or not a value of the setting it sets.
        """
        if not given and self.is_plain:
            return PLAIN
        changed = self.parameters.read(given)
        return self.settings.changed({target.removeprefix(PREFIX): value for target, value in changed.items()})

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        declared = self.parameters.declared
        return {
            "owner": self.parameters.owner,
            "settings": self.settings.values,
            "parameters": {name: [one.target, one.default is None] for name, one in declared.items()},
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ScoreModule:
        """Read what `to_json` gave."""
        settings = ScoreSettings.of(values["settings"])
        declared = {}
        for name, (target, is_required) in values["parameters"].items():
            setting = target.removeprefix(PREFIX)
            declared[name] = Parameter(target, SCORE_RULES[setting], None if is_required else settings.values[setting])
        return cls(settings, Parameters(values["owner"], declared))
