"""A batch request as submitted: three generations of the body, and every way in which one can be wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest
from exchanges import DATA, recorded

from shared.secret import Secret
from studio.batch.job_ports import JobPorts, job_ports
from studio.batch.submission import read_submission
from studio.blobs.blob_access import BlobAccess
from studio.blobs.connection import StorageAccount
from studio.engine.experiment import parse_experiment
from studio.errors import BadArgument
from studio.services.catalog import Kind

CONNECTION = "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=a2V5"
BLOBS = BlobAccess(
    StorageAccount("https://own.example", "own", key=Secret("a2V5")), frozenset({"acct.blob.core.windows.net"})
)
BODIES = recorded("batch_bodies.json")


DECLARATION = (DATA / "income.toml").read_text(encoding="utf-8")


def ports_of(declaration: str, kind: Kind = Kind.TRAINING) -> JobPorts:
    return job_ports(kind, parse_experiment(declaration, "income.toml"))


@pytest.fixture(scope="module")
def ports() -> JobPorts:
    return ports_of(DECLARATION)


def reference(location: str, **fields: Any) -> dict[str, Any]:
    return {"ConnectionString": CONNECTION, "RelativeLocation": location, **fields}


def body(**parts: Any) -> dict[str, Any]:
    return {"Inputs": {"input1": reference("box/train.csv")}, **parts}


@pytest.mark.parametrize("generation", ["submit_current", "submit_middle", "submit_oldest"])
def test_every_recorded_generation_of_the_body_is_understood(ports: JobPorts, generation: str) -> None:
    request = read_submission(BODIES[generation]["body"], ports, BLOBS)

    assert request.inputs["input1"].relative_location == "box/train.csv"
    assert set(request.outputs) == {"output1", "output2"}


def test_outputs_that_the_caller_names_are_kept(ports: JobPorts) -> None:
    request = read_submission(BODIES["submit_current"]["body"], ports, BLOBS)

    assert request.outputs["output1"].relative_location == "box/model.ilearner"
    assert request.outputs["output2"].relative_location == "box/metrics.csv"


def test_outputs_that_the_caller_leaves_out_get_a_default_place(ports: JobPorts) -> None:
    outputs = read_submission(body(), ports, BLOBS).outputs

    guid = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    pattern = re.compile(f"experimentoutput/{guid}/{guid}\\.(ilearner|csv)")
    assert all(pattern.fullmatch(place.relative_location) for place in outputs.values())
    assert [place.extension for place in outputs.values()] == [".ilearner", ".csv"]


BY_SIGNATURE = {
    "ConnectionString": None,
    "BaseLocation": "https://ACCT.blob.core.windows.net:443/",
    "SasBlobToken": "?sig=x",
    "RelativeLocation": "/box/b.csv",
}


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ({"metrics": reference("box/b.csv"), "scored": reference("/box/b.csv")}, "Outputs.scored: 'box/b.csv'"),
        ({"metrics": reference("box/b.csv"), "scored": BY_SIGNATURE}, "Outputs.scored: 'box/b.csv'"),
        ({"metrics": reference("box/train.csv")}, "is the blob of Inputs.input1 too"),
    ],
    ids=["by one connection", "however it is named", "the input's own"],
)
def test_two_references_to_one_blob_are_refused(outputs: dict[str, Any], expected: str) -> None:
    ports = ports_of(f'{DECLARATION}\n[web_service]\nmetrics_output = "metrics"\nscored_output = "scored"\n')

    with pytest.raises(BadArgument, match=re.escape(expected)) as refused:
        read_submission(body(Outputs=outputs), ports, BLOBS)

    assert refused.value.detail == "InvalidBlob"


def test_outputs_of_one_name_in_two_containers_are_two_blobs() -> None:
    ports = ports_of(f'{DECLARATION}\n[web_service]\nmetrics_output = "metrics"\nscored_output = "scored"\n')
    outputs = {"metrics": reference("box/b.csv"), "scored": reference("crate/b.csv")}

    assert read_submission(body(Outputs=outputs), ports, BLOBS).outputs["scored"].container == "crate"


def test_nulls_are_the_same_as_absent(ports: JobPorts) -> None:
    nulls = {"Input": None, "Output": None, "Outputs": None, "GlobalParameters": None, "AzureBatchPoolId": "pool"}

    request = read_submission(body(**nulls), ports, BLOBS)

    assert request.parameters == {}


def test_parameters_are_texts_whatever_their_json_type(ports: JobPorts) -> None:
    request = read_submission(body(GlobalParameters={"Random seed": 42}), ports, BLOBS)

    assert request.parameters == {"Random seed": "42"}


@pytest.mark.parametrize("name", ["model.ilearner", "MODEL.ILEARNER", "retrainer-2016-05-01T10:11:12.ilearner"])
def test_a_model_output_ends_in_ilearner(ports: JobPorts, name: str) -> None:
    request = read_submission(body(Outputs={"output1": reference(f"/box/{name}")}), ports, BLOBS)

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
        (
            body(Output=reference("box/m.ilearner"), Outputs={"output2": reference("box/a.csv")}),
            "InvalidOutputOverrideName",
        ),
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
def test_each_mistake_has_the_protocols_detail_code(ports: JobPorts, wrong: object, detail: str) -> None:
    with pytest.raises(BadArgument) as caught:
        read_submission(wrong, ports, BLOBS)

    assert caught.value.detail == detail
    assert "a2V5" not in str(caught.value)


def test_a_parameter_without_default_must_be_given() -> None:
    strict = DECLARATION.replace('{ sets = "split.seed" }', '{ sets = "split.seed", required = true }')

    with pytest.raises(BadArgument) as caught:
        read_submission(body(), ports_of(strict), BLOBS)

    assert caught.value.detail == "MissingRequiredGlobalParameters"


def test_every_output_that_is_declared_has_a_place() -> None:
    declared = DECLARATION.replace(
        "[web_service.parameters]",
        """[web_service]
