"""Models and benchmarks of other packages and files, which need no fork: entry points and included files."""
