"""A job's token that has run out or is refused: the job is asked once more, and no oftener."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from census_rows import people
from classic_service import METRICS
from retraining_world import World

from shared.domain.lifecycle.runs import Run
from shared.errors import ServiceRejected

JOB = r"/jobs/\w+$"


def _finished(world: World) -> Run:
    """Return a run whose job has finished and whose outputs were not read yet."""
    world.drop("a.csv", people(600))
    (message,) = world.app.polling.tick()
    run = world.app.evaluation._stores.runs.find("census", json.loads(message)["run"])
    assert run
    world.service.calls.clear()
    return run


def _read(world: World, run: Run) -> bytes:
    evaluation = world.app.evaluation
    return evaluation._results.read(run, evaluation._models["census"], ".csv", limit=2**20)


def test_a_jobs_tokens_open_one_blob_each_for_what_is_done_with_it_and_for_the_budget(world: World) -> None:
    budget = world.app.evaluation._models["census"].policy.training_budget
    world.drop("a.csv", people(600))
    (job,) = world.service.jobs.values()

    def fields(reference: dict[str, str]) -> dict[str, str]:
        assert not reference.get("ConnectionString")
        return {name: values[0] for name, values in parse_qs(reference["SasBlobToken"].lstrip("?")).items()}

    read, written = [fields(it) for it in job.inputs.values()], [fields(it) for it in job.outputs.values()]

    assert [token["sp"] for token in read] == ["r"]
    assert [token["sp"] for token in written] == ["rcw", "rcw"]
    for token in (*read, *written):
        assert token["sr"] == "b"
        left = datetime.fromisoformat(token["se"]) - datetime.now(UTC)
        assert budget < left <= budget + timedelta(hours=1)
        assert datetime.now(UTC) - datetime.fromisoformat(token["st"]) < timedelta(hours=1)


@pytest.mark.parametrize(("tokens", "asked"), [(["good"], 1), (["expired"], 2), (["refused"], 2)])
def test_metrics_are_read_after_at_most_one_fresh_question(world: World, tokens: list[str], asked: int) -> None:
    run = _finished(world)
    world.service.faults.job_tokens = tokens

    assert _read(world, run) == METRICS.format(0.9).encode()
    assert world.service.count("GET", JOB) == asked


def test_a_token_that_is_refused_again_is_asked_for_no_more(world: World) -> None:
    run = _finished(world)
    world.service.faults.job_tokens = ["refused", "refused"]

    with pytest.raises(ServiceRejected):
        _read(world, run)
    assert world.service.count("GET", JOB) == 2


@pytest.mark.parametrize("spoilt", ["expired", "refused"])
@pytest.mark.parametrize(("at", "endpoint"), [(1, "staging"), (2, "live")])
def test_an_endpoint_is_updated_with_a_fresh_token(world: World, spoilt: str, at: int, endpoint: str) -> None:
    run = _finished(world)
    world.service.faults.job_tokens = ["good"] * at + [spoilt]

    world.app.evaluation.evaluate("census", run.id)

    assert world.run()["state"] == "PROMOTED"
    assert world.service.count("GET", JOB) == 4  # for metrics, staging and live, and once more
    assert world.service.count("PATCH", f"/{endpoint}$") == (2 if spoilt == "refused" else 1)
