"""When a board is redrawn, and where: while its points come in, and once more at the end."""

import math
import os
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helpers.board import ProgressBoard

DRAWING_SHARE = 0.02  # of the time that passes
FIRST_DRAWING = 1.0  # seconds after a cell's first point


class Live:
    """Shows a board in one place of a notebook's output, and keeps the picture up to date.

    Drawing takes about 2 % of the time that passes; the last state is drawn when the cell ends.
    Outside a notebook nothing is drawn. With the environment variable HELPERS_BOARD=last, only the
    last state is drawn, once.
    """

    def __init__(self, board: "ProgressBoard") -> None:
        self.board = board
        self.display_id: str | None = None
        self.next_drawing: float | None = None

    def point_added(self) -> None:
        """Draw if enough time has passed since the last drawing."""
        if self.next_drawing is None:
            self.next_drawing = self.start_cell()
        if time.perf_counter() < self.next_drawing:
            return
        start = time.perf_counter()
        self.show()
        now = time.perf_counter()
        self.next_drawing = now + (now - start) / DRAWING_SHARE

    def start_cell(self) -> float:
        """Have the last state drawn when the cell ends; return when to draw for the first time."""
        shell = notebook_shell()
        if shell is None:
            return math.inf
        shell.events.register("post_run_cell", self.end_cell)
        last_only = os.environ.get("HELPERS_BOARD") == "last"
        return math.inf if last_only else time.perf_counter() + FIRST_DRAWING

    def end_cell(self, *_: Any) -> None:
        """Draw the last state; what is drawn after that gets a place of its own."""
        if self.next_drawing is None:
            return
        shell = notebook_shell()
        if shell is not None:
            shell.events.unregister("post_run_cell", self.end_cell)
            self.show()
        self.display_id = self.next_drawing = None

    def show(self) -> None:
        """Draw now."""
        from IPython.display import display, update_display

        picture = {"image/svg+xml": self.board.to_svg(), "text/plain": repr(self.board)}
        if self.display_id is None:
            self.display_id = uuid.uuid4().hex
            display(picture, raw=True, display_id=self.display_id)
        else:
            update_display(picture, raw=True, display_id=self.display_id)


def notebook_shell() -> Any:
    """Return the IPython shell of the notebook that this runs in, or None elsewhere."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    shell = get_ipython()
    return shell if hasattr(shell, "kernel") else None
