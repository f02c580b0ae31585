"""The report of a run: facts as a JSON document (docs/report.schema.json), and that document as HTML and Markdown."""
