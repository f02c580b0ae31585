"""The sections `training` and `scoring`: where jobs are submitted, and which endpoints are updated."""

from __future__ import annotations

from shared.declarations.section import Section
from shared.domain.model import Price, ScoringEndpoint, TrainingService
from shared.wire import MODEL_EXTENSION

_OUTPUTS = {"output1": MODEL_EXTENSION, "output2": ".csv"}


def read_training(section: Section) -> TrainingService:
    """Read where jobs are submitted."""
    outputs = section.table("outputs", dict(_OUTPUTS))
    if sorted(map(str, outputs.values())) != sorted(_OUTPUTS.values()):
        section.wrong("outputs", f"name one port for '{MODEL_EXTENSION}' and one for '.csv', got {outputs}")
    service = TrainingService(
        jobs_url=section.url("jobs_url"),
        key=section.secret("key"),
        input=section.text("input", "input1"),
        outputs={str(port): str(extension) for port, extension in outputs.items()},
        parameters={str(k): str(v) for k, v in section.table("parameters", {}).items()},
        price=_read_price(section.section("price")) if section.holds("price") else None,
    )
    if service.jobs_url and not service.jobs_url.endswith("/jobs"):
        section.wrong("jobs_url", "is the address of the training service's jobs and ends in '/jobs'")
    section.close()
    return service


def _read_price(section: Section) -> Price:
    price = Price(section.number("per_hour", None, 0), section.text("currency"))
    section.close()
    return price


def read_endpoint(section: Section) -> ScoringEndpoint:
    """Read one scoring endpoint."""
    endpoint = ScoringEndpoint(section.url("url"), section.secret("key"))
    name = endpoint.url.rpartition("/endpoints/")[2]
    if endpoint.url and (not name or name == endpoint.url):
        section.wrong("url", "is a management address and ends in '/webservices/{service}/endpoints/{name}'")
    if name == "default":
        section.wrong("url", "names the default endpoint, which cannot be updated; add another endpoint and name that")
    section.close()
    return endpoint
