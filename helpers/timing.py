"""Measuring how long something takes."""

import time

import numpy as np


class Timer:
    """Stopwatch that keeps every lap, in seconds. It runs from the moment it is made."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.start()

    def start(self) -> None:
        """Start a lap."""
        self.tik = time.perf_counter()

    def stop(self) -> float:
        """End the lap and return its length in seconds."""
        self.times.append(time.perf_counter() - self.tik)
        return self.times[-1]

    def avg(self) -> float:
        """Return the mean lap in seconds."""
        return sum(self.times) / len(self.times)

    def sum(self) -> float:
        """Return the time of all laps together in seconds."""
        return sum(self.times)

    def cumsum(self) -> list[float]:
        """Return the running totals of the laps in seconds."""
        return np.cumsum(self.times).tolist()
