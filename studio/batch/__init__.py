"""Batch jobs: submitted, ordered, worked off."""
