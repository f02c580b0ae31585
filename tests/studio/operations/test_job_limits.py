"""What one job may take: time, memory, input size, and a place to train."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from azure.storage.blob import ContainerClient
from exchanges import people

from shared.errors import ConfigError
from shared.wire import BlobReference, JobRequest
from studio.batch.doorbell import Doorbell
from studio.batch.job_order import JobOrder, Outcome
from studio.batch.job_process import JobProcess, warm_up
from studio.batch.jobs import JobState
from studio.batch.training_slot import TrainingSlots, n_cores, n_slots_on
from studio.bootstrap import Service
from studio.operation import JobLimits, Operation
from studio.settings import Settings


@pytest.fixture
def order(service: Service, box: ContainerClient, slow_experiment: Path, tmp_path: Path) -> JobOrder:
    warm_up()
    box.upload_blob("train.csv", people(tmp_path / "rows.csv", 3000).read_bytes())
    storage, name = service.settings.storage, box.container_name
    request = JobRequest(
        {"input1": BlobReference(f"{name}/train.csv", connection=storage)},
        {
            "output1": BlobReference(f"{name}/m.ilearner", connection=storage),
            "output2": BlobReference(f"{name}/m.csv", connection=storage),
        },
    )
    folder = tmp_path / "job"
    folder.mkdir()
    experiment = slow_experiment.read_text(encoding="utf-8")
    return JobOrder("job", experiment, request, storage, service.settings.blob_hosts, str(folder), 1)


def outcome_under(order: JobOrder, limits: JobLimits) -> Outcome:
    process = JobProcess(replace(order, limits=limits))
    deadline = time.monotonic() + 60
    try:
        while (outcome := process.outcome(0.1)) is None:
            assert time.monotonic() < deadline, "the training process did not end"
    finally:
        process.close()
    return outcome


def test_a_job_within_its_limits_finishes(order: JobOrder) -> None:
    assert outcome_under(order, JobLimits()) == Outcome(JobState.FINISHED)


def test_a_job_that_takes_too_long_fails_and_says_so(order: JobOrder) -> None:
    outcome = outcome_under(order, JobLimits(seconds=0.2))

    assert outcome.state is JobState.FAILED
    assert "the job was stopped after 0.2 seconds, its limit" in str(outcome.details)
    assert not outcome.is_crash


def test_a_job_that_takes_too_much_memory_fails_and_says_so(order: JobOrder) -> None:
    outcome = outcome_under(order, JobLimits(memory_bytes=2**20))

    assert outcome.state is JobState.FAILED
    assert "Error 0138" in str(outcome.details)
    assert "may take 1 MiB" in str(outcome.details)


def test_a_job_whose_input_is_too_large_fails_and_says_so(order: JobOrder) -> None:
    outcome = outcome_under(order, JobLimits(input_bytes=100))

    assert outcome.state is JobState.FAILED
    assert "this service reads at most 100" in str(outcome.details)


def test_a_job_gives_way_to_whoever_scores_on_the_same_machine(order: JobOrder) -> None:
    process = JobProcess(order)
    try:
        pid = process.pid or 0
        deadline = time.monotonic() + 30
        while os.getpriority(os.PRIO_PROCESS, pid) < 19:
            assert time.monotonic() < deadline, "the job runs at the priority of a scoring process"
            time.sleep(0.01)
    finally:
        process.close()


def test_a_job_ends_with_its_worker_in_the_midst_of_training(order: JobOrder) -> None:
    endless = replace(order, experiment=order.experiment.replace("= 600\n", "= 9999\n"))
    process = JobProcess(endless)
    try:
        fetched, deadline = Path(order.directory, "input.csv"), time.monotonic() + 30
        while not (fetched.exists() and fetched.stat().st_size):
            assert time.monotonic() < deadline, "the data was not fetched"
            time.sleep(0.01)
        time.sleep(0.3)  # by now it reads or fits

        process._pipe.close()
        process._process.join(30)

        assert process._process.exitcode == 3  # nobody waits for its outcome
    finally:
        process.close()


def test_a_process_that_is_killed_is_told_apart_from_one_that_fails(order: JobOrder) -> None:
    process = JobProcess(order)
    process._process.kill()

    outcome = process.outcome(30)
    process.close()

    assert outcome is not None
    assert outcome.is_crash
    assert "exit code -9 (SIGKILL)" in str(outcome.details)


def test_places_to_train_are_counted_over_processes_and_freed(tmp_path: Path) -> None:
    first, second, third = (TrainingSlots(2, tmp_path) for _ in range(3))

    taken = [first.take(), second.take(), third.take()]
    second.free()
    after = [third.take(), second.take(), third.take()]
    for slots in (first, second, third):
        slots.free()

    assert taken == [True, True, False]
    assert after == [True, False, True]


def test_who_waits_for_a_place_gets_it_before_who_just_had_it(tmp_path: Path) -> None:
    busy, waiting = TrainingSlots(1, tmp_path), TrainingSlots(1, tmp_path)

    taken = [busy.take(), waiting.take()]
    busy.free()
    after = [busy.take(), waiting.take()]
    waiting.free()

    assert taken == [True, False]
    assert after == [False, True]
    assert busy.take()
    busy.free()


def test_who_waits_no_longer_leaves_the_turn_to_others(tmp_path: Path) -> None:
    busy, leaving, other = (TrainingSlots(1, tmp_path) for _ in range(3))
    assert busy.take()
    assert not leaving.take()

    leaving.free()
    busy.free()

    assert other.take()
    other.free()


@pytest.mark.parametrize(("cores", "places"), [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (64, 32)])
def test_a_machine_has_a_place_to_train_for_every_two_cores(cores: int, places: int) -> None:
    assert n_slots_on(cores) == places


def test_without_a_number_this_machine_has_the_places_of_its_cores(tmp_path: Path) -> None:
    n_places = n_slots_on(n_cores())
    takers = [TrainingSlots(directory=tmp_path) for _ in range(n_places + 1)]

    taken = [slots.take() for slots in takers]
    for slots in takers:
        slots.free()

    assert taken == [True] * n_places + [False]


@pytest.fixture
def bell() -> Iterator[Doorbell]:
    bell = Doorbell.hung()
    yield bell
    os.close(bell.listens_at)
    os.close(bell.rings_at)


def test_one_ring_wakes_one_listener_once(bell: Doorbell) -> None:
    bell.ring()

    assert [bell.wait(0), bell.wait(0)] == [True, False]


def test_a_bell_that_nobody_answers_never_blocks_who_rings(bell: Doorbell) -> None:
    for _ in range(100_000):
        bell.ring()

    assert bell.wait(0)


def test_optional_settings_have_defaults_and_take_values() -> None:
    problems: list[str] = []

    plain = Operation.from_env({}, problems)
    given = Operation.from_env({"STUDIO_JOB_MINUTES": "5", "STUDIO_PROCESSES": "3"}, problems)

    assert (plain, problems) == (Operation(), [])
    assert (given.job_limits.seconds, given.processes) == (300, 3)


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "9" * 30, "٣"])
def test_a_setting_outside_its_range_is_named(settings: Settings, value: str) -> None:
    env = {"STUDIO_STORAGE": settings.storage.reveal(), "STUDIO_JOB_MINUTES": value}

    with pytest.raises(ConfigError, match="STUDIO_JOB_MINUTES must be a whole number from 1 to 10080"):
        Settings.from_env(env)
