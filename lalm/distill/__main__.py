"""Entry point of `python -m lalm.distill`; Ctrl-C is handled before the imports, which take seconds."""

import sys

from services.terminal.interruption import end_on_interrupt

with end_on_interrupt("lalm.distill"):
    from lalm.distill.recipe import main

    sys.exit(main())
