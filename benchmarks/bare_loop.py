"""`python benchmarks/bare_loop.py URL NUM IN_FLIGHT`: the least that asks a server NUM questions: threads and a list.

No retries, nothing on disk, no scores: what `eval run` is compared with by `eval_speed.py`.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from threading import local
from urllib.parse import urlsplit

QUESTION = "Which of these four sounds is heard first in recording {number}?\nA. A dog\nB. Water\nC. A violin"


def main(url: str, num: int, in_flight: int) -> None:
    """Ask all questions, and print how many answers came."""
    kept = local()
    host = urlsplit(url).netloc

    def ask(number: int) -> str:
        """Ask one question over the connection of this thread."""
        if not hasattr(kept, "connection"):
            kept.connection = HTTPConnection(host)
        messages = [{"role": "user", "content": QUESTION.format(number=number)}]
        body = json.dumps({"model": "fixed", "messages": messages, "temperature": 0})
        kept.connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
        return str(json.loads(kept.connection.getresponse().read())["choices"][0]["message"]["content"])

    with ThreadPoolExecutor(in_flight) as threads:
        replies = list(threads.map(ask, range(num)))
    print(sum(reply == "A" for reply in replies))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
