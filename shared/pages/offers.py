"""What a person may ask for: each offer is a button that POSTs to one address of the app."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from shared.domain.data.dataset import UNDECLARED, Dataset
from shared.domain.lifecycle.runs import CAME_TO_NOTHING, TRANSITIONS, Run, RunKind, RunState


@dataclass(frozen=True)
class Offer:
    """
    One button.

    Attributes:
        path: Below `/api/`.
        title: What is asked, in full; the button's own label is a word or two.
        note: What will happen.
    """

    kind: str
    path: str
    label: str
    title: str
    note: str


def offers_of_run(run: Run) -> list[Offer]:
    """List what may be asked of a run as it stands."""
    at = f"runs/{run.id}"
    if run.state is RunState.HELD:
        return [
            Offer("approve", f"{at}/approve", "Approve", f"Approve run {run.id}", "Its model is put live, and proven."),
            Offer("reject", f"{at}/reject", "Reject", f"Reject run {run.id}", "The champion serves on."),
        ]
    if RunState.CANCELLED in TRANSITIONS[run.state]:
        return [Offer("cancel", f"{at}/cancel", "Cancel", f"Cancel run {run.id}", "Its job is cancelled too.")]
    if run.state in CAME_TO_NOTHING and run.kind is RunKind.TRAINING:
        note = "A new run trains on the same data."
        return [Offer("retry", f"{at}/retry", "Retry", f"Retry run {run.id}", note)]
    if run.state is RunState.REJECTED:
        note = "The gate refused its model. It is put live all the same, and proven; who did it and why is recorded."
        return [Offer("override", f"{at}/override", "Promote anyway", f"Promote run {run.id} anyway", note)]
    return []


def offers_of_model(model: str, champion: str) -> list[Offer]:
    """
    List what may be asked of a model.

    Args:
        champion: The run whose model serves; empty where nothing served before it.
    """
    waiting = "One run trains on every accepted file that waits for the schedule."
    offers = [Offer("retrain", f"models/{model}/retrain", "Retrain", f"Retrain {model} on what waits", waiting)]
    if champion:
        note = f"The model that served before {champion} is put live again, and proven."
        offers.append(Offer("rollback", f"models/{model}/rollback", "Roll back", f"Roll {model} back", note))
    return offers


def offers_of_file(file: Dataset) -> list[Offer]:
    """List what may be asked of a file in quarantine."""
    whose = "" if file.model == UNDECLARED else f"?model={quote(file.model)}"
    note = "It is held against the contract of today, and trains if it meets it."
    return [Offer("release", f"datasets/release/{quote(file.name)}{whose}", "Release", f"Release {file.name}", note)]
