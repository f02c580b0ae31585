"""Persistence over one storage account: tables hold records, blobs hold bytes, a queue holds what waits."""
