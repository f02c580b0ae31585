"""Processes that answer, and the models in them."""
