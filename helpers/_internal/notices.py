"""Notices that are printed once."""

from functools import cache


@cache
def say_once(message: str) -> None:
    """Print a notice the first time it is given; the cache keeps it from being repeated."""
    print(message)
