"""The combinations of parameters that a chapter is executed with."""

import hashlib
import re
from dataclasses import dataclass
from itertools import product

from tools.terminal import ToolError, printable

LONGEST_NAME = 120  # characters of a file's name, which some systems limit to 143


@dataclass(frozen=True)
class Point:
    """One combination of parameters, as text: a parameter's name and its value."""

    values: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """A name for its file; another point has another name."""
        text = " ".join(f"{name}={value}" for name, value in self.values) or "as it is"
        safe = re.sub(r"[^\w.=+-]+", "_", text)[:LONGEST_NAME]
        if safe == text.replace(" ", "_"):
            return safe
        return f"{safe}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    def without(self, name: str) -> "Point":
        """The point without one of its parameters."""
        return Point(tuple(item for item in self.values if item[0] != name))


def parse(text: str) -> dict[str, list[str]]:
    """The values by parameter of a grid such as "lr=0.01,0.1 batch_size=64,256".

    Raises:
        ToolError: when it is written in another way.
    """
    grid: dict[str, list[str]] = {}
    for word in text.split():
        name, equals, values = word.partition("=")
        given = list(dict.fromkeys(values.split(",")))  # each once, in the order given
        if not (name.isidentifier() and equals and all(given)):
            example = 'GRID="lr=0.01,0.1 batch_size=64,256"'
            raise ToolError(f"Got {printable(word)} in the grid, expected it as in {example}.")
        if name in grid:
            raise ToolError(f"{name} stands twice in the grid: write its values in one list.")
        grid[name] = given
    return grid


def points(grid: dict[str, list[str]], seeds: int) -> list[Point]:
    """All combinations of the values, each with the seeds 0 to `seeds` - 1 unless `seeds` is 0."""
    if seeds:
        if "seed" in grid:
            raise ToolError("The grid has the seeds already: leave out SEEDS, or seed in GRID.")
        grid = {**grid, "seed": [str(seed) for seed in range(seeds)]}
    return [Point(tuple(zip(grid, values, strict=True))) for values in product(*grid.values())]
