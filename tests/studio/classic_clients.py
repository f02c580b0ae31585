"""
A session of two clients of the classic service as published: `azmlclient` 2.6.0 and Microsoft's `azureml` 0.2.7.

Run by an interpreter of its own, with one JSON object on standard input; writes another, what it saw. To have it:

    python3.8 -m venv classic
    classic/bin/pip install azmlclient==2.6.0 azure-storage-blob==2.1.0 azureml==0.2.7 pandas==1.5.3 "numpy<1.24"
    RELEARN_CLASSIC_PYTHON=classic/bin/python python -m pytest tests/studio/test_unmodified_clients.py
"""

from __future__ import annotations

import contextlib
import json
import sys
import time

import autoclass

# Fails on every present Python, and decorates nothing but the classes of azmlclient's configuration files.
autoclass.autodict = lambda decorated: decorated

import pandas  # noqa: E402
from azmlclient import AzmlException, BatchClient, execute_rr  # noqa: E402
from azure.storage.blob import BlockBlobService  # noqa: E402
from azureml import services  # noqa: E402


def main(given):
    rows = pandas.DataFrame(given["rows"])
    live, training = given["live"], given["training"]
    return {
        "plain": scored(live, rows),
        "swagger": scored(live, rows, use_swagger_format=True),
        "refused": refused(live, rows),
        "metrics": batch(training, given, pandas.read_csv(given["data"]), "output2"),
        "scores": batch(live, given, rows, "output1"),
        "azureml": by_azureml(live, given["rows"][0]),
    }


def scored(api, rows, **options):
    return records(execute_rr(api["key"], api["url"], inputs={"input1": rows}, **options)["output1"])


def refused(api, rows):
    try:
        execute_rr("wrong", api["url"], inputs={"input1": rows})
    except AzmlException as error:
        return [error.error_code, error.details[0]["code"]]


def batch(api, given, frame, output):
    """Go the way of `azmlclient.execute_bes`, which itself knows no storage account but those of the public cloud."""
    client, blobs = BatchClient(), BlockBlobService(connection_string=given["connection"])
    inputs, outputs = client.push_inputs_to_blob__and__create_output_references(
        {"input1": frame}, blob_service=blobs, blob_container=given["container"], output_names=[output]
    )
    for reference in (*inputs.values(), *outputs.values()):
        reference["ConnectionString"] = given["connection"]
    job = client.execute_batch_createJob(api["url"], api["key"], client.create_request_body(inputs, {}, outputs))
    client.execute_batch_startJob(api["url"], api["key"], job)
    results = None
    while results is None:
        results = client.read_status_or_result(client.execute_batch_getJobStatusOrResult(api["url"], api["key"], job))
        time.sleep(0.2)
    client.execute_batch_deleteJob(api["url"], api["key"], job)

    from azmlclient.base_databinding_blobs import blob_refs_to_dfs

    return records(blob_refs_to_dfs({output: outputs[output]})[output])


def by_azureml(api, row):
    """Call the service like a function; it answers with the columns that the function says it returns."""

    @services.service(api["url"] + "/execute?api-version=2.0&details=true", api["key"])
    @services.dataframe_service(**{name: type(cell) for name, cell in row.items()})
    @services.types(**{name: type(cell) for name, cell in row.items()})
    @services.returns({"Scored Labels": str})
    def income(age, hours, job):
        """Never called: the service is."""

    return income(**row)


def records(frame):
    return json.loads(frame.to_json(orient="records"))


with contextlib.redirect_stdout(sys.stderr):
    seen = main(json.load(sys.stdin))
json.dump(seen, sys.stdout)
