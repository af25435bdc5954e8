"""What the Makefile calls. Nothing here is imported by a notebook."""

import sys

# Reading a notebook imports jsonschema, which would compile a grammar for addresses with letters
# beyond ASCII: two thirds of a second in every process, for something that no notebook has.
sys.modules["rfc3987_syntax"] = None
