"""Entry point of `python -m lalm.train`."""

import sys

from lalm.train.cli import main

sys.exit(main())
