"""
Traces and metrics of runs, by OpenTelemetry.

A run crosses many invocations, instances and both programs; its trace is one all the same, since every identifier is
derived from the run's id (`identifiers`). What is worth recording is seen where it is saved: a run that changed its
state, a file that was settled, a call that was made (`recorder`). The setting TELEMETRY says where it goes: nowhere
(`off`), into the log (`log`: the console, or Application Insights by way of the Functions host), or to a collector
(`otlp`).
"""
