"""The commands that decide or start something; each says who asks and why."""

from __future__ import annotations

import argparse
import getpass
import os

from relearn import shown
from relearn.client import Client
from relearn.commands import Answer


def approve(client: Client, options: argparse.Namespace) -> Answer:
    """Let a held run promote its model."""
    return _moved(client, options, "runs", options.id, "approve")


def reject(client: Client, options: argparse.Namespace) -> Answer:
    """End a held run; the champion serves on."""
    return _moved(client, options, "runs", options.id, "reject")


def override(client: Client, options: argparse.Namespace) -> Answer:
    """Promote the model of a run that the gate refused."""
    return _moved(client, options, "runs", options.id, "override", until=options.until)


def cancel(client: Client, options: argparse.Namespace) -> Answer:
    """End a run before its promotion, and its job with it."""
    return _moved(client, options, "runs", options.id, "cancel")


def retry(client: Client, options: argparse.Namespace) -> Answer:
    """Have a run that waits go on now; train again, in a new run, what came to nothing."""
    return _moved(client, options, "runs", options.id, "retry")


def rollback(client: Client, options: argparse.Namespace) -> Answer:
    """Bring the model back that served before, or any other that has served."""
    return _moved(client, options, "models", options.model, "rollback", to=options.to)


def retrain(client: Client, options: argparse.Namespace) -> Answer:
    """Train one file, or all accepted files that wait for the schedule."""
    body = {"by": who(options.by), "reason": options.reason or "", "dataset": options.file, "force": options.force}
    sent = {name: value for name, value in body.items() if value is not None}
    return Answer(client.post("models", options.model, "retrain", body=sent), shown.taken_up)


def release(client: Client, options: argparse.Namespace) -> Answer:
    """Hold a quarantined file against today's contract; it trains if it meets it now."""
    body = {"by": who(options.by), "reason": options.reason}
    path = ("datasets", "release", *options.file.split("/"))
    return Answer(client.post(*path, body=body, model=options.model), shown.taken_up)


def _moved(client: Client, options: argparse.Namespace, *path: str, **more: str | None) -> Answer:
    body = {"by": who(options.by), "reason": options.reason} | {k: v for k, v in more.items() if v is not None}
    return Answer(client.post(*path, body=body), shown.moved)


def who(by: str | None) -> str:
    """Return who asks: the option, `RELEARN_BY`, or the name of the account on this machine."""
    return by or os.environ.get("RELEARN_BY") or getpass.getuser()
