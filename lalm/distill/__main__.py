"""Entry point of `python -m lalm.distill`."""

import sys

from lalm.distill.recipe import main

sys.exit(main())
