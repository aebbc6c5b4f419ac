"""Studies: LLMs, captioners and benchmarks in one command, with one page as its result."""
