"""
Publish an experiment on the deployed service and tell the function app of it:

    python -m infra.hooks.publish MODEL EXPERIMENT.toml FILE.csv

MODEL is the model's name in models.toml, whose settings begin with it (`CENSUS_JOBS_URL`, …). Run it where the
service's packages are installed (`make local-packages` does that) and `az` is signed in; `azd env get-values` has the
environment. Keys go from the publication into the vault through a file that only this user can read; they are printed
nowhere.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.hooks.azure_cli import ROOT, CommandFailed, az, deployed
from shared.declarations.first_contract import leave_contract
from shared.domain.data.csv_text import CsvProblem

_ENDPOINTS = ("live", "staging")


def main(arguments: Sequence[str]) -> int:
    """Publish, put addresses and keys into the vault, restart the app so that it reads them."""
    if len(arguments) != 3:
        print("python -m infra.hooks.publish MODEL EXPERIMENT.toml FILE.csv", file=sys.stderr)
        return 2
    model, experiment, data = arguments
    group, app, vault, account, url = deployed(
        "AZURE_RESOURCE_GROUP", "FUNCTION_APP_NAME", "AZURE_KEY_VAULT_NAME", "STUDIO_ACCOUNT_NAME", "STUDIO_URL"
    )
    try:
        publication = _published(experiment, data, _service_settings(vault, account, url))
        for name, value in model_settings(model, publication).items():
            _keep(vault, name, value)
        az(["functionapp", "restart", "-g", group, "-n", app])
    except CommandFailed as failure:
        print(f"{model} could not be published: {failure}", file=sys.stderr)
        return 1
    try:
        left = _leave_contract(model, experiment, data)
    except CommandFailed as failure:
        print(f"{model} is published and the function app restarts, but {failure}", file=sys.stderr)
        return 1
    if left:
        print(f"its contract was inferred into {left.name}: read it, correct it, then `azd deploy`")
    print(f"{model} is published; the function app restarts with its addresses and keys. Then ask: relearn doctor")
    return 0


def model_settings(model: str, publication: Mapping[str, Any]) -> dict[str, str]:
    """Return the app settings of a model from what `python -m studio publish --json` printed."""
    prefix, endpoints = model.upper().replace("-", "_"), publication["predictive"]["endpoints"]
    training = publication["training"]
    settings = {f"{prefix}_JOBS_URL": training["jobs_url"], f"{prefix}_JOBS_KEY": training["primary_key"]}
    for name in _ENDPOINTS:
        settings[f"{prefix}_{name.upper()}_URL"] = endpoints[name]["management_url"]
        settings[f"{prefix}_{name.upper()}_KEY"] = endpoints[name]["primary_key"]
    return settings


def _service_settings(vault: str, account: str, url: str) -> dict[str, str]:
    show = ["keyvault", "secret", "show", "--vault-name", vault, "--query", "value", "--output", "tsv", "--name"]
    services = {"Blob": "blob", "Queue": "queue", "Table": "table"}
    places = (f"{kind}Endpoint=https://{account}.{name}.core.windows.net/" for kind, name in services.items())
    return {
        "STUDIO_STORAGE": ";".join(places),
        "STUDIO_URL": url,
        "STUDIO_SECRET": az([*show, "studio-secret"]).strip(),
        "STUDIO_WORKSPACE_TOKEN": az([*show, "studio-workspace-token"]).strip(),
    }


def _published(experiment: str, data: str, settings: Mapping[str, str]) -> dict[str, Any]:
    options = [part for name in _ENDPOINTS for part in ("--endpoint", name)]
    command = [sys.executable, "-m", "studio", "publish", str(Path(experiment).resolve())]
    command += ["--data", str(Path(data).resolve()), *options, "--json"]
    environment = {**os.environ, **settings}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise CommandFailed("the service refused it, see above")
    publication: dict[str, Any] = json.loads(done.stdout)
    return publication


def _leave_contract(model: str, experiment: str, data: str) -> Path | None:
    try:
        return leave_contract(ROOT / "models.toml", model, Path(data), Path(experiment))
    except CsvProblem as problem:
        raise CommandFailed(f"no contract can be inferred from {data}, line {problem.line}: {problem.found}") from None


def _keep(vault: str, setting: str, value: str) -> None:
    secret = setting.lower().replace("_", "-")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "value"
        file.touch(mode=0o600)
        file.write_text(value, encoding="utf-8")
        names = ["--vault-name", vault, "--name", secret, "--file", str(file)]
        az(["keyvault", "secret", "set", *names, "--encoding", "utf-8", "--output", "none"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
