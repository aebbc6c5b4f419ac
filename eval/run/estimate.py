"""Estimate of what a run would ask and cost, before anything is asked."""

from eval.benchmarks.benchmark import Benchmark
from eval.run.request import Price
from services.types import Value

CHARS_PER_TOKEN = 4  # of English, roughly
INSTRUCTION_TOKENS = 45  # around a question, roughly: what the LLM is told, letters, and the marks of a chat
EVIDENCE_TOKENS = 250  # what a cascade shows beside a question, roughly: eight statements and the instruction


class Estimate(Value):
    """What one or more runs over a benchmark will ask."""

    column: str
    """Of a study: BENCHMARK:PATH."""
    runs: int
    requests: int
    tokens: int
    """Read, roughly: from the characters of the questions, with what stands around them; recordings apart."""
    dollars: float | None
    """None without a price."""


def estimate_runs(
    benchmark: Benchmark, column: str, *, num_runs: int, shows_evidence: bool, price: Price | None
) -> Estimate:
    """Estimate what so many runs over a benchmark ask."""
    chars = sum(len(item.question) + sum(map(len, item.choices)) for item in benchmark.items)
    beside = (EVIDENCE_TOKENS if shows_evidence else INSTRUCTION_TOKENS) * len(benchmark.items)
    tokens = num_runs * (chars // CHARS_PER_TOKEN + beside)
    return Estimate(
        column=column,
        runs=num_runs,
        requests=num_runs * len(benchmark.items),
        tokens=tokens,
        dollars=price.compute_cost(prompt_tokens=tokens, completion_tokens=0) if price else None,
    )
