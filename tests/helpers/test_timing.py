import pytest

from helpers import Timer, timing


def test_timer(monkeypatch: pytest.MonkeyPatch):
    clock = iter([0.0, 1.5, 10.0, 10.5])
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock))
    timer = Timer()
    assert timer.stop() == 1.5
    timer.start()
    assert timer.stop() == 0.5
    assert timer.times == [1.5, 0.5]
    assert timer.avg() == 1
    assert timer.sum() == 2
    assert timer.cumsum() == [1.5, 2.0]
