"""Entry point of `python -m lalm.reader`; Ctrl-C is handled before the imports, which take seconds."""

import sys

from services.terminal.interruption import end_on_interrupt

with end_on_interrupt("lalm.reader"):
    from lalm.reader.recipe import main

    sys.exit(main())
