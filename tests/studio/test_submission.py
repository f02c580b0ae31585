"""A batch request as submitted: three generations of the body, and every way in which one can be wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest
from exchanges import DATA, recorded

from shared.secret import Secret
from studio.blob_access import BlobAccess
from studio.connection import StorageAccount
from studio.engine.experiment import Experiment, parse_experiment
from studio.errors import BadArgument
from studio.submission import read_submission

CONNECTION = "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=a2V5"
BLOBS = BlobAccess(
    StorageAccount("https://own.example", "own", key=Secret("a2V5")), frozenset({"acct.blob.core.windows.net"})
)
BODIES = recorded("batch_bodies.json")


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return parse_experiment((DATA / "income.toml").read_text(encoding="utf-8"), "income.toml")


def reference(location: str, **fields: Any) -> dict[str, Any]:
    return {"ConnectionString": CONNECTION, "RelativeLocation": location, **fields}


def body(**parts: Any) -> dict[str, Any]:
    return {"Inputs": {"input1": reference("box/train.csv")}, **parts}


@pytest.mark.parametrize("generation", ["submit_current", "submit_middle", "submit_oldest"])
def test_every_recorded_generation_of_the_body_is_understood(experiment: Experiment, generation: str) -> None:
    request = read_submission(BODIES[generation]["body"], experiment, BLOBS)

    assert request.inputs["input1"].relative_location == "box/train.csv"
    assert set(request.outputs) == {"output1", "output2"}


def test_outputs_that_the_caller_names_are_kept(experiment: Experiment) -> None:
    request = read_submission(BODIES["submit_current"]["body"], experiment, BLOBS)

    assert request.outputs["output1"].relative_location == "box/model.ilearner"
    assert request.outputs["output2"].relative_location == "box/metrics.csv"


def test_outputs_that_the_caller_leaves_out_get_a_default_place(experiment: Experiment) -> None:
    outputs = read_submission(body(), experiment, BLOBS).outputs

    guid = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    pattern = re.compile(f"experimentoutput/{guid}/{guid}\\.(ilearner|csv)")
    assert all(pattern.fullmatch(place.relative_location) for place in outputs.values())
    assert [place.extension for place in outputs.values()] == [".ilearner", ".csv"]


def test_nulls_are_the_same_as_absent(experiment: Experiment) -> None:
    nulls = {"Input": None, "Output": None, "Outputs": None, "GlobalParameters": None, "AzureBatchPoolId": "pool"}

    request = read_submission(body(**nulls), experiment, BLOBS)

    assert request.parameters == {}


def test_parameters_are_texts_whatever_their_json_type(experiment: Experiment) -> None:
    request = read_submission(body(GlobalParameters={"Random seed": 42}), experiment, BLOBS)

    assert request.parameters == {"Random seed": "42"}


@pytest.mark.parametrize("name", ["model.ilearner", "MODEL.ILEARNER", "retrainer-2016-05-01T10:11:12.ilearner"])
def test_a_model_output_ends_in_ilearner(experiment: Experiment, name: str) -> None:
    request = read_submission(body(Outputs={"output1": reference(f"/box/{name}")}), experiment, BLOBS)

    assert request.outputs["output1"].relative_location == f"box/{name}"


@pytest.mark.parametrize(
    ("wrong", "detail"),
    [
        ([], "RequestBodyInvalid"),
        ({}, "BatchJobInputsNotSpecified"),
        (None, "BatchJobInputsNotSpecified"),
        (body(Inputs={"other": reference("box/a.csv")}), "InvalidInputNames"),
        (body(Inputs={"input1": reference("box/a.xlsx")}), "InvalidBlobExtension"),
        (body(Inputs={"input1": reference("box/a.ilearner")}), "InvalidBlobExtension"),
        (body(Inputs={"input1": {"RelativeLocation": "box/a.csv"}}), "MissingInputBlobInformation"),
        (body(Inputs={"input1": {"ConnectionString": CONNECTION}}), "InputBlobRelativeLocationInvalid"),
        (body(Inputs={"input1": reference("a.csv")}), "ContainerSegmentInvalid"),
        (body(Inputs={"input1": reference("box/a.csv", ConnectionString="x")}), "InvalidBlobConnectionString"),
        (body(Input=reference("box/a.csv")), "DuplicateInputInBatchCall"),
        (body(Outputs={"Output1": reference("box/a.csv")}), "InvalidOutputOverrideName"),
        (body(Outputs={"output1": reference("box/a.csv")}), "InvalidBlobExtension"),
        (body(Outputs={"output2": reference("box/a.ilearner")}), "InvalidBlobExtension"),
        (body(Outputs={"output2": reference("box/a")}), "InvalidBlobExtension"),
        (body(Outputs={"output2": {"RelativeLocation": "box/a.csv"}}), "MissingOutputOverrideSpecification"),
        (body(GlobalParameters={"random seed": "1"}), "UnexpectedParameter"),
        (body(GlobalParameters={"Random seed": "many"}), "UserParameterInvalid"),
        (body(GlobalParameters={"Random seed": ["1"]}), "RequestBodyInvalid"),
        (body(GlobalParameters="Random seed"), "RequestBodyInvalid"),
    ],
)
def test_each_mistake_has_the_protocols_detail_code(experiment: Experiment, wrong: object, detail: str) -> None:
    with pytest.raises(BadArgument) as caught:
        read_submission(wrong, experiment, BLOBS)

    assert caught.value.detail == detail
    assert "a2V5" not in str(caught.value)


def test_a_parameter_without_default_must_be_given() -> None:
    text = (DATA / "income.toml").read_text(encoding="utf-8")
    strict = text.replace('{ sets = "split.seed" }', '{ sets = "split.seed", required = true }')

    with pytest.raises(BadArgument) as caught:
        read_submission(body(), parse_experiment(strict, "strict"), BLOBS)

    assert caught.value.detail == "MissingRequiredGlobalParameters"


def test_a_wrong_extension_is_refused_in_the_recorded_words(experiment: Experiment) -> None:
    recorded_detail = BODIES["invalid_extension"]["body"]["error"]["details"][0]

    with pytest.raises(BadArgument) as caught:
        read_submission(body(Outputs={"output2": reference("box/metrics.ilearner")}), experiment, BLOBS)

    assert caught.value.summary == BODIES["invalid_extension"]["body"]["error"]["message"]
    assert caught.value.sentence == recorded_detail["message"]
