"""Effects: HTTP services, tables and blobs. Nothing here decides anything."""
