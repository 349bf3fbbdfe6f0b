"""``python -m node CONFIG``: a node without the command line around it, as the devnet starts it."""

import sys
from getpass import getpass
from pathlib import Path

from node.app import run_node
from node.errors import NodeError

if __name__ == "__main__":
    try:
        run_node(Path(sys.argv[1]), getpass)
    except NodeError as error:
        sys.exit(str(error))
