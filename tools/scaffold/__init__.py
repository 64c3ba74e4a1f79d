"""From what a user asks for to a validated notebook to its directory."""
