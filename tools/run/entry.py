"""Starts the executor, or, with the argument "serve", the server that forks it.

Reading a notebook imports jsonschema, which would compile a grammar for addresses with letters
beyond ASCII: two thirds of a second in every process, for something that no notebook has.
"""

import sys

if __name__ == "__main__":
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

    if sys.argv[1:] == ["serve"]:
        from tools.run.fork_server import main
    else:
        from tools.run.executor import main

    main()
