"""
A functions host for development: runs `function_app.py` as it is, with the platform's triggers, quirks and failures.

    from local.host.host import FunctionsHost            in tests and programs
    python -m local.host --app . --port 7071             at a terminal

The app is loaded in a child process (`worker/`) by the `azure-functions` library's own indexing and converters, over a
socket; listeners (`listeners/`) and web server (`web/`) feed it. Where the platform does something that surprises, so
does this host.

Reproduced
- Deployed packages: `.python_packages` comes first; `languageWorkers__python__defaultExecutablePath` names the Python.
- Settings: `%NAME%`, connection names, disabled functions, local.settings.json, host.json 2.0 and its overrides.
- Queue trigger: batches, ten hidden minutes renewed, dequeue count, poison queue, back-off, body keys over metadata.
- Queue output: after success only, JSON texts split and indented, bytes verbatim.
- Blob trigger: container scan, receipts, internal queue, poison queue, ETag check, text damage without
  `data_type="binary"`, SDK types; `source="EventGrid"` with its webhook, and a scan in place of Event Grid.
- Timer trigger: NCRONTAB, status blob, past due, lease, no overlap, retry policies.
- HTTP trigger: route prefix and templates, methods, auth levels, keys, bodies only with Content-Length.
- Administration: ping, status, functions, running a function by hand.
- functionTimeout kills the worker; a crashed worker fails what it ran and is replaced.

Not reproduced
- Other triggers and bindings; blob input and output; Durable Functions; HTTP streaming.
- Managed identities: connections are connection strings. Key management and keys of single functions.
- Scaling, scale groups, drain and restart calls, the 230 s limit of HTTP responses, storage analytics logs.
- Time zones: schedules are in UTC, as they are in Azure by default. .NET's rewriting of texts that look like dates.
"""
