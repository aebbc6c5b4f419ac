"""Entry point of `python -m lalm.train`; Ctrl-C is handled before the imports, which take seconds."""

import sys

from services.terminal.interruption import end_on_interrupt

with end_on_interrupt("lalm.train"):
    from lalm.train.cli import main

    sys.exit(main())