scored_output = "scores"
folds_output = "folds"
[cross_validate]
[web_service.parameters]""",
    )

    outputs = read_submission(body(Outputs={"folds": reference("box/f.nh.tsv")}), ports_of(declared), BLOBS).outputs

    assert {name: place.extension for name, place in outputs.items()} == {
        "output1": ".ilearner", "output2": ".csv", "scores": ".csv", "folds": ".nh.tsv",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.nh.csv", "a.nh.tsv", "a.arff", "A.CSV"])
def test_data_may_have_any_of_the_formats(ports: JobPorts, name: str) -> None:
    request = read_submission(body(Inputs={"input1": reference(f"box/{name}")}), ports, BLOBS)

    assert request.inputs["input1"].extension == name[1:].lower()


def test_a_predictive_service_has_one_output_and_parameters_of_its_own() -> None:
    declared = DECLARATION + '"Cut" = { sets = "score.Threshold" }\n'
    predictive = ports_of(declared, Kind.PREDICTIVE)

    request = read_submission(body(GlobalParameters={"Cut": 0.7}), predictive, BLOBS)

    assert [*request.outputs] == ["output1"]
    assert request.outputs["output1"].extension == ".csv"
    assert request.parameters == {"Cut": "0.7"}
    for wrong in ({"Random seed": "1"}, {"Cut": "high"}, {"Cut": "1.5"}):
        with pytest.raises(BadArgument):
            read_submission(body(GlobalParameters=wrong), predictive, BLOBS)
    with pytest.raises(BadArgument):
        read_submission(body(GlobalParameters={"Cut": "0.7"}), ports_of(declared), BLOBS)


def test_a_wrong_extension_is_refused_in_the_recorded_words(ports: JobPorts) -> None:
    recorded_detail = BODIES["invalid_extension"]["body"]["error"]["details"][0]

    with pytest.raises(BadArgument) as caught:
        read_submission(body(Outputs={"output2": reference("box/metrics.ilearner")}), ports, BLOBS)

    assert caught.value.summary == BODIES["invalid_extension"]["body"]["error"]["message"]
    assert caught.value.sentence == recorded_detail["message"]
