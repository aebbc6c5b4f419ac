"""Entry point of `python -m lalm.naming`; Ctrl-C is handled before the imports, which take seconds."""

import sys

from services.terminal.interruption import end_on_interrupt

with end_on_interrupt("lalm.naming"):
    from lalm.naming.recipe import main

    sys.exit(main())
