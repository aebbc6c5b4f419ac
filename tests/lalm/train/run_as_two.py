"""Run code in two processes, started as torchrun does but forked from this one: seconds of imports are made once.

Each line of stdin is the code as a JSON string; `done` on stdout says that both have ended well.
"""

import json
import sys

from torch.distributed.launcher.api import LaunchConfig, elastic_launch

import lalm.train.recipe  # noqa: F401 - what the processes share

PAIR = LaunchConfig(
    min_nodes=1,
    max_nodes=1,
    nproc_per_node=2,
    rdzv_backend="c10d",
    rdzv_endpoint="localhost:0",
    start_method="fork",
    monitor_interval=0.1,
)

for line in sys.stdin:
    elastic_launch(PAIR, exec)(json.loads(line), {})
    sys.stdout.write("done\n")
    sys.stdout.flush()
