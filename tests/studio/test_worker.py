"""The worker: cancellation, leases, workers that die or stop, errands that were lost or come twice."""

from __future__ import annotations

import base64
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing import forkserver
from pathlib import Path

import pytest
from azure.core.exceptions import ServiceRequestError
from exchanges import wait_for
from job_bench import Bench

from shared.errors import Changed
from shared.secret import Secret
from shared.wire import JobRequest
from studio.batch.batches import Batches
from studio.batch.job_order import JobOrder, Outcome
from studio.batch.job_process import JobProcess, warm_up
from studio.batch.job_sweep import sweep_jobs
from studio.batch.jobs import LEASE, UNSTARTED_LIFETIME, JobState
from studio.batch.worker import Worker
from studio.bootstrap import Service, assemble_worker
from studio.errors import InvalidOperation
from studio.services.keys import Vault, new_id
from studio.settings import Settings
from studio.store.jobs import JobStore
from studio.store.queue import Errand, JobQueue


def test_a_running_job_that_is_cancelled_stops_and_frees_its_worker(bench: Bench, working: threading.Event) -> None:
    job_id = bench.started(slow=True)
    wait_for(lambda: bench.job(job_id).state is JobState.RUNNING, "the job to run")

    bench.batches.cancel(bench.endpoint_id, job_id)
    follower = bench.started()
    wait_for(lambda: bench.job(follower).is_final, "the next job, which the cancelled one no longer holds up")

    assert bench.job(job_id).state is JobState.CANCELLED
    assert bench.job(follower).state is JobState.FINISHED


def test_a_worker_that_is_asked_to_stop_gives_its_job_back(
    bench: Bench, working: threading.Event, run_jobs: Callable[[], None]
) -> None:
    job_id = bench.started(slow=True)
    wait_for(lambda: bench.job(job_id).state is JobState.RUNNING, "the job to run")

    working.set()
    wait_for(lambda: bench.job(job_id).state is JobState.QUEUED, "the job to be given back")

    assert bench.job(job_id).attempts == 0
    assert bench.outputs() == set()


def test_the_next_worker_starts_a_given_back_job_at_once(bench: Bench, worker: Worker) -> None:
    job_id = bench.started()
    message = bench.queue.receive()
    while message is not None and message.errand is not Errand.RUN:
        message = bench.queue.receive()
    assert message is not None
    bench.queue.hold(message, timedelta())

    wait_for(lambda: worker.step(), "the errand to be seen again")

    assert bench.job(job_id).state is JobState.FINISHED


def test_a_job_whose_worker_died_is_tried_again(bench: Bench, run_jobs: Callable[[], None]) -> None:
    job_id = bench.started()
    bench.store.save(bench.job(job_id).claimed(datetime.now(UTC) - LEASE * 2))

    run_jobs()

    job = bench.job(job_id)
    assert (job.state, job.attempts) == (JobState.FINISHED, 2)
    assert bench.outputs() == {"model.ilearner", "metrics.csv"}


def test_a_job_whose_worker_died_twice_fails_and_says_so(bench: Bench, run_jobs: Callable[[], None]) -> None:
    job_id = bench.started()
    long_ago = datetime.now(UTC) - LEASE * 2
    bench.store.save(bench.store.save(bench.job(job_id).claimed(long_ago)).claimed(long_ago))

    run_jobs()

    job = bench.job(job_id)
    assert job.state is JobState.FAILED
    assert job.details == (
        "Module: Batch execution; Error 1000: the worker stopped unexpectedly in 2 attempts; submit the job again"
    )


def test_a_job_that_another_worker_holds_is_left_to_it(bench: Bench, run_jobs: Callable[[], None]) -> None:
    job_id = bench.started()
    held = bench.store.save(bench.job(job_id).claimed(datetime.now(UTC)))

    run_jobs()

    assert bench.job(job_id) == held


def test_a_worker_that_is_at_work_keeps_its_job_beyond_its_first_lease(bench: Bench, settings: Settings) -> None:
    """The other worker looks all the time, and the first lease is over after two seconds."""
    short = replace(settings, operation=replace(settings.operation, lease_seconds=2))
    stops = threading.Event(), threading.Event()
    own, other = (assemble_worker(short, stop)[1] for stop in stops)
    other._slots = None  # of another machine
    warm_up()
    thread = threading.Thread(target=own.run)
    job_id = bench.started(slow=True)
    thread.start()
    try:
        wait_for(lambda: bench.job(job_id).state is JobState.RUNNING, "the job to run")
        first, leases = bench.job(job_id).lease_until, set()
        assert first is not None
        while datetime.now(UTC) < first + timedelta(seconds=4):
            other.step()
            job = bench.job(job_id)
            assert (job.state, job.attempts) == (JobState.RUNNING, 1)
            assert job.lease_until is not None
            assert job.lease_until > datetime.now(UTC)
            leases.add(job.lease_until)
        assert len(leases) > 2
    finally:
        bench.batches.cancel(bench.endpoint_id, job_id)
        stops[0].set()
        thread.join()


