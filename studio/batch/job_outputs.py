"""What a batch job makes of its input: each output's content, by its port, in the format that its place asks for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shared.wire import BlobReference
from studio.batch.job_order import JobOrder
from studio.engine.batch_scoring import score_file
from studio.engine.experiment import Experiment
from studio.engine.scorer import Scorer
from studio.engine.training import train

Outputs = Mapping[str, bytes | Path]


def trained_outputs(order: JobOrder, experiment: Experiment, source: Path) -> Outputs:
    """Train, and return the model and the tables that the experiment puts out."""
    extension = BlobReference(source.name).extension
    made = train(experiment, source, extension, threads=order.threads, parameters=dict(order.request.parameters))
    places = order.request.outputs.items()
    tables = {name: made.tables[name].encoded(place.extension) for name, place in places if name in made.tables}
    return {experiment.model_output: made.model_file, **tables}


def scored_outputs(order: JobOrder, experiment: Experiment, source: Path) -> Outputs:
    """Score the file row by row into another, which no process holds in memory."""
    scorer = Scorer.load(Path(str(order.model_file)).read_bytes())
    settings = experiment.score.under(order.request.parameters)
    [(name, place)] = order.request.outputs.items()
    target = Path(order.directory, f"output{place.extension}")
    score_file(scorer, source, BlobReference(source.name).extension, target, place.extension, settings)
    return {name: target}
