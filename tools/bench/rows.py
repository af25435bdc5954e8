"""The rows of the table and their bounds."""

from dataclasses import dataclass

BARE, HELPERS, D2L = SIDES = ("bare", "helpers", "d2l")


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Args:
        name: for the command line.
        how: the method of `Bench` that measures it.
        most_ratio: bound of helpers' time over that of the bare loop.
        most: bound of what helpers takes, in `unit`.
        least_gain: bound of d2l's time over that of helpers.
    """

    name: str
    what: str
    how: str
    sides: tuple[str, ...] = SIDES
    most_ratio: float | None = None
    most: float | None = None
    least_gain: float | None = None
    unit: str = "s"


ROWS = (
    Row("sweep", "3.4: four learning rates × 50 epochs, four figures", "warm", most_ratio=1.7),
    Row("softmax", "softmax regression, 10 epochs, 60,000 images", "warm", most_ratio=1.15),
    Row("mlp", "MLP 784-256-10, 10 epochs", "warm", most_ratio=1.05),
    Row("read", "read 60,000 images once at 32 × 32, shuffled", "warm", most=0.15, least_gain=15),
    Row("load", "first use of Fashion-MNIST, from raw files", "process", (HELPERS, D2L), most=0.6),
    Row("import", "import torch, and the package", "process", most_ratio=1.25),
    Row("first", "first fit of a fresh kernel, softmax, 1 epoch", "fresh"),
    Row(
        "outputs", "outputs that the first three leave", "outputs", SIDES[1:], most=0.25, unit="MB"
    ),
    # 75 s where the MLP's bare loop takes 3.2 s: seconds alone say more about the machine.
    Row(
        "course", "all chapters, two at a time; loop: the MLP", "course", SIDES[:2], most_ratio=23.5
    ),
)
