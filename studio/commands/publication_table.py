"""A publication as a table for people: addresses in full, keys masked."""

from __future__ import annotations

from collections.abc import Mapping

from studio.commands.administration import masked_key
from studio.publications.publication import Publication
from studio.services.addresses import Addresses


def as_table(publication: Publication, addresses: Addresses) -> str:
    """Lay out web services, endpoints and addresses, one fact per line."""
    jobs = publication.jobs_endpoint
    lines = [
        f"Workspace  {publication.training.workspace}",
        f"Training   {publication.training.name}",
        f"  jobs     {addresses.api(jobs)}/jobs",
        f"  help     {addresses.help(jobs)}",
        f"  key      {masked_key(jobs.primary_key)}",
        f"Predictive {publication.predictive.name}",
        f"  resource {publication.predictive.resource}",
        f"  metrics  {_metrics(publication.summary['metrics'])}",
    ]
    for endpoint in publication.endpoints:
        note = "follows the experiment" if endpoint.prevent_update else "updatable"
        lines += [
            f"  endpoint {endpoint.name} ({note})",
            f"    score  {addresses.api(endpoint)}/execute",
            f"    jobs   {addresses.api(endpoint)}/jobs",
            f"    update {addresses.management(endpoint)}",
            f"    help   {addresses.help(endpoint)}",
            f"    key    {masked_key(endpoint.primary_key)}",
        ]
    return "\n".join([*lines, "Keys are masked; --json prints them."])


def _metrics(metrics: Mapping[str, float]) -> str:
    """Say what the rows that did not train found of the first model."""
    return ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())
