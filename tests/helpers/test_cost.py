"""Time grows in proportion to images and epochs, board included, and memory not with epochs."""

import time
from collections.abc import Callable

import psutil
import pytest
import torch

import helpers
from helpers import ProgressBoard
from helpers._internal import live

pytestmark = pytest.mark.weekly  # it measures times


@pytest.fixture(autouse=True)
def a_board_that_draws(monkeypatch):
    """Draw as in a notebook, from the first point on, but show the picture to nobody."""
    monkeypatch.setattr(live, "notebook_shell", lambda: "a shell")
    monkeypatch.setattr(live, "running_code", lambda shell: None)
    monkeypatch.setattr(live, "is_captured", lambda shell: False)
    monkeypatch.setattr(live.Live, "show", lambda self: self.board.to_svg())
    monkeypatch.setenv("HELPERS_BOARD", "")


@pytest.fixture(autouse=True)
def one_thread():
    """Threads that wait for one another would count as processor time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def seconds(job: Callable[[], None]) -> float:
    """Return the processor time of the quickest of three runs, which is least disturbed."""
    times = []
    for _ in range(3):
        start = time.process_time()
        job()
        times.append(time.process_time() - start)
    return min(times)


def fit(data: helpers.FashionMNIST, max_epochs: int) -> None:
    helpers.Trainer(max_epochs).fit(helpers.SoftmaxRegression(10, lr=0.1), data)


def test_time_grows_in_proportion_to_the_images(full_set):
    few, many = (helpers.FashionMNIST(batch_size=64, limit=n) for n in (3_000, 30_000))
    for data in (few, many):
        data.val = data.train
    few_seconds, many_seconds = (seconds(lambda data=data: fit(data, 2)) for data in (few, many))
    assert many_seconds < 13 * few_seconds


def test_time_grows_in_proportion_to_the_epochs():
    """Of hardly any data, so that what the board does with its history would show."""
    data = helpers.FashionMNIST(batch_size=64, limit=64)
    assert seconds(lambda: fit(data, 2_000)) < 13 * seconds(lambda: fit(data, 200))


def test_memory_does_not_grow_with_the_epochs():
    data = helpers.FashionMNIST(batch_size=64, limit=1_000)
    fit(data, 5)
    before = psutil.Process().memory_info().rss
    fit(data, 50)
    assert psutil.Process().memory_info().rss - before < 10e6


def test_a_point_that_is_not_drawn_costs_microseconds():
    board = ProgressBoard(display=False)
    assert seconds(lambda: [board.draw(i, i, "a", every_n=10) for i in range(10_000)]) < 0.5
