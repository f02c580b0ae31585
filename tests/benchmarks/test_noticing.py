"""What the benchmarks notice: gaps between answers, other programs' work, answers of another model."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from benchmarks.answers import check, probabilities
from benchmarks.bench import interleaved
from benchmarks.clients import Answer, longest_gap
from benchmarks.errors import BenchError
from benchmarks.processes import cpu_seconds, family, memory_mb
from benchmarks.server import Target


def test_the_longest_gap_is_between_good_answers_and_ends_after_the_swap() -> None:
    times = [(0.0, 0.5), (3.0, 0.5), (3.1, None), (3.4, 0.5), (3.5, 0.6)]
    answers = [Answer(at, probability) for at, probability in times]

    assert longest_gap(answers, since=3.05) == pytest.approx(0.4)


def test_no_answer_after_the_swap_is_an_endless_gap() -> None:
    assert longest_gap([Answer(0.0, 0.5), Answer(1.0, 0.5)], since=2.0) == float("inf")


def test_the_order_of_cases_turns_round_every_second_round() -> None:
    assert list(interleaved(2, "ab")) == [(0, "a"), (0, "b"), (1, "b"), (1, "a")]


def test_probabilities_are_read_from_both_wire_formats() -> None:
    ours = b'{"Results": {"output1": {"type": "table", "value": {"Values": [["39", ">50K", "0.25"]]}}}}'

    assert probabilities(ours) == probabilities(b"[0.25]") == [0.25]


def test_a_family_holds_children_with_their_memory_and_time() -> None:
    program = "import sys; sum(range(10**6)); print('done', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:  # noqa: S603
        assert child.stdout is not None
        child.stdout.readline()

        assert child.pid in family(child.pid)
        assert memory_mb(child.pid) > 1
        assert cpu_seconds(child.pid) >= 0
        child.communicate()
    assert child.pid not in family(child.pid)


@pytest.mark.parametrize(("expected", "problem"), [([0.25], None), ([0.250002], "scores 1 row"), ([0.2500005], None)])
def test_an_answer_of_another_model_is_refused(target: Target, expected: list[float], problem: str | None) -> None:
    if problem is None:
        check(target, expected)
        return

    with pytest.raises(BenchError, match=problem):
        check(target, expected)


class _Scorer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"[0.25]")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    request = tmp_path / "request.json"
    request.write_bytes(b"{}")
    with HTTPServer(("127.0.0.1", 0), _Scorer) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Target("a scorer", ("unused",), server.server_port, "/score", {1: request})
        server.shutdown()
        thread.join()
