"""Small training files with the census columns."""

from __future__ import annotations

import random

COLUMNS = (
    "age,workclass,fnlwgt,education,education-num,marital-status,occupation,relationship,race,sex,"
    "capital-gain,capital-loss,hours-per-week,native-country,income"
)


def people(n_rows: int, seed: int = 0) -> bytes:
    """Rows with the census columns; the label follows the age, noisily."""
    draw = random.Random(seed)
    lines = [COLUMNS]
    for _ in range(n_rows):
        age = draw.randint(18, 80)
        label = ">50K" if age + draw.gauss(0, 10) > 50 else "<=50K"
        lines.append(
            f"{age},Private,{draw.randint(1, 10**6)},HS-grad,9,Divorced,Sales,Husband,White,Male,0,0,40,Chile,{label}"
        )
    return ("\n".join(lines) + "\n").encode()
