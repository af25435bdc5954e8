"""What a tool prints, and how it ends."""

import io
import sys
from collections.abc import Callable
from typing import NoReturn


class ToolError(Exception):
    """Something that the user can mend, said in a sentence."""


def run_tool(main: Callable[[], int | None]) -> NoReturn:
    """Run a tool so that any terminal can show what it prints, and a ToolError is a sentence."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # ł becomes \u0142 where there is none
    try:
        sys.exit(main())
    except ToolError as error:
        sys.exit(str(error))


def printable(text: str) -> str:
    """Write out what a terminal would obey, such as the start of a colour or a new line."""
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return "".join(shown)
