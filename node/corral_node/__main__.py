import sys

from corral_node.cli import main

if __name__ == "__main__":
    sys.exit(main())
