import io
import sys

import pytest

from tools.course import ROOT
from tools.terminal import ToolError, printable, run_tool


def test_what_the_user_can_mend_is_a_sentence():
    def main():
        raise ToolError("Give both.")

    with pytest.raises(SystemExit) as ended:
        run_tool(main)
    assert ended.value.code == "Give both."


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_any_terminal_and_pipe_gets_the_text(monkeypatch, encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    with pytest.raises(SystemExit) as ended:
        run_tool(lambda: print("C:\\Łukasz …"))
    assert ended.value.code is None
    stream.flush()
    assert b"\\u0141ukasz" in stream.buffer.getvalue()


def test_every_tool_is_run_so():
    tools = [path for path in (ROOT / "tools").rglob("*.py") if '"__main__"' in path.read_text()]
    started = {path.name for path in tools if "run_tool(main)" not in path.read_text()}
    assert started == {"install.py", "entry.py"}


def test_what_a_terminal_would_obey_is_written_out():
    assert printable("a\x1b[31m\n数") == "a\\x1b[31m\\n数"