def test_an_errand_that_comes_twice_runs_the_job_once(bench: Bench, run_jobs: Callable[[], None]) -> None:
    job_id = bench.started()
    bench.queue.ask_to_run(bench.endpoint_id, job_id)

    run_jobs()

    assert (bench.job(job_id).state, bench.job(job_id).attempts) == (JobState.FINISHED, 1)


def test_a_job_whose_run_errand_was_lost_is_found_by_the_other_errand(
    service: Service, bench: Bench, run_jobs: Callable[[], None]
) -> None:
    job_id = bench.submitted()
    bench.store.save(bench.job(job_id).to(JobState.QUEUED))  # and then the service died
    _settle_now(service, bench.endpoint_id, job_id)

    run_jobs()

    assert bench.job(job_id).state is JobState.FINISHED


def test_an_unstarted_job_is_removed_when_its_time_is_over(
    service: Service, bench: Bench, run_jobs: Callable[[], None]
) -> None:
    job_id = bench.submitted()
    job = bench.job(job_id)
    bench.store.remove(job)
    bench.store.insert(replace(job, created_at=job.created_at - UNSTARTED_LIFETIME))
    _settle_now(service, bench.endpoint_id, job_id)

    run_jobs()

    assert bench.store.get(bench.endpoint_id, job_id) is None


def test_messages_that_are_no_errands_are_dropped(service: Service, bench: Bench, run_jobs: Callable[[], None]) -> None:
    for text in ("nonsense", "{}", '{"errand":"dance","endpoint":"a","job":"b"}', "[]"):
        service.storage.queue.send_message(text)
    job_id = bench.started()

    for _ in range(5):
        run_jobs()

    assert bench.job(job_id).state is JobState.FINISHED
    assert list(service.storage.queue.peek_messages()) == []


def test_an_unforeseen_error_fails_the_job_without_its_text(tmp_path: Path, service: Service) -> None:
    warm_up()
    hosts = service.settings.blob_hosts
    order = JobOrder("job", "", JobRequest(), Secret("AccountKey=topsecret"), hosts, str(tmp_path), 1)

    outcome = _outcome_of(JobProcess(order))

    assert outcome.state is JobState.FAILED
    assert "topsecret" not in str(outcome.details)


