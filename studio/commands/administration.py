"""
What an operator asks and orders from a command line: endpoints, keys, jobs.

Each function returns what it found twice, as values for JSON and as text for a person. Works on storage itself, so no
server has to run; replicas that do run follow within a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.errors import Changed, ConfigError
from shared.secret import Secret
from studio.commands.text_table import text_table
from studio.services.addresses import Addresses
from studio.services.catalog import Catalog, Endpoint, WebService
from studio.services.keys import new_key
from studio.store.catalog import CatalogStore
from studio.store.job_overview import JobLine, JobOverview

KEYS = ("primary", "secondary")

_MAX_RACES = 5
_SHOWN_DIGITS, _SHOWN_KEY = 12, 4


@dataclass(frozen=True)
class Finding:
    """The answer to a command: `values` are plain JSON, `text` is for a person and shows no key."""

    values: Any
    text: str


def list_endpoints(catalog: Catalog, addresses: Addresses) -> Finding:
    """List every endpoint with its addresses, without keys."""
    found = [
        (service, endpoint)
        for service in sorted(catalog.services.values(), key=lambda service: (service.created_at, service.name))
        for endpoint in catalog.endpoints_of(service.id)
    ]
    headings = ("WEB SERVICE", "ENDPOINT", "MODEL", "CALLS", "UPDATABLE", "API LOCATION")
    rows = [
        (
            service.name,
            endpoint.name,
            endpoint.model[:_SHOWN_DIGITS] or "-",
            str(endpoint.max_concurrent_calls),
            "yes" if service.resource and not endpoint.prevent_update else "no",
            addresses.api(endpoint),
        )
        for service, endpoint in found
    ]
    text = text_table(headings, rows) if rows else "No web services; publish an experiment first."
    return Finding([_endpoint_json(*pair, addresses) for pair in found], text)


def show_keys(catalog: Catalog, service_name: str, endpoint_name: str) -> Finding:
    """Show an endpoint's keys; the text masks them."""
    return _keys(*find_endpoint(catalog, service_name, endpoint_name))


def rotate_key(store: CatalogStore, service_name: str, endpoint_name: str, which: str) -> Finding:
    """
    Draw one of an endpoint's two keys anew; the other goes on working, so that callers can change over.

    Raises:
        ConfigError: No such endpoint, or it changes all the time.
    """
    for _ in range(_MAX_RACES):
        service, endpoint = find_endpoint(store.read(), service_name, endpoint_name)
        changed = _with_key(endpoint, which, new_key())
        try:
            store.save([changed])
        except Changed:
            continue
        return _keys(service, changed)
    raise ConfigError("keys", [f"endpoint '{endpoint_name}' is changing too fast to be updated; try again"])


def list_jobs(overview: JobOverview, catalog: Catalog, service_name: str, endpoint_name: str) -> Finding:
    """List an endpoint's jobs, newest first."""
    _, endpoint = find_endpoint(catalog, service_name, endpoint_name)
    jobs = overview.of_endpoint(endpoint.id)
    headings = ("JOB", "STATE", "SUBMITTED", "SECONDS", "ATTEMPTS", "DETAILS")
    rows = [
        (job.id, job.state.value, _time(job.created_at), _seconds(job), str(job.attempts), job.details or "")
        for job in jobs
    ]
    return Finding([_job_json(job) for job in jobs], text_table(headings, rows) if jobs else "No jobs.")


def find_endpoint(catalog: Catalog, service_name: str, endpoint_name: str) -> tuple[WebService, Endpoint]:
    """
    Find an endpoint by its web service's name or id and its own name.

    Raises:
        ConfigError: There is none; names those that there are.
    """
    service = catalog.service_named(service_name) or catalog.services.get(service_name)
    if service is None:
        raise ConfigError("web service", [f"there is no '{service_name}'; there are: {_listed(catalog.services)}"])
    endpoint = catalog.endpoint_named(service.id, endpoint_name)
    if endpoint is None:
        names = ", ".join(f"'{known.name}'" for known in catalog.endpoints_of(service.id))
        raise ConfigError("endpoint", [f"'{service.name}' has no endpoint '{endpoint_name}'; it has: {names}"])
    return service, endpoint


def masked_key(key: Secret) -> str:
    """Show enough of a key to tell it from another."""
    return f"{key.reveal()[:_SHOWN_KEY]}{'*' * 8}"


def _with_key(endpoint: Endpoint, which: str, key: Secret) -> Endpoint:
    return replace(endpoint, primary_key=key) if which == "primary" else replace(endpoint, secondary_key=key)


def _keys(service: WebService, endpoint: Endpoint) -> Finding:
    keys = {"primary": endpoint.primary_key, "secondary": endpoint.secondary_key}
    lines = [f"{service.name} / {endpoint.name}", *(f"  {which:<10}{masked_key(key)}" for which, key in keys.items())]
    values = {
        "web_service": service.id,
        "endpoint": endpoint.name,
        **{f"{which}_key": key.reveal() for which, key in keys.items()},
    }
    return Finding(values, "\n".join([*lines, "Keys are masked; --json prints them."]))


def _endpoint_json(service: WebService, endpoint: Endpoint, addresses: Addresses) -> dict[str, Any]:
    return {
        "web_service": {"id": service.id, "name": service.name, "kind": service.kind.value},
        "id": endpoint.id,
        "name": endpoint.name,
        "api_location": addresses.api(endpoint),
        "management_url": addresses.management(endpoint),
        "help_location": addresses.help(endpoint),
        "model": endpoint.model or None,
        "updatable": bool(service.resource) and not endpoint.prevent_update,
        "max_concurrent_calls": endpoint.max_concurrent_calls,
        "created_at": _time(endpoint.created_at),
    }


def _job_json(job: JobLine) -> dict[str, Any]:
    times = {name: getattr(job, name) for name in ("created_at", "started_at", "ended_at")}
    return {
        "id": job.id,
        "state": job.state.value,
        **{name: _time(time) if time else None for name, time in times.items()},
        "attempts": job.attempts,
        "details": job.details,
    }


def _listed(services: Mapping[str, WebService]) -> str:
    return ", ".join(f"'{service.name}'" for service in services.values()) or "none; publish an experiment first"


def _seconds(job: JobLine) -> str:
    if job.started_at is None or job.ended_at is None:
        return "-"
    return f"{(job.ended_at - job.started_at).total_seconds():.1f}"


def _time(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")
