"""Trees as a model's numbers: a checked text, and how several ensembles become one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from studio.engine.tree_text import TreeShape, checked_trees

_LEAVES = re.compile(r"(?m)^leaf_value=(.*)$")


@dataclass(frozen=True)
class TreeEnsemble:
    """An ensemble in canonical text form, safe to give to the library."""

    text: str
    shape: TreeShape

    @classmethod
    def checked(cls, text: str, shape: TreeShape) -> TreeEnsemble:
        """
        Check a text from anywhere.

        Raises:
            TreeTextError: It is not an ensemble of this shape.
        """
        return cls(checked_trees(text, shape), shape)

    @property
    def n_outputs(self) -> int:
        """Answers to a row."""
        return self.shape.n_outputs

    @property
    def trees(self) -> list[str]:
        """The text of each tree, without its number."""
        return [
            block.partition("\n")[2].rstrip("\n")
            for block in self.text.partition("end of trees")[0].split("\nTree=")[1:]
        ]

    def leaf_values(self) -> Iterator[list[float]]:
        """Yield the values of each tree's leaves, by number of the leaf."""
        for found in _LEAVES.finditer(self.text):
            yield list(map(float, found[1].split(" ")))

    def with_leaf_values(self, values: Sequence[Sequence[float]]) -> TreeEnsemble:
        """Return the same splits with other leaves: one sequence per tree, as long as the tree has leaves."""
        texts = iter([" ".join(map(repr, map(float, leaves))) for leaves in values])
        return replace(self, text=_LEAVES.sub(lambda _: f"leaf_value={next(texts)}", self.text))


def side_by_side(ensembles: Sequence[TreeEnsemble]) -> TreeEnsemble:
    """
    Join ensembles of one answer each, of equally many trees, into one that gives all their answers.

    Raises:
        ValueError: They differ in shape or in their number of trees.
    """
    shape = replace(ensembles[0].shape, n_outputs=len(ensembles))
    if any(replace(one.shape, n_outputs=len(ensembles)) != shape for one in ensembles):
        raise ValueError("ensembles of different shapes cannot be joined")
    rounds = zip(*(one.trees for one in ensembles), strict=True)
    trees = [tree for each in rounds for tree in each]
    text = "".join(f"Tree={number}\n{tree}\n\n\n" for number, tree in enumerate(trees))
    return TreeEnsemble(f"{shape.header}{text}end of trees\n", shape)
