"""
Checks LightGBM's text form of an ensemble before the C library sees it.

The library trusts every count and index in that text: a wrong one reads or loops outside the tree. So the text is taken
apart here, every array is held to its length and every index to its range, and only lines that were understood are put
together again. What the library writes beside the trees (its parameters, importances, offsets) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from studio.engine.link import Link

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
    "tree\nversion=v4\nnum_class={outputs}\nnum_tree_per_iteration={outputs}\nlabel_index=0\nmax_feature_idx={last}\n"
    "{facts}feature_names={names}\nfeature_infos={infos}\n\n"
)
_AVERAGED = "average_output\n"
# The library squashes sums as its objective says; without one it answers with the sums themselves.
_OBJECTIVES: Mapping[Link, str] = {
    Link.LOGISTIC: "objective=binary sigmoid:1\n",
    Link.SOFTMAX: "objective=multiclass num_class:{outputs}\n",
    Link.IDENTITY: "",
}
_PLAIN_OBJECTIVES = ("regression", "quantile")  # what the library writes for ensembles whose link is the identity


class TreeTextError(ValueError):
    """The text is not an ensemble that is safe to load."""


@dataclass(frozen=True)
class TreeShape:
    """
    What an ensemble takes and gives.

    A row has `n_features` values and `n_outputs` answers, each from trees of its own: tree number `i` belongs to answer
    `i % n_outputs`. Their leaves are summed, or averaged where `averaged`, and go through `link`.
    """

    n_features: int
    n_outputs: int = 1
    link: Link = Link.LOGISTIC
    averaged: bool = False

    @property
    def header(self) -> str:
        """The text before the first tree, in canonical form."""
        facts = _OBJECTIVES[self.link].format(outputs=self.n_outputs) + (_AVERAGED if self.averaged else "")
        names = " ".join(f"Column_{at}" for at in range(self.n_features))
        infos = " ".join(["none"] * self.n_features)
        return _HEADER.format(outputs=self.n_outputs, last=self.n_features - 1, facts=facts, names=names, infos=infos)


def checked_trees(text: str, shape: TreeShape) -> str:
    """
    Take an ensemble apart, check it, and return it in canonical form: equal trees give equal texts.

    Args:
        text: What LightGBM saved, or what this function returned.
        shape: What the ensemble has to be.

    Raises:
        TreeTextError: Names the tree and the line that cannot be right.
    """
    n_trees = text.count("\nTree=")
    if not 1 <= n_trees <= _MAX_TREES or n_trees % shape.n_outputs:
        raise TreeTextError(f"it has {n_trees} trees; 1 to {_MAX_TREES} are allowed, {shape.n_outputs} to a round")
    header, *blocks = text.partition("\nend of trees")[0].split("\nTree=")
    _check_header(header, shape)
    trees = "".join(_checked_tree(number, block, shape.n_features) for number, block in enumerate(blocks))
    return shape.header + trees + "end of trees\n"


def _check_header(header: str, shape: TreeShape) -> None:
    found = re.search(r"(?m)^objective=(\S+).*\n?", header)
    objective = _OBJECTIVES[shape.link].format(outputs=shape.n_outputs)
    is_plain = not objective and (found is None or found[1] in _PLAIN_OBJECTIVES)
    if not header.startswith("tree\n") or not (is_plain or (objective and f"\n{objective}" in header)):
        raise TreeTextError(f"it is not an ensemble whose link is '{shape.link.value}'")
    if (f"\n{_AVERAGED}" in header) is not shape.averaged:
        raise TreeTextError(f"its leaves are {'summed' if shape.averaged else 'averaged'}")
    if f"\nmax_feature_idx={shape.n_features - 1}\n" not in header:
        raise TreeTextError(f"it was not grown on {shape.n_features} features")
    if f"\nnum_class={shape.n_outputs}\nnum_tree_per_iteration={shape.n_outputs}\n" not in header:
        raise TreeTextError(f"it does not give {shape.n_outputs} answer(s) to a row")


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
