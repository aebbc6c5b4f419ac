"""Telemetry: structured logs, metrics and tracing."""
