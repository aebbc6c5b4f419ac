"""The terminal: what the `earwitness` command prints."""
