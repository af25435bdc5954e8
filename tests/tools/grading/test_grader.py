import pytest

from tools.course import chapters
from tools.grading.grader import Grader
from tools.terminal import ToolError


def test_a_stop_before_the_grading_is_told_in_a_sentence(tmp_path):
    grader = Grader(tmp_path, isolated=False)
    grader.stop.set()
    with pytest.raises(ToolError, match="stopped before anything was graded"):
        grader.record_calls(chapters()[:2])
