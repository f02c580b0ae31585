"""Blobs that callers name, and storage accounts."""
