"""Where a board appears: in the cell, the callback or the variable whose code draws on it."""

import pytest

from tools.course import kernel_environment
from tools.run.kernels import OverSockets

PREPARE = """
import threading, torch, ipywidgets
import helpers
from helpers._internal import live
from IPython.utils.capture import capture_output

live.FIRST_DRAWING = 1000  # however slow the machine is, a training is over before

data = helpers.SyntheticRegressionData(torch.tensor([2, -3.4]), 4.2)

def train(lr):
    helpers.Trainer(2).fit(helpers.LinearRegressionScratch(2, lr=lr), data)
    print("trained", lr)
"""


class Notebook:
    """A kernel, and the outputs that a notebook would receive from it."""

    def __init__(self, client):
        self.client = client

    def cell(self, code):
        return self.outputs(self.client.execute(code))

    def move_slider(self, widget, value):
        data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
        message = self.client.session.msg("comm_msg", {"comm_id": widget, "data": data})
        self.client.shell_channel.send(message)
        return self.outputs(message["header"]["msg_id"])

    def outputs(self, msg_id):
        """What a message leads to, until the kernel is idle again."""
        seen, printed = [], None
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            kind, content = message["msg_type"], message["content"]
            state = content.get("data", {}).get("state", {}) if kind == "comm_msg" else {}
            if kind in ("display_data", "update_display_data"):
                is_chart = "image/svg+xml" in content["data"]
                seen.append({"display_data": "chart"}.get(kind, "update") if is_chart else kind)
            elif kind == "stream" and printed == content["name"]:
                seen[-1] += content["text"]  # what is printed may come in pieces
            elif kind == "stream":
                seen.append(content["text"])
            elif kind == "error":
                seen.append("\n".join(content["traceback"]))
            elif "msg_id" in state:
                seen.append("[" if state["msg_id"] else "]")
            if kind != "status":
                printed = content["name"] if kind == "stream" else None
            ours = message["parent_header"].get("msg_id") == msg_id
            if ours and kind == "status" and content["execution_state"] == "idle":
                return [text.strip() for text in seen]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    manager = OverSockets(kernel_name="python3")
    env = {**kernel_environment(), "HELPERS_BOARD": ""}
    manager.start_kernel(cwd=str(tmp_path_factory.mktemp("kernel")), env=env)
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    notebook = Notebook(client)
    assert notebook.cell(PREPARE) == []
    yield notebook
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_in_a_cell_each_training_shows_its_chart_before_what_follows(notebook):
    assert notebook.cell("train(0.1)\ntrain(0.2)") == [
        "chart",
        "trained 0.1",
        "chart",
        "trained 0.2",
    ]


def test_a_widgets_callback_shows_its_chart_in_its_own_output(notebook):
    code = "ui = ipywidgets.interact(train, lr=(0.01, 0.5, 0.01)); name = ui.widget.children[0]"
    notebook.cell(code)
    (name,) = notebook.cell("print(name.model_id)")
    for value in (0.1, 0.2):
        seen = notebook.move_slider(name, value)
        assert seen[seen.index("[") :] == ["[", "chart", f"trained {value}", "]"]
    assert notebook.cell("print(1 + 1)") == ["2"]


def test_an_output_widget_gets_the_chart_once_in_its_last_state(notebook):
    code = (
        "live.FIRST_DRAWING = 0\n"
        "out = ipywidgets.Output()\nwith out:\n    train(0.1)\nlive.FIRST_DRAWING = 1000"
    )
    seen = notebook.cell(code)
    assert [s for s in seen if s != "display_data"] == ["[", "chart", "trained 0.1", "]"]


def test_captured_output_has_the_chart(notebook):
    code = "with capture_output() as c:\n    train(0.1)\nprint(len(c.outputs), 'captured')"
    assert notebook.cell(code) == ["1 captured"]


def test_a_thread_shows_its_chart_in_the_cell_that_started_it(notebook):
    code = "thread = threading.Thread(target=train, args=[0.1]); thread.start(); thread.join()"
    seen = notebook.cell(code)
    assert [s for s in seen if s != "update"] == ["chart", "trained 0.1"]


def test_an_interrupt_ends_the_loop_around_the_trainings_in_one_line(notebook):
    code = (
        "class Model(helpers.LinearRegressionScratch):\n"
        "    def training_step(self, batch):\n"
        "        if self.trainer.train_batch_idx == 40: raise KeyboardInterrupt\n"
        "        return super().training_step(batch)\n"
        "for lr in (0.1, 0.2):\n"
        "    helpers.Trainer(5).fit(Model(2, lr), data)\n"
    )
    chart, error = notebook.cell(code)
    assert chart == "chart"
    assert error == (
        "Stopped in epoch 2 of 5, after 40 minibatches; the model keeps what it has learned."
    )
