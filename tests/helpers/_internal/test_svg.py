import helpers
from helpers._internal.svg import describe, to_svg


def test_a_figure_is_told_by_its_title_labels_and_legend():
    helpers.plot([0, 1], [[0, 1], [1, 0]], "epoch", "loss", legend=["a", "b"])
    helpers.plt.title("Two curves\nof $x^2$")
    told = "Two curves of x^2: loss over epoch: a, b"
    assert describe(helpers.plt.gcf()) == told
    assert f"<dc:title>{told}</dc:title>" in to_svg(helpers.plt.gcf())


def test_several_axes_and_a_title_above_them():
    figure, axes = helpers.plt.subplots(1, 2)
    figure.suptitle("Pictures")
    axes[0].set_title("shirt")
    axes[1].set_xlabel("pixel")
    assert describe(figure) == "Pictures. shirt. pixel"


def test_a_figure_without_words():
    assert describe(helpers.plt.figure()) == "A picture without a title"


def test_in_a_notebook_the_text_form_says_what_the_picture_shows(run_cells):
    (cell,) = run_cells("import helpers\nhelpers.plot([0, 1], xlabel='x', ylabel='y')")
    assert cell.outputs[0]["data"]["text/plain"] == "y over x"
