"""
Checkov's security policies over the Bicep files: `python -m infra.checks.security CHECKOV`.

Checkov ends with success when it could not read a file; here that is a failure. Its parser is older than one decorator
that the files use, which is taken out of a copy first; line numbers stay.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

INFRA = Path(__file__).parents[1]

_UNREADABLE = re.compile(r"^@onlyIfNotExists\(\)$", re.M)
# Policies that no comment beside a resource can answer: checkov reads none beside a parameter.
SUPPRESSED = {
    "CKV_AZURE_131": "the secure parameters' defaults are newGuid(): drawn at each deployment, written nowhere",
}


def main(arguments: Sequence[str]) -> int:
    """Run the executable named and print what it found; 0 when there is nothing."""
    with tempfile.TemporaryDirectory() as folder:
        copy = readable_copy(INFRA, Path(folder))
        options = ["--framework", "bicep", "--compact", "--skip-download", "-o", "json"]
        skipped = ["--skip-check", ",".join(SUPPRESSED)]
        done = subprocess.run(  # noqa: S603 (the executable is the caller's to name)
            [arguments[0], "-d", str(copy), *options, *skipped], capture_output=True, text=True, check=False
        )
    if not done.stdout.strip():
        print(done.stderr, file=sys.stderr)
        return 2
    problems, n_passed = judge(json.loads(done.stdout))
    print(*problems, sep="\n")
    print(f"checkov: {n_passed} passed, {len(problems)} problems")
    return 1 if problems or not n_passed else 0


def readable_copy(infra: Path, folder: Path) -> Path:
    """Copy the Bicep files, without what checkov's parser does not know."""
    for path in infra.rglob("*.bicep"):
        target = folder / path.relative_to(infra)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        target.write_text(_UNREADABLE.sub("", path.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


def judge(report: Mapping[str, Any]) -> tuple[list[str], int]:
    """Return what a report complains of, unread files included, and how many checks passed."""
    results, summary = report.get("results", {}), report.get("summary", report)
    problems = [
        f"infra{check['file_path']}:{check['file_line_range'][0]}: {check['check_id']}: {check['check_name']}"
        for check in results.get("failed_checks", ())
    ]
    problems += [f"infra: checkov cannot read {Path(path).name}" for path in results.get("parsing_errors", ())]
    if summary.get("parsing_errors") and not results.get("parsing_errors"):
        problems.append(f"infra: checkov could not read {summary['parsing_errors']} files")
    return problems, int(summary.get("passed", 0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
