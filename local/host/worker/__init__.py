"""
The child process that holds the function app: loads it, runs its functions, and knows nothing of triggers or storage.

It does what Microsoft's Python worker does, with the `azure-functions` library's own indexing and converters; the tests
in `tests/conformance` hold it to Microsoft's. A process of its own makes crashes, kills and timeouts real.
"""
