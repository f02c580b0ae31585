"""
Subscribe the function app to the data account's events: `python3 -m infra.hooks.subscribe [--renew]`.

azd runs it after each deployment of the code. Event Grid asks the webhook to identify itself while the subscription is
made, and the webhook's key is there once the host has seen the blob trigger; until then the deployment fails and is
tried again. Repeating it changes nothing. `--renew` removes the subscription first: its address, and so a key that was
drawn anew, cannot be changed in place.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from infra.hooks.azure_cli import ROOT, CommandFailed, az, deployed

ATTEMPTS = 20
PAUSE_S = 30.0
# Said when trying again cannot help.
_HOPELESS = ("not on the PATH", "az login", "AuthorizationFailed", "InvalidTemplate")


def main(arguments: Sequence[str], *, pause: Callable[[float], None] = time.sleep) -> int:
    """Make the subscription, waiting up to ten minutes for the app."""
    group, app, topic, account, dead_letters = deployed(
        "AZURE_RESOURCE_GROUP", "FUNCTION_APP_NAME", "EVENT_TOPIC_NAME", "DATA_ACCOUNT_NAME", "DEAD_LETTER_CONTAINER"
    )
    if "--renew" in arguments:
        _remove(group, topic)
    named = {
        "functionAppName": app,
        "topicName": topic,
        "dataAccountName": account,
        "deadLetterContainer": dead_letters,
    }
    template = ["--template-file", str(ROOT / "infra" / "event-subscription.bicep")]
    parameters = ["--parameters", *(f"{name}={value}" for name, value in named.items())]
    command = ["deployment", "group", "create", "-g", group, "-n", "event-subscription", *template, *parameters]
    for attempt in range(1, ATTEMPTS + 1):
        try:
            az([*command, "--output", "none"])
        except CommandFailed as failure:
            if attempt == ATTEMPTS or any(text in str(failure) for text in _HOPELESS):
                print(f"The event subscription could not be made: {failure}", file=sys.stderr)
                print("Files are found by the sweep meanwhile. Try again: azd hooks run postdeploy", file=sys.stderr)
                return 1
            print(f"The app does not answer events yet (attempt {attempt} of {ATTEMPTS})", file=sys.stderr)
            pause(PAUSE_S)
        else:
            print(f"Event Grid tells {app} of new files")
            return 0
    return 1


def _remove(group: str, topic: str) -> None:
    names = ["-g", group, "--system-topic-name", topic, "-n", "training-data"]
    az(["eventgrid", "system-topic", "event-subscription", "delete", *names, "--yes"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
