"""
Writes synthetic hours of a bicycle rental: weather and calendar, how many were rented, and whether that was many.

Counts follow a Poisson law whose mean comes from the other columns; demand is the count in words. No row describes a
real rental.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

COLUMNS = ("hour", "weekday", "weather", "temperature", "humidity", "rentals", "demand")

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEATHER = {"clear": 0.6, "cloudy": 0.3, "rain": 0.1}
_PULL = {"clear": 0.35, "cloudy": 0.1, "rain": -0.9}
_LOW, _HIGH = 40, 130  # rentals in an hour: below is low demand, above is high
_MISSING = 0.03  # share of hours whose weather or temperature was not recorded


def rows(count: int, seed: int) -> Iterator[tuple[object, ...]]:
    """Yield rows of cells in the order of `COLUMNS`; equal arguments give equal rows."""
    random = Random(seed)
    for _ in range(count):
        hour, weekday = random.randrange(24), random.choice(_WEEKDAYS)
        weather = random.choices(list(_WEATHER), list(_WEATHER.values()))[0]
        temperature = round(random.gauss(14, 8) - 4 * math.cos((hour - 3) * math.pi / 12), 1)
        humidity = min(100, max(20, round(random.gauss(65, 12) + (15 if weather == "rain" else 0))))
        rentals = _poisson(random, math.exp(_logarithm(hour, weekday, weather, temperature, humidity)))
        demand = "low" if rentals < _LOW else "high" if rentals > _HIGH else "normal"
        recorded = [cell if random.random() > _MISSING else "" for cell in (weather, temperature)]
        yield hour, weekday, *recorded, humidity, rentals, demand


def write(path: Path, count: int, seed: int) -> None:
    """Write a CSV file with a header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows(count, seed))


def _logarithm(hour: int, weekday: str, weather: str, temperature: float, humidity: int) -> float:
    """Return the logarithm of the rentals to expect."""
    is_weekend = weekday in ("Sat", "Sun")
    peaks = ((14, 4.0),) if is_weekend else ((8, 1.6), (17.5, 2.0))
    rush = max(math.exp(-(((hour - at) / width) ** 2)) for at, width in peaks)
    warmth = 1 - ((temperature - 24) / 26) ** 2
    return 2.6 + 1.9 * rush + 0.9 * warmth + _PULL[weather] - 0.006 * (humidity - 60)


def _poisson(random: Random, mean: float) -> int:
    """Draw from a Poisson law; for the means here, the normal law with continuity correction is close enough."""
    return max(0, round(random.gauss(mean, math.sqrt(mean))))


def _main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m examples.rentals.generate", description="Write synthetic hours of a bicycle rental."
    )
    parser.add_argument("--rows", type=int, default=8000, help="number of rows (default: 8000)")
    parser.add_argument("--seed", type=int, default=1, help="equal seeds give equal files")
    parser.add_argument("--out", type=Path, required=True, help="the CSV file to write")
    options = parser.parse_args(arguments)
    if options.rows < 1:
        parser.error("--rows must be at least 1")
    try:
        write(options.out, options.rows, options.seed)
    except OSError as error:
        parser.error(f"cannot write {options.out}: {error.strerror}")
    print(f"wrote {options.rows:,} synthetic rows to {options.out}")


if __name__ == "__main__":
    _main()
