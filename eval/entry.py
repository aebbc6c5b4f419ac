"""Entry points of the commands `eval` and `run`; Ctrl-C is handled before the imports, which take a second."""

from services.terminal.interruption import end_on_interrupt


def main() -> None:
    """Run `eval`."""
    with end_on_interrupt("eval"):
        from eval.cli import main as run

        run()


def run_main() -> None:
    """Run `eval run`, where a shell executes `run` for it."""
    with end_on_interrupt("eval"):
        from eval.cli import run_main as run

        run()
