"""papermill's command, with a limit to what a notebook may print, and to where it may write.

Only tools.run.batch starts it: it ends when its standard input is closed.
"""

import asyncio
import json
import os
import threading
from typing import TYPE_CHECKING

from jupyter_core.utils import run_sync
from nbclient.exceptions import CellExecutionComplete
from nbformat.v4 import new_output
from papermill.cli import papermill
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines
from papermill.log import logger

from tools.run import kernels
from tools.run.processes import end_with_parent
from tools.streams import joined

if TYPE_CHECKING:
    from tools.run.waiting_kernel import WaitingKernel

OUTPUT_LIMIT = "TOOLS_OUTPUT_LIMIT"  # environment variable: MB for one notebook
CELL_LIMIT = (
    "TOOLS_CELL_LIMIT"  # environment variable: seconds for one cell, then it is interrupted
)
MAY_FAIL = "raises-exception"  # nbclient's tag for a cell after whose error it goes on
SAVE_EVERY = 1  # seconds; what came in the last two is lost when this process is killed
TOO_MUCH = "TooMuchOutput"  # the name of the error when a kernel is given up
DEAD_KERNEL = 138  # papermill's exit status when the kernel is gone


class LimitedClient(PapermillNotebookClient):
    """Counts what the kernel sends and gives it up when that is too much; saves in long cells."""

    received = 0

    async def async_execute_cell(self, cell, cell_index, **options):
        self.save_later()
        try:
            return await super().async_execute_cell(cell, cell_index, **options)
        finally:
            self.next_save.cancel()
            if "outputs" in cell:
                cell.outputs = joined(cell.outputs)

    execute_cell = run_sync(async_execute_cell)

    def save_later(self):
        """Save once a second from now on, also what comes right after the notebook was saved."""
        self.next_save = asyncio.get_running_loop().call_later(SAVE_EVERY, self.save_again)

    def save_again(self):
        self.save_later()
        self.nb_man.save()

    def process_message(self, msg, cell, cell_index):
        self.received += len(json.dumps(msg["content"], default=str))
        limit = float(os.environ.get(OUTPUT_LIMIT, "inf"))
        if self.received <= limit * 2**20:
            return super().process_message(msg, cell, cell_index)
        reason = f"more than {limit:g} MB; print and show less, or raise --output-limit"
        cell.outputs.append(new_output("error", ename=TOO_MUCH, evalue=reason, traceback=[]))
        self.task_poll_for_reply.cancel()  # what nbclient does when the kernel has died
        raise CellExecutionComplete


class Manager(NotebookExecutionManager):
    """Saves the notebook once a second, and at its end; papermill does so twice for each cell."""

    def save(self, **_):
        since = (self.now() - self.last_save_time).total_seconds()
        if since >= SAVE_EVERY or self.end_time:
            super().save()


def cell_limit(cell) -> int | None:
    """The seconds after which a cell is interrupted, and the next one follows; None for never."""
    may_fail = MAY_FAIL in cell.metadata.get("tags", [])
    return int(os.environ.get(CELL_LIMIT, 0)) or None if may_fail else None


class LimitedEngine(Engine):
    """papermill's engine with this client and this manager."""

    @classmethod
    def execute_notebook(cls, nb, kernel_name, output_path=None, start_timeout=60, **_):
        manager = Manager(nb, output_path, progress_bar=False, autosave_cell_every=SAVE_EVERY)
        client = LimitedClient(
            manager,
            kernel_manager_class=kernels.manager(),
            kernel_name=kernel_name,
            startup_timeout=start_timeout,
            timeout_func=cell_limit,
            interrupt_on_timeout=CELL_LIMIT in os.environ,
            error_on_timeout={"ename": "TimeoutError", "evalue": "", "traceback": []},
            shutdown_kernel="immediate",  # all is done by then, and to ask it takes half a second
            log=logger,
        )
        manager.notebook_start()
        try:
            client.execute()
        finally:
            manager.notebook_complete()
        return nb


def main(waiting: "WaitingKernel | None" = None) -> None:
    """Execute the notebook that the command line names; `waiting` will be its kernel."""
    if waiting:
        kernels.fork_in_place_of_starting(waiting)
    threading.Thread(target=end_with_parent, daemon=True).start()
    papermill_engines.register(None, LimitedEngine)
    papermill()
