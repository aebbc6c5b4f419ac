"""Services: audio, models behind narrow protocols, the perception cache, and the HTTP API."""

import os

# Without it ONNX Runtime tells its maker from its first import on what it runs; whoever wants that sets it to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
