"""When a board is redrawn, and where: while its points come in, and once more at the end."""

import os
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helpers.board import ProgressBoard

DRAWING_SHARE = 0.02  # of the time that passes
FIRST_DRAWING = 1.0  # seconds after the first point


class Live:
    """Shows a board where the code runs that draws on it, and keeps the picture up to date.

    In a cell, drawing takes about 2 % of the time that passes, and the last state is drawn when the
    training or the cell ends. In a widget's callback, and wherever else output is captured, a
    picture cannot be replaced: there the last state is drawn, once. Outside a notebook nothing is.
    With the environment variable HELPERS_BOARD=last, a cell shows only the last state.
    """

    def __init__(self, board: "ProgressBoard") -> None:
        self.board = board
        self.place: str | None = None  # the cell or callback that the picture belongs to
        self.display_id: str | None = None
        self.next_drawing = 0.0
        self.is_shown = True  # the picture has all the points

    def point_added(self) -> None:
        """Draw if enough time has passed since the last drawing."""
        shell = notebook_shell()
        if shell is None:
            return
        self.is_shown = False
        if self.place != running_code(shell):
            self.start(shell)
        if is_captured(shell) or last_state_only() or time.perf_counter() < self.next_drawing:
            return
        start = time.perf_counter()
        self.show()
        now = time.perf_counter()
        self.next_drawing = now + (now - start) / DRAWING_SHARE

    def start(self, shell: Any) -> None:
        """Begin a picture where the code runs now."""
        self.place, self.display_id = running_code(shell), None
        in_thread = threading.current_thread() is not threading.main_thread()
        # Of a thread, only the first drawing is sure to reach the cell that has started it.
        self.next_drawing = 0 if in_thread else time.perf_counter() + FIRST_DRAWING
        if not in_thread:
            shell.events.register("post_run_cell", self.end_cell)

    def end_cell(self, *_: Any) -> None:
        """Draw the last state; what is drawn after that gets a place of its own."""
        shell = notebook_shell()
        if shell is not None and self.end_cell in shell.events.callbacks["post_run_cell"]:
            shell.events.unregister("post_run_cell", self.end_cell)
        if not self.is_shown:
            self.show()
        self.place = self.display_id = None

    def finish(self) -> None:
        """Draw the last state of a training."""
        shell = notebook_shell()
        if self.is_shown or shell is None or (last_state_only() and not is_captured(shell)):
            return
        self.show()

    def show(self) -> None:
        """Draw now."""
        from IPython.display import display, update_display

        picture = {"image/svg+xml": self.board.to_svg(), "text/plain": repr(self.board)}
        if self.display_id is None:
            new_id = uuid.uuid4().hex
            display(picture, raw=True, display_id=new_id)
            self.display_id = None if is_captured(notebook_shell()) else new_id
        else:
            update_display(picture, raw=True, display_id=self.display_id)
        self.is_shown = True


def notebook_shell() -> Any:
    """Return the IPython shell of the notebook that this runs in, or None elsewhere."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    shell = get_ipython()
    return shell if hasattr(shell, "kernel") else None


def last_state_only() -> bool:
    """Whether a cell is to show a board once, as when outputs are compared."""
    return os.environ.get("HELPERS_BOARD") == "last"


def running_code(shell: Any) -> str:
    """Return an id of the cell, or the widget's callback, that runs."""
    return shell.kernel.get_parent().get("header", {}).get("msg_id", "")


def is_captured(shell: Any) -> bool:
    """Whether output goes to a widget, or to a variable, in place of the cell."""
    if shell.kernel.get_parent().get("header", {}).get("msg_type") != "execute_request":
        return True
    if not hasattr(shell.display_pub, "session"):  # as within capture_output
        return True
    return any(output.msg_id for output in output_widgets())


def output_widgets() -> Iterator[Any]:
    """Yield the widgets that can capture output; one that does has a message id."""
    if "ipywidgets" not in sys.modules:
        return
    from ipywidgets import Output, Widget
    from ipywidgets.widgets import widget

    widgets = widget._instances if hasattr(widget, "_instances") else Widget.widgets
    yield from (w for w in list(widgets.values()) if isinstance(w, Output))


def report_epochs(board: "ProgressBoard", max_epochs: int) -> Iterator[int]:
    """Count the epochs; outside a notebook, say after each of them what it has reached."""
    if not getattr(board, "display", False) or notebook_shell() is not None:
        yield from range(max_epochs)
        return
    from tqdm import tqdm

    with tqdm(total=max_epochs, unit="epoch", disable=not sys.stderr.isatty()) as bar:
        for epoch in range(max_epochs):
            yield epoch
            reached = ", ".join(
                f"{label} {line[-1].y:.3g}" for label, line in board.data.items() if line
            )
            bar.set_postfix_str(reached, refresh=False)
            bar.update()
            if bar.disable:
                print(f"epoch {epoch + 1} of {max_epochs}: {reached}", flush=True)
