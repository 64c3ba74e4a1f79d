"""A file of notebooks as a team's source: directories made and changed as it says."""
