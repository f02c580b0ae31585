"""The scoring image without Docker: the files and packages that studio/Dockerfile puts into it, in a venv, at work."""

from __future__ import annotations

import re
import shutil
import subprocess
import venv
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from deployment import ROOT, Deploy
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

STUDIO = ROOT / "studio"
DOCKERFILE = (STUDIO / "Dockerfile").read_text(encoding="utf-8")
ROW = {"Inputs": {"input1": {"ColumnNames": ["age", "hours", "job"], "Values": [["40", "40", "clerk"]]}}}
TRAINING_ONLY = ["numpy", "pyarrow", "scipy", "sklearn", "pandas"]


def requirements(file: str) -> list[Requirement]:
    lines = (STUDIO / file).read_text(encoding="utf-8").splitlines()
    texts = [line.partition("#")[0].strip() for line in lines if not line.startswith(("-", "#"))]
    return [Requirement(text) for text in texts if text]


def needed(wanted: list[Requirement]) -> dict[str, Distribution]:
    """Follow requirements to all that pip would install."""
    found: dict[str, Distribution] = {}
    queue = [requirement for requirement in wanted if requirement.marker is None or requirement.marker.evaluate()]
    while queue:
        name = canonicalize_name(queue.pop().name)
        if name in found:
            continue
        found[name] = own = distribution(name)
        further = [Requirement(text) for text in own.requires or []]
        queue += [r for r in further if r.marker is None or r.marker.evaluate({"extra": ""})]
    return found


def link(own: Distribution, site: Path) -> None:
    for file in own.files or []:
        if ".." not in file.parts and "__pycache__" not in file.parts:
            target = site / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(Path(str(own.locate_file(file))).resolve())


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like the image's /app, with a Python beside it that has what the scoring stage installs."""
    folder = tmp_path_factory.mktemp("image")
    for sources, target in re.findall(
        r"^COPY (?!--from)((?:shared|studio)\S*(?: shared/\S+)*) (\S+)$", DOCKERFILE, re.M
    ):
        if target.startswith("studio/"):
            continue  # requirements, for the stage that installs
        for source in (found for pattern in sources.split() for found in ROOT.glob(pattern)):
            place = folder / "app" / target
            if source.is_dir():
                shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, place)
    venv.create(folder / "scoring", symlinks=True)
    site = next((folder / "scoring" / "lib").glob("python*/site-packages"))
    packages = needed(requirements("requirements-scoring.txt")) | {"lightgbm": distribution("lightgbm")}
    for own in packages.values():
        link(own, site)
    return folder


def test_the_image_serves_a_published_model_without_any_training_library(
    image: Path, deploy: Deploy, quick_experiment: Path, data: Path
) -> None:
    python = str(image / "scoring" / "bin" / "python")
    deployment = deploy()
    deployment.environment.pop("PYTHONPATH", None)
    live = deployment.publish(quick_experiment, data, "live")["predictive"]["endpoints"]["live"]

    deployment.serve(workers=0, python=python, folder=image / "app")
    headers = {"Authorization": f"Bearer {live['primary_key']}"}
    answer = deployment.client.post(f"{live['api_location']}/execute", headers=headers, json=ROW)

    assert answer.status_code == 200
    assert answer.json()["Results"]["output1"]["value"]["Values"][0][:3] == ["40", "40", "clerk"]
    code = f"import importlib.util as u; print([m for m in {TRAINING_ONLY} if u.find_spec(m)])"
    found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert found.stdout.strip() == "[]"


def test_the_scoring_requirements_are_those_of_the_service_less_what_only_training_uses() -> None:
    scoring = {requirement.name for requirement in requirements("requirements-scoring.txt")}
    whole = {requirement.name for requirement in requirements("requirements.txt")}

    assert scoring < whole
    assert whole - scoring <= {"lightgbm", "numpy", "pyarrow", "scikit-learn", "scipy", "threadpoolctl"}


def test_both_images_run_as_a_user_without_rights_and_copy_only_what_is_there() -> None:
    both = DOCKERFILE + (STUDIO / "training.Dockerfile").read_text(encoding="utf-8")
    stages = both.split("\nFROM ")
    bases = [stage for stage in stages if " AS base" in stage]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", both, re.M)

    assert ["\nUSER 10001" in base for base in bases] == [True, True]
    assert all("USER root" not in stage for stage in stages)
    assert all((ROOT / source).exists() for sources in copied for source in sources.split() if "[" not in source)
