"""`python -m eval`: the command `eval` where no console script is installed."""

from eval.entry import main

if __name__ == "__main__":
    main()
