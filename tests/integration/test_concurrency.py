"""Many workers at the same run at the same time: one of them wins each step, and the others drop the work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from census_rows import people
from retraining_world import World

from shared.composition import compose

WORKERS = 4


def test_workers_that_do_everything_at_once_train_once_and_promote_once(world: World) -> None:
    workers = [compose(world.environment, world.clock) for _ in range(WORKERS)]
    world.put("training-data/census/a.csv", people(600))

    with ThreadPoolExecutor(WORKERS) as threads:
        blobs = [app.evaluation._stores.blobs for app in workers]
        arrivals = [
            threads.submit(app.arrival.receive, blob.blob("training-data/census/a.csv"))
            for app, blob in zip(workers, blobs, strict=True)
        ]
        for arrival in arrivals:
            arrival.exception()  # a worker that lost may say so; its event would come again
        for _ in range(6):
            list(threads.map(lambda app: app.polling.tick(), workers))  # timers that overlap
            run_id = world.run()["id"]
            for done in [threads.submit(app.evaluation.evaluate, "census", run_id) for app in workers]:
                done.result()  # a message that was delivered to everyone
            world.pass_time(minutes=1)

    assert world.run()["state"] == "PROMOTED", world.run()
    assert len(world.app.views.runs(None)["runs"]) == 1
    assert sum(job.started for job in world.service.jobs.values()) == 1
    assert len(world.service.jobs) == 1  # jobs that lost the race for the run were cancelled
    assert [row["outcome"] for row in world.rows("decisions")] == ["PROMOTED"]
    assert world.service.count("PATCH", "/live") == 1
    assert world.service.served["live"] == "quality=1.0"


def test_twins_that_arrive_at_once_are_told_apart_without_the_sweep(world: World) -> None:
    names = ("a.csv", "b.csv", "c.csv")
    workers = [compose(world.environment, world.clock) for _ in names]
    for name in names:
        world.put(f"training-data/census/{name}", people(600))

    with ThreadPoolExecutor(len(names)) as threads:
        for arrival in [
            threads.submit(app.arrival.receive, app.evaluation._stores.blobs.blob(f"training-data/census/{name}"))
            for app, name in zip(workers, names, strict=True)
        ]:
            arrival.result()

    assert sorted(world.dataset(name)["state"] for name in names) == ["ACCEPTED", "DUPLICATE", "DUPLICATE"]
