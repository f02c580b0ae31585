"""Publishing from files: the first model is trained here, then it is published with its experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from shared.errors import ConfigError
from shared.wire import BlobReference
from studio.batch.job_ports import INPUT_EXTENSIONS
from studio.batch.training_slot import TrainingSlots
from studio.bootstrap import Service, training_threads
from studio.engine.experiment import parse_experiment
from studio.engine.training import train
from studio.publications.publication import ArtifactDigests, Publication, record_publication, summary_json
from studio.services.endpoints import ENDPOINT_NAME, ENDPOINT_NAME_RULE
from studio.store.artifacts import ArtifactKind

__all__ = ["Publication", "publish"]


def publish(
    service: Service,
    declaration: Path,
    data: Path,
    endpoint_names: Sequence[str],
    parameters: Mapping[str, str] | None = None,
    slots: TrainingSlots | None = None,
    say: Callable[[str], object] = lambda _: None,
) -> Publication:
    """
    Store the experiment, train the first model on `data`, and publish both web services in one transaction.

    Args:
        endpoint_names: Further endpoints of the predictive web service; those that exist are left as they are.
        parameters: The training's web service parameters for the first model; those without default are needed.
        slots: Places to train on this machine, of which one is waited for; None for those that the workers take.
        say: Told that all places are taken, as long as they are.

    Raises:
        ConfigError: A file or an endpoint name cannot be used.
        ExperimentError: The declaration cannot be used.
        ModuleError: The data cannot be trained on.
    """
    extension = _check(declaration, data, endpoint_names)
    experiment = parse_experiment(declaration.read_text(encoding="utf-8"), declaration.name)
    with (slots or TrainingSlots()).taken(say):
        trained = train(experiment, data, extension, threads=training_threads(), parameters=parameters)
    service.storage.prepare()
    digests = ArtifactDigests(
        experiment=service.artifacts.put(ArtifactKind.EXPERIMENT, experiment.source_text.encode()),
        model=service.artifacts.put(ArtifactKind.MODEL, trained.model_file),
    )
    summary = summary_json(trained.summary.data, trained.summary.metrics, trained.summary.libraries)
    workspace = service.store.claim_workspace()
    return record_publication(service.store, workspace, experiment, digests, endpoint_names, summary)


def _check(declaration: Path, data: Path, endpoint_names: Sequence[str]) -> str:
    problems = [f"there is no file {path}" for path in (declaration, data) if not path.is_file()]
    extension = BlobReference(data.name).extension
    if extension not in INPUT_EXTENSIONS:
        problems.append(f"the data file must end in one of {', '.join(INPUT_EXTENSIONS)}: {data.name}")
    wrong = [name for name in endpoint_names if not ENDPOINT_NAME.fullmatch(name)]
    problems += [f"--endpoint {name}: {ENDPOINT_NAME_RULE}" for name in wrong]
    if problems:
        raise ConfigError("publish", problems)
    return extension
