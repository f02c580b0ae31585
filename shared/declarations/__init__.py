"""Reads `models.toml`: one module for each section, every problem reported at once, by key and reason."""
