"""Entry point of the command `earwitness`; Ctrl-C is handled before the imports, which take a second."""

from services.terminal.interruption import end_on_interrupt


def main() -> None:
    """Run `earwitness`."""
    with end_on_interrupt("earwitness"):
        from deploy.cli import main as run

        run()


if __name__ == "__main__":
    main()
