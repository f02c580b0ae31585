"""
The function app's own code, in layers that import one way only.

    function_app (triggers) → composition → retraining (use cases) → domain (records, pure rules)
                                  └───────→ adapters (HTTP, tables, blobs) → wire, domain

`domain` reads no clock, socket or environment. `wire` holds the classic protocol's bodies once, for the client here
and for the service in `studio/`, which borrows `wire`, `secret`, `errors` and `logs`, and nothing else.
Nothing here imports `studio/` or `local/`.
"""
