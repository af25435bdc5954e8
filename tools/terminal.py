"""Text that every terminal, pipe and file can take."""

import io
import sys


def printable(text: str) -> str:
    """Write out what a terminal would obey, such as the start of a colour or a new line."""
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return "".join(shown)


def escape_what_cannot_be_shown() -> None:
    """Let print write `\\u0141` where the terminal or the pipe has no such letter."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
