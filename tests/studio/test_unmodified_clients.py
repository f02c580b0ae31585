"""Clients of the classic service as published, against this one; `classic_clients.py` says how to have them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import ContainerClient
from exchanges import Published, bearer, people

from shared.secret import Secret

PYTHON = os.environ.get("RELEARN_CLASSIC_PYTHON", "")
ROWS = [{"age": 40, "hours": 40.0, "job": "clerk"}, {"age": 61, "hours": 55.5, "job": "judge"}]

pytestmark = pytest.mark.skipif(
    not PYTHON, reason="RELEARN_CLASSIC_PYTHON names no interpreter with azmlclient and azureml: see classic_clients.py"
)


@pytest.fixture
def seen(
    published: Published, box: ContainerClient, storage: Secret, tmp_path: Path, working: object
) -> dict[str, Any]:
    live, training = published.endpoint("live"), published.json["training"]
    given = {
        "live": {"url": live["api_location"], "key": live["primary_key"]},
        "training": {"url": published.jobs_url.removesuffix("/jobs"), "key": training["secondary_key"]},
        "connection": storage.reveal(),
        "container": box.container_name,
        "data": str(people(tmp_path / "train.csv", 400, seed=1)),
        "rows": ROWS,
    }
    command = [PYTHON, "-W", "ignore", str(Path(__file__).with_name("classic_clients.py"))]
    ran = subprocess.run(  # noqa: S603
        command, input=json.dumps(given), capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    return dict(json.loads(ran.stdout))


def test_two_published_clients_score_train_and_score_in_batches(seen: dict[str, Any], published: Published) -> None:
    live = published.endpoint("live")
    address, key = f"{live['api_location']}/execute?format=swagger", bearer(live["primary_key"])
    answer = published.client.post(address, headers=key, json={"Inputs": {"input1": ROWS}})
    expected = [(row["Scored Labels"], row["Scored Probabilities"]) for row in answer.json()["Results"]["output1"]]

    assert seen["refused"] == ["Unauthorized", "ScoreRequestUnauthorized"]
    for answered in ("plain", "swagger", "scores"):
        found = [(row["Scored Labels"], row["Scored Probabilities"]) for row in seen[answered]]
        assert [label for label, _ in found] == [label for label, _ in expected]
        assert [float(p) for _, p in found] == pytest.approx([float(p) for _, p in expected])
    assert seen["metrics"][0]["AUC"] > 0.8
    assert seen["azureml"]["Scored Labels"] == expected[0][0]
