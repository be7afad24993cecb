"""The MCP endpoint: tools, resources and prompts over the `Agent` port, at `/mcp` and on standard input and output."""
