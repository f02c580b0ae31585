"""Proportions of UCI Adult's columns, rounded, from which the synthetic rows are drawn; shares need not add up to 1."""

from __future__ import annotations

from collections.abc import Mapping

MISSING = "?"

Weights = Mapping[str, float]

# Index + 1 is `education-num`.
EDUCATION = {
    "Preschool": 2,
    "1st-4th": 5,
    "5th-6th": 10,
    "7th-8th": 20,
    "9th": 16,
    "10th": 29,
    "11th": 36,
    "12th": 13,
    "HS-grad": 323,
    "Some-college": 224,
    "Assoc-voc": 42,
    "Assoc-acdm": 33,
    "Bachelors": 164,
    "Masters": 53,
    "Prof-school": 18,
    "Doctorate": 13,
}
LEVELS = tuple(EDUCATION)
SOME_COLLEGE = LEVELS.index("Some-college") + 1

# Age bands [first, last], in years, with their share of each sex.
BANDS = ((17, 24), (25, 34), (35, 49), (50, 64), (65, 90))
BAND_SHARES = {"Male": (14, 26, 37, 19, 4), "Female": (23, 26, 32, 15, 4)}
MARITAL = ("Married-civ-spouse", "Never-married", "Divorced", "Separated", "Widowed", "Married-spouse-absent")
MARITAL_SHARES = {
    "Male": (
        (12, 86, 1, 1, 0, 0),
        (53, 37, 7, 2, 0, 1),
        (73, 11, 12, 2, 1, 1),
        (82, 5, 9, 2, 1, 1),
        (80, 6, 4, 1, 8, 1),
    ),
    "Female": (
        (5, 90, 2, 2, 0, 1),
        (18, 54, 18, 7, 1, 2),
        (21, 23, 41, 8, 5, 2),
        (18, 11, 39, 7, 23, 2),
        (7, 8, 19, 3, 62, 1),
    ),
}
SINGLE: Weights = {"Not-in-family": 44, "Own-child": 42, "Unmarried": 8, "Other-relative": 6}
PARTED = {
    "Male": {"Not-in-family": 69, "Unmarried": 19, "Own-child": 9, "Other-relative": 3},
    "Female": {"Unmarried": 48, "Not-in-family": 44, "Own-child": 5, "Other-relative": 3},
}

OCCUPATION = (
    "Prof-specialty",
    "Craft-repair",
    "Exec-managerial",
    "Adm-clerical",
    "Sales",
    "Other-service",
    "Machine-op-inspct",
    "Transport-moving",
    "Handlers-cleaners",
    "Farming-fishing",
    "Tech-support",
    "Protective-serv",
    "Priv-house-serv",
    MISSING,
)
# By schooling: not finished high school, high school up to an associate degree, bachelor's degree and more.
OCCUPATION_SHARES = (
    (10, 182, 30, 42, 80, 210, 120, 85, 85, 55, 4, 7, 12, 80),
    (40, 150, 95, 150, 118, 115, 74, 60, 48, 32, 27, 24, 4, 60),
    (380, 33, 255, 72, 120, 25, 10, 9, 6, 11, 34, 14, 1, 32),
)
WORKCLASS: Weights = {
    "Private": 739,
    "Self-emp-not-inc": 83,
    "Local-gov": 68,
    "State-gov": 42,
    "Self-emp-inc": 36,
    "Federal-gov": 31,
    "Without-pay": 1,
}
RACE: Weights = {"White": 854, "Black": 96, "Asian-Pac-Islander": 32, "Amer-Indian-Eskimo": 10, "Other": 8}
COUNTRY: Weights = {
    "United-States": 9000,
    "Mexico": 198,
    MISSING: 179,
    "Philippines": 61,
    "Germany": 42,
    "Canada": 37,
    "Puerto-Rico": 35,
    "El-Salvador": 33,
    "India": 31,
    "Cuba": 29,
    "England": 28,
    "Jamaica": 25,
    "South": 25,
    "China": 23,
    "Italy": 22,
    "Dominican-Republic": 21,
    "Vietnam": 21,
    "Guatemala": 20,
    "Japan": 19,
    "Poland": 18,
}
HOURS = (40, 50, 45, 60, 35, 20, 30, 55, 25, 48, 38, 15, 10, 70, 80)
HOURS_SHARES = (467, 87, 56, 45, 40, 38, 35, 21, 21, 16, 15, 12, 9, 9, 4)
STUDENT_HOURS_SHARES = (300, 20, 30, 10, 60, 150, 100, 5, 90, 10, 15, 110, 80, 5, 2)

# Amounts come in lumps, as in the published data: which lump says more about the label than how large it is.
GAINS_LOW = (594, 2174, 2407, 3137, 3325, 3411, 3464, 4064, 4386, 5013, 6849)
GAINS_HIGH = (5178, 7298, 7688, 8614, 13550, 14084, 15024, 27828, 99999)
LOSSES_LOW = (1340, 1408, 1504, 1590, 1602, 1669, 1721, 2001, 2179)
LOSSES_HIGH = (1848, 1887, 1902, 1977, 2415)
