"""Entry point of `python -m lalm.synthesise`."""

import sys

from lalm.synthesise.recipe import main

sys.exit(main())
