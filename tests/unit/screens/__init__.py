"""The main screens as a terminal of 80 columns shows them, kept as files to be looked at.

`.venv/bin/python -m tests.unit.screens` writes them again.
"""
