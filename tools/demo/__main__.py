# SPDX-License-Identifier: BSD-2-Clause
"""`python3 -m demo`: what `make run` starts."""

import signal
import sys

from demo.demo import main


def terminated(number: int, frame: object) -> None:
    """Ends like Ctrl-C: the machine is stopped first."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, terminated)
    sys.exit(main(sys.argv[1:]))
