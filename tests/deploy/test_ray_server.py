"""The process that runs Ray: why Ray did not start, in one line."""

import io

import pytest

from deploy import ray_server
from deploy.job import JobStatus

ACTOR = """The actor died because of an error raised in its creation task, ray::Manager.__init__() (pid=1)
  File "haproxy.py", line 913, in __init__
OSError: [Errno 28] No space left on device
"""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(ACTOR), "Ray did not start (OSError: [Errno 28] No space left on device)."),
        (
            ValueError("The current node timed out during startup."),
            "Ray did not start (The current node timed out during startup).",
        ),
        (TimeoutError(), "Ray did not start (TimeoutError)."),
    ],
    ids=["an actor", "a slow node", "nothing said"],
)
def test_why_ray_did_not_start_is_one_line(error: Exception, said: str) -> None:
    told = io.StringIO()
    ray_server._tell_no_ray(told, type(error), error, None)
    assert JobStatus.model_validate_json(told.getvalue()) == JobStatus(what="no_ray", message=said)
