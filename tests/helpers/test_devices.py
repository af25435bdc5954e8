import pytest
import torch

from helpers import cpu, devices, gpu, num_gpus, try_all_gpus, try_gpu
from helpers._internal.notices import say_once


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """Return a function that sets which accelerators the machine seems to have."""

    def set_machine(cuda: int, mps: bool) -> None:
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    say_once.cache_clear()
    return set_machine


def test_names():
    assert cpu() == torch.device("cpu")
    assert gpu(2) == torch.device("cuda:2")


def test_without_a_gpu(machine, capsys):
    machine(cuda=0, mps=False)
    assert num_gpus() == 0
    assert try_gpu() == cpu()
    assert try_all_gpus() == []
    assert devices.pick_gpus(1) == devices.pick_gpus(1) == []
    assert capsys.readouterr().out.count("training on the CPU") == 1


def test_with_two_gpus(machine):
    machine(cuda=2, mps=False)
    assert try_gpu(1) == gpu(1)
    assert try_gpu(2) == cpu()
    assert try_all_gpus() == [gpu(0), gpu(1)]
    assert devices.pick_gpus(1) == [gpu(0)]
    assert devices.pick_gpus(5) == [gpu(0), gpu(1)]


def test_with_mps(machine, capsys):
    machine(cuda=0, mps=True)
    assert devices.pick_gpus(1) == [torch.device("mps")]
    assert devices.pick_gpus(0) == []
    assert capsys.readouterr().out == ""
