"""`python -m infra.checks TYPES`: check infra/, print what is wrong, end with 1 if anything is."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.checks.azure_types import TypeLibrary
from infra.checks.checking import check_folder

INFRA = Path(__file__).parents[1]


def main(arguments: list[str]) -> int:
    """Check the folder that this package is in."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("python -m infra.checks TYPES: TYPES is a folder of {provider}/{version}/*.types.json", file=sys.stderr)
        return 2
    report = check_folder(INFRA, TypeLibrary(Path(arguments[0])))
    for finding in report.findings:
        print(finding)
    for name in sorted(report.undescribed):
        print(f"not checked, no description here: {name}")
    print(f"{report.n_files} files, {report.n_resources} resources, {len(report.findings)} findings")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