def test_a_job_that_cannot_be_read_is_left_to_other_workers_and_then_fails(
    service: Service, bench: Bench, run_jobs: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = JobStore(service.storage.jobs, Vault(Secret(base64.b64encode(bytes(32)).decode())))
    job_id = Batches(other, bench.queue, service.blobs).submit(bench.endpoint_id, bench.experiment, bench.request).id
    bench.queue.ask_to_run(bench.endpoint_id, job_id)
    run_jobs()
    left = other.get(bench.endpoint_id, job_id)
    assert left is not None
    assert not left.is_final

    monkeypatch.setattr("studio.batch.worker._UNREADABLE_LOOKS", 1)
    bench.queue.ask_to_run(bench.endpoint_id, job_id)
    follower = bench.started()
    run_jobs()

    job = bench.job(job_id)
    assert (job.state, job.request) == (JobState.FAILED, JobRequest())
    assert job.details == (
        "Module: Batch execution; Error 1000: what is stored of this job cannot be read; submit the job again"
    )
    assert bench.job(follower).state is JobState.FINISHED


def test_the_death_of_the_fork_server_costs_neither_a_job_nor_the_worker(
    bench: Bench, working: threading.Event
) -> None:
    running = bench.started(slow=True)
    wait_for(lambda: bench.job(running).state is JobState.RUNNING, "the job to run")

    os.kill(_fork_server(), signal.SIGKILL)
    follower = bench.started()
    time.sleep(1.0)  # two looks of the worker at its job
    assert bench.job(running).state is JobState.RUNNING
    bench.batches.cancel(bench.endpoint_id, running)
    wait_for(lambda: bench.job(follower).is_final, "the next job, forked from another server")

    assert bench.job(follower).state is JobState.FINISHED
    assert bench.job(running).state is JobState.CANCELLED


def test_a_job_whose_process_cannot_be_forked_is_tried_once_more(
    bench: Bench, run_jobs: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(order: JobOrder) -> JobProcess:
        monkeypatch.undo()
        raise EOFError("the fork server ended between its call and its answer")

    monkeypatch.setattr("studio.batch.worker.JobProcess", dying)
    job_id = bench.started()

    run_jobs()

    assert (bench.job(job_id).state, bench.job(job_id).attempts) == (JobState.FINISHED, 2)


def _fork_server() -> int:
    return int(forkserver._forkserver._forkserver_pid)  # type: ignore[attr-defined]


def test_jobs_over_an_endpoints_maximum_wait_and_run_in_their_order(bench: Bench, worker: Worker) -> None:
    """Studio's maximum was 40."""
    now = datetime.now(UTC)
    running = [bench.store.save(bench.job(bench.started()).claimed(now)) for _ in range(39)]
    fortieth = bench.started()
    wait_for(lambda: worker.step() and bench.job(fortieth).is_final, "the fortieth to run beside 39 others")
    running.append(bench.store.save(bench.job(bench.started()).claimed(now)))
    first, second = bench.started(), bench.started()
    for _ in range(4):
        worker.step()
    assert {bench.job(job_id).state for job_id in (first, second)} == {JobState.QUEUED}

    bench.store.save(running[0].ended(JobState.FINISHED, now))
    bench.queue.ask_to_run(bench.endpoint_id, second)  # is seen before the other's errand, and has to wait for it
    wait_for(lambda: worker.step() and bench.job(second).is_final, "both to run")

    ended = [bench.job(job_id).ended_at for job_id in (first, second)]
    assert None not in ended
    assert ended == sorted(ended, key=str)


def test_another_endpoints_jobs_count_for_nothing(
    bench: Bench, run_jobs: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.batch.worker.MAX_RUNNING", 1)
    bench.store.save(bench.job(bench.started()).claimed(datetime.now(UTC)))
    bench.endpoint_id = new_id()
    job_id = bench.started()

    run_jobs()

    assert bench.job(job_id).state is JobState.FINISHED


def test_a_start_that_failed_half_way_is_made_good_by_the_next(
    bench: Bench, run_jobs: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = bench.submitted()
    with monkeypatch.context() as patch:
        patch.setattr(JobQueue, "ask_to_run", _without_storage)
        with pytest.raises(ServiceRequestError):
            bench.batches.start(bench.endpoint_id, job_id)

    with pytest.raises(InvalidOperation, match="it was started before, and is NotStarted now"):
        bench.batches.start(bench.endpoint_id, job_id)
    run_jobs()

    assert bench.job(job_id).state is JobState.FINISHED


def test_a_job_that_was_cancelled_before_its_start_says_so(bench: Bench) -> None:
    job_id = bench.submitted()
    bench.batches.cancel(bench.endpoint_id, job_id)

    with pytest.raises(InvalidOperation, match="it was cancelled before, and is Cancelled now"):
        bench.batches.start(bench.endpoint_id, job_id)


def test_an_ended_job_keeps_what_its_results_need_and_is_forgotten_after_its_time(
    bench: Bench, run_jobs: Callable[[], None]
) -> None:
    finished, cancelled, waiting = bench.started(), bench.submitted(), bench.submitted()
    bench.batches.cancel(bench.endpoint_id, cancelled)
    run_jobs()
    kept = {job_id: bench.job(job_id).request for job_id in (finished, cancelled, waiting)}
    now = datetime.now(UTC)

    early = sweep_jobs(bench.store, timedelta(days=30), now)
    late = sweep_jobs(bench.store, timedelta(days=30), now + timedelta(days=30))

    assert kept == {
        finished: JobRequest(outputs=bench.request.outputs),
        cancelled: JobRequest(),
        waiting: bench.request,
    }
    assert early == 0
    assert late >= 2
    assert [bench.store.get(bench.endpoint_id, job_id) is None for job_id in kept] == [True, True, False]
    assert bench.outputs() == {"model.ilearner", "metrics.csv"}


def _without_storage(*_: object) -> None:
    raise ServiceRequestError("no answer")


def test_a_stale_save_loses(bench: Bench) -> None:
    stale = bench.job(bench.submitted())
    bench.store.save(stale.to(JobState.QUEUED))

    with pytest.raises(Changed):
        bench.store.save(stale.to(JobState.CANCELLED))


def _settle_now(service: Service, endpoint_id: str, job_id: str) -> None:
    """Send the errand that submission sends, without its five minutes."""
    service.storage.queue.send_message(f'{{"errand":"settle","endpoint":"{endpoint_id}","job":"{job_id}"}}')


def _outcome_of(process: JobProcess) -> Outcome:
    deadline = time.monotonic() + 30
    try:
        while (outcome := process.outcome(0.1)) is None:
            assert time.monotonic() < deadline, "the training process did not end"
    finally:
        process.close()
    return outcome
