"""What people ask of training files: train it again, train what waits, release it, and why did it not trigger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from census_rows import people
from retraining_world import World

from shared.composition import compose
from shared.errors import RequestRefused
from shared.settings import ROOT


def test_bytes_that_trained_before_train_again_when_a_person_insists(world: World) -> None:
    world.drop("a.csv", people(600))
    world.tick()
    first = world.run()["id"]

    answer = world.app.asking.retrain("census", "a.csv", "ann", "the service was updated", force=True)
    world.tick()

    assert answer["run"]["id"] != first
    assert (answer["run"]["requested_by"], answer["run"]["request_reason"]) == ("ann", "the service was updated")
    assert world.service.count("POST", "/start$") == 2
    dataset = world.dataset("a.csv")
    assert dataset["run_id"] == answer["run"]["id"]
    (ask,) = dataset["asks"]
    assert (ask["what"], ask["by"], ask["run_before"], ask["run_id"]) == ("retrain", "ann", first, dataset["run_id"])


def test_a_duplicate_trains_under_its_own_name_when_a_person_insists(world: World) -> None:
    world.drop("a.csv", people(600))
    world.tick()
    world.drop("b.csv", people(600))

    answer = world.app.asking.retrain("census", "census/b.csv", "ann", "again", force=True)

    assert answer["dataset"]["state"] == "ACCEPTED"
    assert answer["run"]["datasets"] == ["census/b.csv"]


def test_a_request_without_force_trains_nothing_twice(world: World) -> None:
    world.drop("a.csv", people(600))
    with pytest.raises(RequestRefused, match=r"train already: run 'census-.*' is TRAINING"):
        world.app.asking.retrain("census", "a.csv", "ann", "")
    world.tick()

    with pytest.raises(RequestRefused, match="ended PROMOTED; to train on them again send `force`: true"):
        world.app.asking.retrain("census", "a.csv", "ann", "")
    assert world.service.count("POST", "/start$") == 1


@pytest.mark.parametrize(
    ("model", "dataset", "by", "reason", "force", "status", "said"),
    [
        ("nobody", None, "ann", "", False, 404, "there is no model 'nobody'; declared are census"),
        ("census", "gone.csv", "ann", "", False, 404, "there is no file 'census/gone.csv' in training-data"),
        ("census", None, "", "", False, 400, "say who asks: `by`"),
        ("census", "a.csv", "ann", " ", True, 400, "say why: `reason`"),
        ("census", None, "ann", "why not", True, 400, "`force` is for one file; name it: `dataset`"),
        ("census", "broken.csv", "ann", "", False, 409, "'census/broken.csv' is in quarantine: line 1"),
    ],
)
def test_a_request_that_cannot_be_met_says_why(
    world: World, model: str, dataset: str | None, by: str, reason: str, force: bool, status: int, said: str
) -> None:
    world.drop("broken.csv", b"x\n1\n")

    with pytest.raises(RequestRefused) as refused:
        world.app.asking.retrain(model, dataset, by, reason, force=force)

    assert refused.value.status == status
    assert said in str(refused.value)


def test_what_waits_for_its_schedule_trains_at_once_when_a_person_asks(world: World, tmp_path: Path) -> None:
    app = _with_models(world, tmp_path, ("# schedule", "schedule"))
    world.drop("a.csv", people(600, seed=1))
    world.drop("b.csv", people(600, seed=2))

    answer = app.asking.retrain("census", None, "ann", "cannot wait")

    assert answer["run"]["datasets"] == ["census/a.csv", "census/b.csv"]
    assert answer["run"]["requested_by"] == "ann"
    assert {ask["run_id"] for ask in world.dataset("b.csv")["asks"]} == {answer["run"]["id"]}
    nothing = app.asking.retrain("census", None, "ann", "")
    assert nothing["run"] is None
    assert nothing["answer"].startswith("nothing new since 'census/b.csv' of 20")


def test_a_request_whose_worker_died_is_carried_out_by_the_sweep(world: World) -> None:
    world.drop("a.csv", people(600))
    world.tick()
    receive = world.app.arrival.receive
    world.app.arrival.receive = lambda blob, by: None  # type: ignore[method-assign,assignment]
    world.app.asking.retrain("census", "a.csv", "ann", "again", force=True)
    assert world.dataset("a.csv")["state"] == "SEEN"
    world.app.arrival.receive = receive  # type: ignore[method-assign]

    world.app.sweeping._clock = lambda: datetime.now(UTC) + timedelta(minutes=10)
    assert world.app.sweeping.sweep() == ["census/a.csv"]

    assert world.dataset("a.csv")["state"] == "ACCEPTED"
    assert world.service.count("POST", "/start$") == 2


def test_a_quarantined_file_is_released_when_the_contract_was_put_right(world: World, tmp_path: Path) -> None:
    data = people(600).replace(b",Male,", b",Male,", 1).replace(b"\n", b"\n", 1).replace(b">50K", b">60K")
    world.drop("a.csv", data)
    assert world.dataset("a.csv")["state"] == "QUARANTINED"
    still = world.app.asking.release("a.csv", None, "ann", "perhaps")
    assert still["dataset"]["state"] == "QUARANTINED"

    app = _with_models(
        world, tmp_path, ('positive = ">50K"', 'positive = ">60K"'), ('"<=50K", ">50K"]', '"<=50K", ">60K"]')
    )
    released = app.asking.release("census/a.csv", None, "ann", "the label was renamed")

    assert released["dataset"]["state"] == "ACCEPTED"
    assert released["run"]["state"] == "TRAINING"
    assert [ask["reason"] for ask in released["dataset"]["asks"]] == ["perhaps", "the label was renamed"]
    with pytest.raises(RequestRefused, match="is ACCEPTED, not in quarantine"):
        app.asking.release("census/a.csv", None, "ann", "again")


def test_a_file_of_no_model_is_released_to_the_model_that_has_its_folder_now(world: World, tmp_path: Path) -> None:
    world.put("training-data/people/a.csv", people(600))
    world.app.arrival.receive(world.app.evaluation._stores.blobs.blob("training-data/people/a.csv"))

    app = _with_models(world, tmp_path, ('folder = "census"', 'folder = "people"'))
    released = app.asking.release("people/a.csv", None, "ann", "declared now")

    assert released["dataset"]["model"] == "census"
    assert released["run"]["state"] == "TRAINING"


def test_explain_says_why_a_file_did_or_did_not_trigger(world: World) -> None:
    world.drop("a.csv", people(600))
    world.tick()
    world.drop("b.csv", people(600))
    world.put("training-data/census/new.csv", people(700))

    (seen, outcome) = world.app.explaining.explain("a.csv", None)["explanation"]
    assert "which is there now, was seen at 20" in seen
    assert seen.endswith("after it was written, by its event.")
    assert outcome.startswith(f"It triggered run '{world.run()['id']}' at 20")
    assert "That run is PROMOTED: proven" in outcome or "That run is PROMOTED" in outcome
    assert (
        "same bytes arrived before as 'census/a.csv'"
        in world.app.explaining.explain("b.csv", "census")["explanation"][1]
    )
    assert "is not in the ledger yet" in world.app.explaining.explain("census/new.csv", None)["explanation"][0]
    with pytest.raises(RequestRefused, match=r"There is no file .census/none\.csv") as refused:
        world.app.explaining.explain("none.csv", None)
    assert refused.value.status == 404


def test_the_ledger_is_listed_page_by_page_newest_first(world: World) -> None:
    for number in range(5):
        world.drop(f"{number}.csv", b"x\n%d\n" % number)

    first = world.app.views.datasets(None, 2)
    second = world.app.views.datasets("census", 2, first["next"])
    third = world.app.views.datasets(None, 2, second["next"])

    names = [[file["name"] for file in page["datasets"]] for page in (first, second, third)]
    assert names == [["census/4.csv", "census/3.csv"], ["census/2.csv", "census/1.csv"], ["census/0.csv"]]
    assert third["next"] is None


def _with_models(world: World, folder: Path, *changes: tuple[str, str]):  # type: ignore[no-untyped-def]
    """Restart the app with other declarations."""
    text = (ROOT / "models.toml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = folder / "models.toml"
    file.write_text(text)
    world.app = compose(world.environment | {"MODELS_FILE": str(file)})
    return world.app
