"""What is reported of a notebook."""

from dataclasses import dataclass


@dataclass
class Result:
    """What became of one notebook."""

    notebook: str
    section: str
    seconds: float
    peak_mb: int
    status: str  # "ok", "failed", "too slow", "too large" or "stopped"
    message: str
    output: str  # the notebook as far as it came; "" if there is none
