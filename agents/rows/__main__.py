"""Entry point of `python -m agents.rows`; Ctrl-C is handled before the imports, which take seconds."""

import sys

from services.terminal.interruption import end_on_interrupt

with end_on_interrupt("agents.rows"):
    from agents.rows.recipe import main

    sys.exit(main())
