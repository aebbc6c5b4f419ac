"""Entry point of `python -m lalm.export`."""

import sys

from lalm.export.hf_folder import main

sys.exit(main())
