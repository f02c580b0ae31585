"""The protocol's operations but scoring: batch execution, endpoint management, new-style web services, publication."""
