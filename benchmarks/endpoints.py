"""Many endpoints, each with a model of its own, in one scorer: memory, start, swap; what idle endpoints cost."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from benchmarks.answers import is_same, probabilities
from benchmarks.bench import N_TREES, Bench
from benchmarks.errors import BenchError
from benchmarks.figures import Figure, Observation, Samples
from benchmarks.places import BENCH, EXPERIMENT
from benchmarks.processes import MEMORY_KIND
from benchmarks.quiet import Watch, wait_for_calm
from benchmarks.server import Server
from benchmarks.service import Service
from shared.wire import Endpoint
from studio.engine.experiment import parse_experiment
from studio.engine.scorer import Scorer
from studio.engine.training import train

_N_ENDPOINTS, _QUICK_N_ENDPOINTS = 1000, 50
_N_SWAPS = 20
_LIMIT_S = 60.0
_SAY_EVERY = 250
_N_ROWS = 4000  # of a customer: enough for trees of full size


def run(bench: Bench) -> list[Figure]:
    """
    Publish, restart, score every endpoint once, and replace models; each answer is compared with its own model's.

    Raises:
        BenchError: An endpoint answered with another model than its own.
    """
    n_endpoints = _QUICK_N_ENDPOINTS if bench.quick else _N_ENDPOINTS
    models = _models(bench, n_endpoints)
    with Service(bench.kit.adult) as service:
        target = service.target(bench.pipelines.requests(N_TREES, "service"))
        with Server(target) as server:
            one_endpoint_mb = server.memory_mb
            endpoints, creation = _create(bench, service, models)
        with Server(target) as server:
            idle_mb = server.memory_mb
            asking = _Asking(target.port, target.bodies[1].read_bytes())
            first = [asking.seconds_for(e, m) for e, m in zip(endpoints, models, strict=True)]
            scored_mb = server.memory_mb
            again = [asking.seconds_for(e, m) for e, m in zip(endpoints, models, strict=True)]
            swaps, foreign = _swaps(service, asking, endpoints, models)
            start_s = server.cold_start_s
    return _figures(n_endpoints, one_endpoint_mb, idle_mb, scored_mb, start_s, creation, first, again, swaps, foreign)


class _Asking:
    """Scores one row with endpoint after endpoint over one connection."""

    def __init__(self, port: int, body: bytes) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_LIMIT_S)
        self._body = body
        table = json.loads(body)["Inputs"]["input1"]
        self._columns, self._rows = table["ColumnNames"], table["Values"]

    def seconds_for(self, endpoint: Endpoint, model: Path) -> float:
        """Return how long the answer took, once it is known to be the model's."""
        expected, began = self._expected(model), time.perf_counter()
        found = self._ask(endpoint)
        seconds = time.perf_counter() - began
        if not is_same(found, expected):
            raise BenchError(f"endpoint '{endpoint.name}' answered {found}; its model says {expected}")
        return seconds

    def seconds_until(self, endpoint: Endpoint, model: Path, began: float) -> float:
        """Return how long after `began` the endpoint's answers are the model's."""
        expected = self._expected(model)
        while not is_same(self._ask(endpoint), expected):
            if time.perf_counter() > began + _LIMIT_S:
                raise BenchError(f"endpoint '{endpoint.name}' kept its old model for {_LIMIT_S:.0f} s")
        return time.perf_counter() - began

    def _expected(self, model: Path) -> float:
        return float(Scorer.load(model.read_bytes()).score(self._columns, self._rows)[0][-1] or "nan")

    def _ask(self, endpoint: Endpoint) -> float:
        path = endpoint.api_location.partition(f":{self._connection.port}")[2]
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {endpoint.primary_key.reveal()}"}
        self._connection.request("POST", f"{path}/execute?api-version=2.0&details=true", self._body, headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != http.client.OK:
            raise BenchError(f"endpoint '{endpoint.name}' answered {answer.status}: {body[:300]!r}")
        return probabilities(body)[0]


def _models(bench: Bench, n_models: int) -> list[Path]:
    """Train models that differ by the rows they saw, as batch execution would; made once."""
    folder = BENCH / "models" / f"{bench.kit.adult.stem}-customers"
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "customer.csv"
    with bench.kit.adult.open(encoding="utf-8") as adult:
        data.write_text("".join(islice(adult, _N_ROWS + 1)), encoding="utf-8")
    experiment = parse_experiment(EXPERIMENT.read_text(encoding="utf-8"), EXPERIMENT.name)
    paths = [folder / f"{number:04}.ilearner" for number in range(n_models)]
    for number, path in enumerate(paths):
        if not path.exists():
            _say_sometimes(bench.say, f"training model {number:,} of {n_models:,}", number)
            trained = train(experiment, data, ".csv", threads=1, parameters={"Random seed": str(number)})
            path.write_bytes(trained.model_file)
    return paths


def _create(bench: Bench, service: Service, models: Sequence[Path]) -> tuple[list[Endpoint], list[float]]:
    """Create an endpoint for each model and PATCH the model in; returns them with the seconds that each PATCH took."""
    endpoints, seconds = [], []
    for number, model in enumerate(models):
        _say_sometimes(bench.say, f"creating endpoint {number:,} of {len(models):,}", number)
        blob = service.upload(model, model.name)
        endpoints.append(service.create_endpoint(f"customer{number:04}"))
        began = time.perf_counter()
        service.patch_model(blob, endpoints[-1].name)
        seconds.append(time.perf_counter() - began)
    return endpoints, seconds


def _swaps(
    service: Service, asking: _Asking, endpoints: Sequence[Endpoint], models: Sequence[Path]
) -> tuple[list[float], list[float | None]]:
    """Give some endpoints their neighbour's model; seconds from the PATCH to its first answer."""
    seconds, foreign = [], []
    for number in range(_N_SWAPS):
        at = number * (len(endpoints) - 1) // _N_SWAPS
        wait_for_calm(1.0)
        with Watch() as watch:
            began = time.perf_counter()
            service.patch_model(service.place(models[at + 1].name), endpoints[at].name)
            seconds.append(asking.seconds_until(endpoints[at], models[at + 1], began))
        foreign.append(watch.foreign)
    return seconds, foreign


def _figures(
    n_endpoints: int,
    one_endpoint_mb: float,
    idle_mb: float,
    scored_mb: float,
    start_s: float,
    creation: Sequence[float],
    first: Sequence[float],
    again: Sequence[float],
    swaps: Sequence[float],
    foreign: Sequence[float | None],
) -> list[Figure]:
    many = f"{n_endpoints:,} endpoints"
    tenth = max(1, n_endpoints // 10)
    return [
        Observation(f"memory with 2 endpoints ({MEMORY_KIND})", "MB", Samples([one_endpoint_mb])),
        Observation(f"{many}: memory after the start ({MEMORY_KIND})", "MB", Samples([idle_mb])),
        Observation(f"{many}: memory once all have scored ({MEMORY_KIND})", "MB", Samples([scored_mb])),
        Observation(f"{many}: start to the first answer", "s", Samples([start_s])),
        Observation(f"{many}: first score of each", "s", Samples(first)),
        Observation(f"{many}: second score of each", "s", Samples(again)),
        Observation(f"{many}: PATCH, among the first tenth", "s", Samples(creation[:tenth])),
        Observation(f"{many}: PATCH, among the last tenth", "s", Samples(creation[-tenth:])),
        Observation(f"{many}: PATCH to the first answer of the new model", "s", Samples(swaps, foreign)),
    ]


def _say_sometimes(say: Callable[[str], None], text: str, number: int) -> None:
    if number % _SAY_EVERY == 0:
        say(text)
