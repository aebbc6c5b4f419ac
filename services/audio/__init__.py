"""Reading recordings: bytes, files or URLs become clips, decoded in a sandbox."""
