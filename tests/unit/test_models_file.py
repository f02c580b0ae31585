"""models.toml: what is read, and that every problem is named at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from shared.declarations.models_file import load_models
from shared.domain.data.contract import Kind
from shared.domain.gate import Mode, Policy
from shared.domain.model import Costs, Price
from shared.errors import ConfigError
from shared.settings import ROOT, Settings

ENVIRONMENT = {
    "CENSUS_JOBS_URL": "https://studio.example/workspaces/w/services/t/jobs",
    "CENSUS_JOBS_KEY": "key-of-jobs",
    "CENSUS_LIVE_URL": "https://studio.example/workspaces/w/webservices/s/endpoints/live",
    "CENSUS_LIVE_KEY": "key-of-live",
    "CENSUS_STAGING_URL": "https://studio.example/workspaces/w/webservices/s/endpoints/staging",
    "CENSUS_STAGING_KEY": "key-of-staging",
}
SAMPLE = (ROOT / "models.toml").read_text()


def load(tmp_path: Path, text: str, environment: dict[str, str] | None = None):  # type: ignore[no-untyped-def]
    file = tmp_path / "models.toml"
    file.write_text(text)
    return load_models(file, ENVIRONMENT if environment is None else environment)


def test_the_sample_declares_the_census_model(tmp_path: Path) -> None:
    model = load(tmp_path, SAMPLE)["census"]

    assert model.training.outputs == {"output1": ".ilearner", "output2": ".csv"}
    assert model.gate
    assert model.gate.floors == {"AUC": 0.75, "Accuracy": 0.75}
    assert model.contract.label == "income"
    assert model.contract.columns[0].kind is Kind.INTEGER
    assert model.policy.training_budget == timedelta(hours=6)
    assert model.live.key.reveal() == "key-of-live"


def test_a_models_own_value_wins_over_the_default(tmp_path: Path) -> None:
    model = load(tmp_path, SAMPLE + "\n[models.census.budgets]\ntraining_min = 5\n")["census"]

    assert model.policy.training_budget == timedelta(minutes=5)
    assert model.policy.evaluation_budget == timedelta(minutes=30)
    assert model.policy.proof_budget == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('key = "%CENSUS_JOBS_KEY%"', 'key = "abc123"', "models.census.training.key: holds a secret; write '%NAME%'"),
        ('metric = "AUC"', 'metric = "auc"', "models.census.gate.metric: 'auc' cannot be measured"),
        ("margin = 0.01", 'margin = "small"', "models.census.gate.margin: expected an integer or a number, got a text"),
        ("margin = 0.01", "margin = -0.5", "models.census.gate.margin: expected a number of at least 0"),
        ("margin = 0.01", "margin = true", "models.census.gate.margin: expected an integer or a number, got a boolean"),
        ("margin = 0.01", "margine = 0.01", "models.census.gate.margine: is not known here"),
        ("AUC = 0.75", "AOC = 0.75", "models.census.gate.floors.AOC: is no metric of a two-class model's output2"),
        ("AUC = 0.75", "\"Average Log Loss\" = 0.5", "lower is better there; write the greatest value allowed under"),
        ("margin = 0.01", "", None),
        ("margin = 0.01", 'mode = "better"', "models.census.gate.mode: expected one of non-inferiority, superiority"),
        ("margin = 0.01", 'unpaired = "compare"', "models.census.gate.unpaired: expected one of absolute-only,"),
        ("margin = 0.01", "min_relative_gain = 0.1", "models.census.gate.relative_floor: goes with min_relative_gain"),
        ("margin = 0.01", "slices = { columns = [1] }", "models.census.gate.slices.columns: expected a list of texts"),
        ("margin = 0.01", "also = { Accuracy = { margine = 1 } }", "models.census.gate.also.Accuracy.margine: is not"),
        ("margin = 0.01", "also = { Luck = {} }", "models.census.gate.also.Luck.metric: 'Luck' cannot be measured"),
        ("[models.census.gate]", "[models.census.door]", "models.census.gate: expected a section"),
        ('label = "income"', 'label = "wage"', "models.census.contract.label: 'wage' is none of the columns"),
        ('positive = ">50K"', 'positive = "rich"', "models.census.contract.positive: 'rich' is none of"),
        ('sex = "category"', 'sex = "text"', "models.census.contract.columns.sex: expected one of"),
        ("# schedule = ", "schedule = ", None),
        ('# schedule = "0 0 3', 'schedule = "0 3', "models.census.schedule: '0 3 * * *' has 5 fields"),
        ('folder = "census"', 'folder = "a/b"', "models.census.folder: names one folder"),
        ("output2 =", "output3 =", None),
        ('output2 = ".csv"', 'output2 = ".ilearner"', "models.census.training.outputs: name one port"),
        ("staging = { url = \"%CENSUS_STAGING_URL%\"", "staging = { url = \"%CENSUS_LIVE_URL%\"",
         "models.census.scoring.staging.url: is the live endpoint"),
        ("[models.census]", "[models.Census]", "models.Census.name: 'Census'"),
        ("[defaults.budgets]", "[default.budgets]", "default: is not known here"),
        ("label =", "label", "is no TOML"),
    ],
)  # fmt: skip
def test_a_problem_names_its_key_and_reason(tmp_path: Path, old: str, new: str, problem: str | None) -> None:
    assert old in SAMPLE
    text = SAMPLE.replace(old, new)

    if problem is None:
        assert load(tmp_path, text)
        return
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text)
    assert problem in str(refused.value)


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, SAMPLE, {})

    assert len(refused.value.problems) == len(ENVIRONMENT)
    assert all(any(name in problem for problem in refused.value.problems) for name in ENVIRONMENT)


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("http://studio.example/workspaces/w/webservices/s/endpoints/live", "expected an https address"),
        (
            "https://studio.example/workspaces/w/webservices/s/endpoints/default",
            "cannot be updated; add another endpoint",
        ),
        ("https://studio.example/workspaces/w/services/e", "ends in '/webservices/{service}/endpoints/{name}'"),
    ],
)
def test_an_address_that_cannot_be_updated_is_refused(tmp_path: Path, address: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=r"models.census.scoring.live.url") as refused:
        load(tmp_path, SAMPLE, ENVIRONMENT | {"CENSUS_LIVE_URL": address})
    assert problem in str(refused.value)


def test_a_margin_of_what_is_no_rate_has_to_be_declared(tmp_path: Path) -> None:
    lossy = SAMPLE.replace('metric = "AUC"', 'metric = "Average Log Loss"').replace("margin = 0.01", "")

    with pytest.raises(ConfigError, match=r"models\.census\.gate\.margin: has no default for Average Log Loss"):
        load(tmp_path, lossy)


def test_a_gate_may_ask_for_much(tmp_path: Path) -> None:
    gate = """
        also = { Accuracy = { margin = 0.02, mode = "superiority", max_gain = 0.2 } }
        slices = { columns = ["sex", "race"], margin = 0.03, min_rows = 300, hold_small = true }
        ceilings = { "Average Log Loss" = 0.6 }
        group = "household"
        min_rows = 400
        creep_margin = 0.02
        holdout_budget = 52
        first_model = "approval"
        unpaired = "refuse"
        min_relative_gain = 0.01
        relative_floor = 0.5
    """
    rule = load(tmp_path, SAMPLE.replace("min_gain = 0.0", gate))["census"].gate

    assert rule
    assert [part.metric for part in rule.metrics] == ["AUC", "Accuracy"]
    assert rule.metrics[1].mode is Mode.SUPERIORITY
    assert (rule.slices.columns, rule.slices.hold_small) == (("sex", "race"), True)
    assert (rule.first_model, rule.unpaired) == (Policy.APPROVAL, Policy.REFUSE)
    assert (rule.primary.min_relative_gain, rule.primary.relative_floor) == (0.01, 0.5)
    assert (rule.group, rule.min_rows, rule.creep_margin, rule.holdout_budget) == ("household", 400, 0.02, 52)


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("drift]\nfiles = 2", "models.census.drift: ends a wait; without a `schedule`"),
        ("drift]\nfiles = 1", "models.census.drift.drifted: asks for 2 of 1 files"),
        ('drift]\ncolumns = ["x"]', "models.census.drift.columns: 'x' is none of the contract's columns"),
        ('approval]\nask = "ever"', "models.census.approval.ask: expected one of never, on-hold, always"),
        ("approval]\nallow_self = 1", "models.census.approval.allow_self: expected"),
        ('training.price]\nper_hour = -1\ncurrency = "EUR"', "models.census.training.price.per_hour: expected"),
        ("training.price]\nper_hour = 1", "models.census.training.price.currency: is missing"),
        ("costs]\nfalse_positive = 1", "models.census.costs.false_negative: is missing"),
        ('costs]\nfalse_positive = "1"\nfalse_negative = 2', "costs.false_positive: expected an integer or a number"),
        ("costs]\nfalse_positive = inf\nfalse_negative = 2", "costs.false_positive: expected a number from -1e+12 to"),
        ("costs]\nfalse_positive = 1\nfalse_negative = nan", "costs.false_negative: expected a number from -1e+12 to"),
        ("costs]\nfalse_positive = 1\nfalse_negative = 2\ncost = 3", "models.census.costs.cost: is not known here"),
    ],
)
def test_a_problem_with_approval_or_drift_names_its_key(tmp_path: Path, section: str, problem: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, f"{SAMPLE}\n[models.census.{section}\n")
    assert problem in str(refused.value)


def test_an_hour_of_training_may_have_a_price(tmp_path: Path) -> None:
    priced = load(tmp_path, f'{SAMPLE}\n[models.census.training.price]\nper_hour = 0.25\ncurrency = "EUR"\n')["census"]

    assert priced.training.price == Price(0.25, "EUR")
    assert load(tmp_path, SAMPLE)["census"].training.price is None


def test_answers_of_two_classes_may_have_costs(tmp_path: Path) -> None:
    costs = '[models.census.costs]\nfalse_positive = 1\nfalse_negative = 5\ntrue_positive = -2\nunit = "EUR"\n'

    assert load(tmp_path, f"{SAMPLE}\n{costs}")["census"].costs == Costs(1, 5, -2, 0, "EUR")
    assert load(tmp_path, SAMPLE)["census"].costs is None


@pytest.mark.parametrize("key", ["min_rows", "holdout_budget", "replicates", "seed", "margin", "confidence"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1" * 400, "1e400"])
def test_what_is_no_finite_number_is_a_problem_with_its_key(tmp_path: Path, key: str, value: str) -> None:
    without = "\n".join(line for line in SAMPLE.splitlines() if not line.startswith(f"{key} = "))
    changed = without.replace("[models.census.gate]", f"[models.census.gate]\n{key} = {value}")

    with pytest.raises(ConfigError, match=rf"models\.census\.gate\.{key}: expected a number .*, got (nan|-?inf)"):
        load(tmp_path, changed)


@pytest.mark.parametrize("key", ["min_rows", "holdout_budget", "replicates"])
def test_half_a_row_is_none(tmp_path: Path, key: str) -> None:
    without = "\n".join(line for line in SAMPLE.splitlines() if not line.startswith(f"{key} = "))

    with pytest.raises(ConfigError, match=rf"gate\.{key}: expected a whole number, got 100\.5"):
        load(tmp_path, without.replace("[models.census.gate]", f"[models.census.gate]\n{key} = 100.5"))


def test_only_answers_of_two_classes_have_costs(tmp_path: Path) -> None:
    several = SAMPLE.replace('task = "two-class"', 'task = "multiclass"')

    with pytest.raises(ConfigError, match=r"models\.census\.costs: only a two-class model .* task is multiclass"):
        load(tmp_path, f"{several}\n[models.census.costs]\nfalse_positive = 1\nfalse_negative = 5\n")


def test_a_model_may_have_no_staging_endpoint(tmp_path: Path) -> None:
    without = "\n".join(line for line in SAMPLE.splitlines() if not line.startswith("staging = "))

    assert load(tmp_path, without)["census"].staging is None


def test_two_models_may_not_share_a_folder(tmp_path: Path) -> None:
    second = SAMPLE[SAMPLE.index("[models.census]") :].replace("models.census", "models.second")

    with pytest.raises(ConfigError, match=r"already belongs to models\.census"):
        load(tmp_path, SAMPLE + second)


def test_no_gate_must_be_written_out(tmp_path: Path) -> None:
    start, end = SAMPLE.index("[models.census.gate]"), SAMPLE.index("[models.census.contract]")
    without = SAMPLE[:start] + SAMPLE[end:]

    assert load(tmp_path, without.replace("[models.census]", '[models.census]\ngate = "none"'))["census"].gate is None


def test_no_secret_is_repeated_in_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, SAMPLE.replace('"%CENSUS_JOBS_KEY%"', '"abc123verysecret"'))
    assert "abc123verysecret" not in str(refused.value)


def test_settings_report_everything_that_is_missing() -> None:
    with pytest.raises(ConfigError) as refused:
        Settings.from_env({"MODELS_FILE": "nowhere.toml"})

    assert [problem.split()[0] for problem in refused.value.problems] == [
        "DATA_STORAGE", "POLL_SCHEDULE", "RETRAIN_SCHEDULE", "MODELS_FILE",
    ]  # fmt: skip
