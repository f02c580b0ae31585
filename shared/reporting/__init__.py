"""The facts of a run's report as a JSON document (docs/report.schema.json)."""
