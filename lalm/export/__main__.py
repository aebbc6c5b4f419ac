"""Entry point of `python -m lalm.export`; Ctrl-C is handled before the imports, which take seconds."""

import sys

from services.terminal.interruption import end_on_interrupt

with end_on_interrupt("lalm.export"):
    from lalm.export.hf_folder import main

    sys.exit(main())
