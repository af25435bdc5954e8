"""What several chapters share: the trainer, its board, the datasets and a few small models.

The names, signatures and defaults are those of chapters 2 to 5 of *Dive into Deep Learning* (d2l
1.0.3 for PyTorch), so code written for the book runs with one line changed::

    import helpers as d2l

matplotlib, pandas and torchvision are imported when something first needs them.
"""

from typing import Any

from helpers.board import ProgressBoard
from helpers.classification import Classifier, SoftmaxRegression
from helpers.devices import cpu, gpu, num_gpus, try_all_gpus, try_gpu
from helpers.exercises import answer
from helpers.files import DATA_URL, download, extract
from helpers.images import FashionMNIST
from helpers.minibatches import DataModule
from helpers.oop import HyperParameters, add_to_class
from helpers.parameters import check_parameters
from helpers.plotting import plot, set_axes, set_figsize, show_images, use_svg_display
from helpers.regression import (
    LinearRegression,
    LinearRegressionScratch,
    SyntheticRegressionData,
)
from helpers.timing import Timer
from helpers.training import SGD, Module, Trainer

# The one source of the version; a package of the same name from elsewhere lacks the second name.
__version__ = course_version = "1.0.0"
__all__ = [
    "DATA_URL",
    "SGD",
    "Classifier",
    "DataModule",
    "FashionMNIST",
    "HyperParameters",
    "LinearRegression",
    "LinearRegressionScratch",
    "Module",
    "ProgressBoard",
    "SoftmaxRegression",
    "SyntheticRegressionData",
    "Timer",
    "Trainer",
    "add_to_class",
    "answer",
    "check_parameters",
    "cpu",
    "download",
    "extract",
    "gpu",
    "num_gpus",
    "plot",
    "plt",
    "set_axes",
    "set_figsize",
    "show_images",
    "try_all_gpus",
    "try_gpu",
    "use_svg_display",
]


def __getattr__(name: str) -> Any:
    """Import matplotlib's pyplot the first time that `helpers.plt` is used."""
    if name == "plt":
        from helpers.plotting import pyplot

        return pyplot()
    raise AttributeError(f"module 'helpers' has no attribute {name!r}")
