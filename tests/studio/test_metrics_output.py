"""The metrics table in each format that a blob's name may ask for."""

from __future__ import annotations

import pytest

from studio.metrics_output import in_format

CSV = b"Accuracy,AUC,Average Log Loss\n0.867,NaN,1.5E-06\n"


@pytest.mark.parametrize(
    ("extension", "written"),
    [
        (".csv", CSV),
        (".tsv", b"Accuracy\tAUC\tAverage Log Loss\n0.867\tNaN\t1.5E-06\n"),
        (".nh.csv", b"0.867,NaN,1.5E-06\n"),
        (".nh.tsv", b"0.867\tNaN\t1.5E-06\n"),
        (
            ".arff",
            b"@RELATION metrics\n@ATTRIBUTE 'Accuracy' NUMERIC\n@ATTRIBUTE 'AUC' NUMERIC\n"
            b"@ATTRIBUTE 'Average Log Loss' NUMERIC\n@DATA\n0.867,?,1.5E-06\n",
        ),
    ],
)
def test_metrics_are_written_as_the_extension_says(extension: str, written: bytes) -> None:
    assert in_format(CSV, extension) == written


def test_windows_line_ends_do_not_reach_the_other_formats() -> None:
    assert in_format(CSV.replace(b"\n", b"\r\n"), ".nh.csv") == b"0.867,NaN,1.5E-06\n"
