"""
Checks LightGBM's text form of an ensemble before the C library sees it.

The library trusts every count and index in that text: a wrong one reads or loops outside the tree. So the text is taken
apart here, every array is held to its length and every index to its range, and only lines that were understood are put
together again. What the library writes beside the trees (its parameters, importances, offsets) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

_INTEGER = r"-?[0-9]{1,10}+"
_NUMBER = r"-?(?:[0-9]{1,400}+(?:\.[0-9]{0,400}+)?(?:e[-+]?[0-9]{1,4}+)?|inf)"
# Possessive, so that a long line costs neither time nor memory for going back.
_INTEGERS, _NUMBERS = (re.compile(f"(?:{one}(?: {one})*+)?+") for one in (_INTEGER, _NUMBER))
_MAX_TREES = 200_000
_MAX_LEAVES = 131_072
_MAX_LINES = 30
_CATEGORICAL = 1  # bit of decision_type
_DECISIONS = range(12)  # bits: categorical, default left, and 0 to 2 for how missing values are told, times 4

_HEADER = (
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx={last}\n"
    "objective=binary sigmoid:1\nfeature_names={names}\nfeature_infos={infos}\n\n"
)


class TreeTextError(ValueError):
    """The text is not an ensemble that is safe to load."""


def checked_trees(text: str, n_features: int) -> str:
    """
    Take a two-class ensemble apart, check it, and return it in canonical form: equal trees give equal texts.

    Args:
        text: What LightGBM saved, or what this function returned.
        n_features: How many features a row to be scored has.

    Raises:
        TreeTextError: Names the tree and the line that cannot be right.
    """
    n_trees = text.count("\nTree=")
    if not 1 <= n_trees <= _MAX_TREES:
        raise TreeTextError(f"it has {n_trees} trees; 1 to {_MAX_TREES} are allowed")
    header, *blocks = text.partition("\nend of trees")[0].split("\nTree=")
    if not header.startswith("tree\n") or "\nobjective=binary sigmoid:1\n" not in header:
        raise TreeTextError("it is not a two-class ensemble of boosted trees")
    if f"\nmax_feature_idx={n_features - 1}\n" not in header:
        raise TreeTextError(f"it was not grown on {n_features} features")
    trees = "".join(_checked_tree(number, block, n_features) for number, block in enumerate(blocks))
    return _header(n_features) + trees + "end of trees\n"


def _header(n_features: int) -> str:
    names = " ".join(f"Column_{at}" for at in range(n_features))
    return _HEADER.format(last=n_features - 1, names=names, infos=" ".join(["none"] * n_features))


def _checked_tree(number: int, block: str, n_features: int) -> str:
    try:
        return f"Tree={number}\n" + "".join(_TreeLines(number, block).checked(n_features)) + "\n\n"
    except ValueError as problem:
        raise TreeTextError(f"tree {number}: {problem}") from problem


class _TreeLines:
    """The `key=values` lines of one tree; reading a line checks it."""

    def __init__(self, number: int, block: str) -> None:
        if block.count("\n") > _MAX_LINES:
            raise ValueError(f"it has more than {_MAX_LINES} lines")
        first, *lines = block.split("\n")
        if first != str(number):
            raise ValueError("it is out of order")
        self._lines = {key: values for key, _, values in (line.partition("=") for line in lines)}

    def checked(self, n_features: int) -> Iterator[str]:
        """Check the whole tree, then give its lines in canonical order."""
        n_leaves, n_categorical = self._count("num_leaves", _MAX_LEAVES), self._count("num_cat", _MAX_LEAVES)
        if n_leaves < 1:
            raise ValueError("num_leaves is 0")
        if self._lines.get("is_linear") != "0":
            raise ValueError("it has linear models in its leaves, which no learner here makes")
        yield f"num_leaves={n_leaves}\nnum_cat={n_categorical}\n"
        yield from self._nodes(n_leaves, n_categorical, n_features)
        yield from self._leaves(n_leaves)
        if n_categorical:
            yield from self._category_sets(n_categorical)
        yield "is_linear=0\n" + self._line("shrinkage", 1)

    def _nodes(self, n_leaves: int, n_categorical: int, n_features: int) -> Iterator[str]:
        n_nodes = n_leaves - 1
        self._indices("split_feature", n_nodes, range(n_features))
        decisions = self._indices("decision_type", n_nodes, _DECISIONS)
        self._check_thresholds(decisions, n_categorical)
        children = range(-n_leaves, n_nodes)  # a leaf is written as -1 - its number
        _check_shape(self._indices("left_child", n_nodes, children), self._indices("right_child", n_nodes, children))
        for key in ("split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child"):
            yield self._line(key, n_nodes)

    def _leaves(self, n_leaves: int) -> Iterator[str]:
        yield self._line("leaf_value", n_leaves)
        if n_leaves == 1:  # a lone leaf has a weight and a count or not, depending on how it came about
            return
        for key in ("leaf_weight", "leaf_count"):
            yield self._line(key, n_leaves)
        for key in ("internal_value", "internal_weight", "internal_count"):
            yield self._line(key, n_leaves - 1)

    def _category_sets(self, n_categorical: int) -> Iterator[str]:
        bounds = self._integers("cat_boundaries", n_categorical + 1)
        if bounds[0] != 0 or any(low >= high for low, high in pairwise(bounds)):
            raise ValueError("cat_boundaries do not rise from 0")
        n_words = bounds[-1]
        self._indices("cat_threshold", n_words, range(2**32))
        yield self._line("cat_boundaries", n_categorical + 1) + self._line("cat_threshold", n_words)

    def _check_thresholds(self, decisions: Sequence[int], n_categorical: int) -> None:
        thresholds = self._tokens("threshold", len(decisions))
        chosen = [token for token, kind in zip(thresholds, decisions, strict=True) if kind & _CATEGORICAL]
        if any(not token.isdecimal() or int(token) >= n_categorical for token in chosen):
            raise ValueError("threshold names a set of categories that is not there")

    def _count(self, key: str, most: int) -> int:
        return self._indices(key, 1, range(most + 1))[0]

    def _indices(self, key: str, length: int, allowed: range) -> list[int]:
        values = self._integers(key, length)
        if values and not (min(values) in allowed and max(values) in allowed):
            raise ValueError(f"{key} has a value outside {allowed.start} to {allowed.stop - 1}")
        return values

    def _integers(self, key: str, length: int) -> list[int]:
        if not _INTEGERS.fullmatch(self._lines.get(key, "")):
            raise ValueError(f"{key} has a value that is not a whole number")
        return list(map(int, self._tokens(key, length)))

    def _line(self, key: str, length: int) -> str:
        values = self._lines.get(key, "")
        self._check_length(key, length)
        if not _NUMBERS.fullmatch(values):
            raise ValueError(f"{key} has a value that is not a number")
        return f"{key}={values}\n"

    def _tokens(self, key: str, length: int) -> list[str]:
        self._check_length(key, length)
        return self._lines[key].split(" ") if length else []

    def _check_length(self, key: str, length: int) -> None:
        """Count before anything is split, so that a long line costs no memory."""
        values = self._lines.get(key, "")
        found = values.count(" ") + 1 if values else 0
        if found != length:
            raise ValueError(f"{key} has {found} values instead of {length}")


def _check_shape(left: Sequence[int], right: Sequence[int]) -> None:
    """Hold the nodes to a tree: each node and leaf has one parent, and a node comes after its parent, so no loops."""
    children = [*left, *right]
    if len(set(children)) != len(children):
        raise ValueError("a node or leaf has two parents")
    if any(0 <= child <= parent for side in (left, right) for parent, child in enumerate(side)):
        raise ValueError("a node comes before its parent")
