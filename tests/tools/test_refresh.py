import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools import refresh
from tools.course import ROOT, read


@pytest.fixture
def write(tmp_path):
    def write_notebook(*sources):
        path = tmp_path / "9.9-test.ipynb"
        cells = [new_code_cell(source) for source in sources]
        nbformat.write(new_notebook(cells=cells), path)
        return path

    return write_notebook


def test_outputs_and_metadata_are_renewed(write):
    path = write("print('a')\nprint('b')", "1 + 1")
    assert refresh.refresh(path) == ""
    notebook = read(path)
    assert notebook.cells[0].outputs[0].text == "a\nb\n"
    assert notebook.cells[1].outputs[0].data["text/plain"] == "2"
    assert notebook.metadata == refresh.METADATA
    assert "execution" not in notebook.cells[0].metadata


BAD_PICTURE = """
class Picture:
    def _repr_svg_(self):
        raise ValueError("cannot be drawn")

Picture()
"""


@pytest.mark.parametrize(
    ("source", "message"), [("1 / 0", "division by zero"), (BAD_PICTURE, "cannot be drawn")]
)
def test_a_notebook_that_fails_is_left_as_it_was(write, source, message):
    path = write("x = 1", source)
    before = path.read_bytes()
    problem = refresh.refresh(path)
    assert "9.9-test.ipynb was left as it was" in problem
    assert message in problem
    assert path.read_bytes() == before


def test_the_picture_in_the_readme_is_the_board_of_its_chapter():
    notebook = read(ROOT / "notebooks" / refresh.BOARD_CHAPTER)
    assert refresh.BOARD_PICTURE.read_text(encoding="utf-8") == refresh.board_picture(notebook)
