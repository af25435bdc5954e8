"""Starts the executor; tools.run.batch calls this file as a program.

Reading a notebook imports jsonschema, which would compile a grammar for addresses with letters
beyond ASCII: two thirds of a second in every process, for something that no notebook has.
"""

import sys

if __name__ == "__main__":
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

    from tools.run.executor import main

    main()
