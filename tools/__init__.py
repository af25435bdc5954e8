"""What the Makefile calls. Nothing here is imported by a notebook."""

import sys

# Reading a notebook imports jsonschema, which would compile a grammar for addresses with letters
# beyond ASCII: a second at each start, for something that no notebook has. Only where one of these
# tools is the program (`python -m tools.run`): to others who import them nothing changes.
if sys.argv[0] == "-m":
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
