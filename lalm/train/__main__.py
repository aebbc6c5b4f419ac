"""Entry point of `python -m lalm.train`."""

import sys

from lalm.train.recipe import main

sys.exit(main())
