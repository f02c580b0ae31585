"""The example models that the environment publishes: each an experiment, what it learns from first, and its holdout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from examples.census.files import CensusFiles
from examples.rentals import files as rentals
from local.places import ROOT

CENSUS = "census"
MODELS_FILE = ROOT / "models.toml"
_EXAMPLES = ROOT / "examples"
_RENTALS_MODELS = _EXAMPLES / "rentals" / "models.toml"


@dataclass(frozen=True)
class Example:
    """
    One model.

    Attributes:
        model: Its name in the models' declarations, and of its folder.
        title: The experiment's name, as said to a person.
        early: What the first champion learns from.
    """

    model: str
    title: str
    experiment: Path
    early: Path
    holdout: Path


def census_example(files: CensusFiles) -> Example:
    """Return the model of the demonstration: two classes."""
    return Example(CENSUS, "Census Model", _EXAMPLES / CENSUS / "experiment.toml", files.early, files.holdout)


def rentals_examples(folder: Path) -> list[Example]:
    """Write the rental files into a folder, and return both models: a number, and several classes."""
    files = rentals.derive(folder)
    return [
        Example(model, title, _EXAMPLES / "rentals" / f"{model}.toml", files.early, files.holdout)
        for model, title in (("rentals", "Rentals"), ("demand", "Demand"))
    ]


def declarations_with_rentals() -> str:
    """Return the text of one models file that declares all example models."""
    return MODELS_FILE.read_text(encoding="utf-8") + "\n" + _RENTALS_MODELS.read_text(encoding="utf-8")
