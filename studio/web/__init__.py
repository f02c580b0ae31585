"""HTTP: the only part of the service that knows requests, statuses and headers."""
