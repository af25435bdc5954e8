"""Starts the executor, or, with the argument "serve", the server that forks it."""

import sys

if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        from tools.run.fork_server import main
    else:
        from tools.run.executor import main

    main()
