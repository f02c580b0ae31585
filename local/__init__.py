"""
The local environment: storage emulator, studio service and functions host on one machine, for development and tests.

Nothing here is deployed, and neither the function app nor `studio/` imports it.
"""
