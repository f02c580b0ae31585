"""
Synthetic census rows with the columns of UCI Adult: no row describes a person.

Each column is drawn from proportions of UCI Adult (Becker & Kohavi, 1996, CC BY 4.0), rounded; the label is drawn
from a logistic rule over the other columns, so a model has something to learn and more rows teach it more. Figures
measured on these rows say nothing about people or about the published data.

    python -m examples.census.generate --rows 32561 --seed 1 --out census.csv
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from examples.census import proportions as of

COLUMNS = (
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education-num",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital-gain",
    "capital-loss",
    "hours-per-week",
    "native-country",
    "income",
)
NEGATIVE, POSITIVE = "<=50K", ">50K"

_Row = dict[str, str | int]

# Log odds of the label.
_BASE = -7.38
_OCCUPATION_ODDS = {
    "Exec-managerial": 0.9,
    "Prof-specialty": 0.6,
    "Tech-support": 0.7,
    "Protective-serv": 0.6,
    "Sales": 0.3,
    "Craft-repair": 0.1,
    "Machine-op-inspct": -0.3,
    "Transport-moving": -0.1,
    "Handlers-cleaners": -0.8,
    "Other-service": -0.9,
    "Farming-fishing": -1.1,
    "Priv-house-serv": -2.5,
    of.MISSING: -0.6,
}
_WORKCLASS_ODDS = {"Federal-gov": 0.5, "Self-emp-inc": 0.3, "Self-emp-not-inc": -0.5, "State-gov": -0.3}


def rows(count: int, seed: int) -> Iterator[tuple[str, ...]]:
    """
    Draw synthetic rows.

    Args:
        count: Number of rows.
        seed: Equal seeds give equal rows.

    Yields:
        One cell for each of `COLUMNS`; `?` means missing, as in UCI Adult. About 24 % carry the positive label.
    """
    random = Random(seed)
    for _ in range(count):
        row = _person(random)
        row["income"] = POSITIVE if random.random() < _chance(row) else NEGATIVE
        yield tuple(str(row[name]) for name in COLUMNS)


def write(path: Path, count: int, seed: int) -> None:
    """Write a header and `count` synthetic rows as CSV."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(",".join(COLUMNS) + "\n")
        file.writelines(",".join(cells) + "\n" for cells in rows(count, seed))


def _person(random: Random) -> _Row:
    sex = "Male" if random.random() < 0.669 else "Female"
    band = random.choices(range(len(of.BANDS)), of.BAND_SHARES[sex])[0]
    age = _age(random, band)
    education = _education(random, age)
    marital = random.choices(of.MARITAL, of.MARITAL_SHARES[sex][band])[0]
    tier = (education > 8) + (education > 12)
    occupation = random.choices(of.OCCUPATION, of.OCCUPATION_SHARES[tier])[0]
    gain, loss = _capital(random, age, education)
    return {
        "age": age,
        "workclass": of.MISSING if occupation == of.MISSING else _draw(random, of.WORKCLASS),
        "fnlwgt": min(max(round(random.lognormvariate(12.05, 0.5)), 12285), 1484705),
        "education": of.LEVELS[education - 1],
        "education-num": education,
        "marital-status": marital,
        "occupation": occupation,
        "relationship": _relationship(random, sex, marital),
        "race": _draw(random, of.RACE),
        "sex": sex,
        "capital-gain": gain,
        "capital-loss": loss,
        "hours-per-week": random.choices(of.HOURS, of.STUDENT_HOURS_SHARES if age < 22 else of.HOURS_SHARES)[0],
        "native-country": _draw(random, of.COUNTRY),
    }


def _age(random: Random, band: int) -> int:
    first, last = of.BANDS[band]
    return round(random.triangular(first, last, first)) if last == 90 else random.randint(first, last)


def _education(random: Random, age: int) -> int:
    level = random.choices(range(1, len(of.LEVELS) + 1), list(of.EDUCATION.values()))[0]
    return min(level, of.SOME_COLLEGE) if age < 22 else level


def _relationship(random: Random, sex: str, marital: str) -> str:
    if marital == "Married-civ-spouse":
        spouse = "Husband" if sex == "Male" else "Wife"
        return random.choices((spouse, "Other-relative", "Own-child"), (97, 2, 1))[0]
    return _draw(random, of.SINGLE if marital == "Never-married" else of.PARTED[sex])


def _capital(random: Random, age: int, education: int) -> tuple[int, int]:
    means = min(max((age - 22) / 30, 0.05), 1.0) * (0.4 + education / 12)
    kind = random.random()
    if kind < 0.075 * means:
        return random.choice(of.GAINS_HIGH), 0
    if kind < 0.075 * means + 0.04:
        return random.choice(of.GAINS_LOW), 0
    if kind < 0.11 * means + 0.04:
        return 0, random.choice(of.LOSSES_HIGH)
    if kind < 0.11 * means + 0.06:
        return 0, random.choice(of.LOSSES_LOW)
    return 0, 0


def _chance(row: _Row) -> float:
    """Return the probability of the positive label."""
    odds = _BASE + _work_odds(row) + _household_odds(row) + _capital_odds(row)
    return 1 / (1 + math.exp(-odds))


def _work_odds(row: _Row) -> float:
    age, education, hours = int(row["age"]), int(row["education-num"]), int(row["hours-per-week"])
    prime = 2.2 - ((age - 50) / 14) ** 2 if age < 50 else 2.2 - ((age - 50) / 24) ** 2
    overtime = 0.9 if hours > 44 else 0.0 if hours > 34 else -1.0
    # Long hours pay in a profession and hardly elsewhere; on a farm they pay nothing.
    if overtime > 0 and education < 10:
        overtime = 0.1 if row["occupation"] == "Farming-fishing" else 0.4
    trade = _OCCUPATION_ODDS.get(str(row["occupation"]), 0.0) + _WORKCLASS_ODDS.get(str(row["workclass"]), 0.0)
    return max(prime, -3.5) + 0.34 * education + overtime + trade


def _household_odds(row: _Row) -> float:
    relationship = row["relationship"]
    if relationship == "Wife":
        return 2.3
    if relationship == "Husband":
        return 1.9
    return -1.6 if relationship == "Own-child" else -0.7


def _capital_odds(row: _Row) -> float:
    gain, loss = int(row["capital-gain"]), int(row["capital-loss"])
    if gain in of.GAINS_HIGH:
        return 6.0
    if loss in of.LOSSES_HIGH:
        return 2.6
    return -1.5 if gain or loss else 0.0


def _draw(random: Random, weights: of.Weights) -> str:
    return random.choices(list(weights), list(weights.values()))[0]


def _main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m examples.census.generate", description="Write synthetic rows with the columns of UCI Adult."
    )
    parser.add_argument("--rows", type=int, default=32_561, help="number of rows (default: as many as UCI Adult)")
    parser.add_argument("--seed", type=int, default=1, help="equal seeds give equal files")
    parser.add_argument("--out", type=Path, required=True, help="the CSV file to write")
    options = parser.parse_args(arguments)
    if options.rows < 1:
        parser.error("--rows must be at least 1")
    try:
        write(options.out, options.rows, options.seed)
    except OSError as error:
        parser.error(f"cannot write {options.out}: {error.strerror}")
    print(f"wrote {options.rows:,} synthetic rows to {options.out} (no row describes a person)")


if __name__ == "__main__":
    _main()
