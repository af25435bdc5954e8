"""What limits a notebook: its time, its memory, and how much it may print."""

from dataclasses import dataclass

MEGABYTE = 2**20


@dataclass(frozen=True)
class Limits:
    """The most that one notebook may take, with all processes that it starts."""

    seconds: float = 600
    memory_mb: float = 6000  # chapter 4.2 takes 2,300 with its worker processes
    output_mb: float = 20
    processes: int = 100
    cell_seconds: int = 0  # for a cell that may fail; 0 is no limit

    def exceeded(
        self, seconds: float, memory: int, log_size: int, processes: int = 1
    ) -> tuple[str, str]:
        """Return the status of a notebook that takes too much, and why; or "" and "".

        `memory` and `log_size` are in bytes. The log has what passes the notebook by, such as the
        output of a program that it started; what the notebook shows is counted by the executor.
        """
        if seconds > self.seconds:
            return "too slow", f"not done after {self.seconds:g} s"
        if memory > self.memory_mb * MEGABYTE:
            return "too large", f"took more than {self.memory_mb:g} MB of memory"
        if log_size > self.output_mb * MEGABYTE:
            return "too large", f"wrote more than {self.output_mb:g} MB to its log"
        if processes > self.processes:
            return "too large", f"started more than {self.processes} processes"
        return "", ""
