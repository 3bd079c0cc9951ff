# SPDX-License-Identifier: BSD-2-Clause
"""`python3 -m demo`: what `make run` starts."""

import sys

from demo.demo import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
