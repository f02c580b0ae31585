"""Our worker beside Microsoft's worker library (`azure-functions-runtime`), which needs Python 3.13 or newer."""
