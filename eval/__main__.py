"""`python -m eval`: the command `eval` where no console script is installed."""

from eval.cli import main

if __name__ == "__main__":
    main()
