"""Model Context Protocol (MCP): recordings in folders that the user named, heard for other programs' agents."""
