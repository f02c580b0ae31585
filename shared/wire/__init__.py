"""
The classic protocol's bodies, written once for the client in `shared/` and the service in `studio/`.

Records here use our words; the wire's CamelCase appears only in `to_wire` and `from_wire`, which read leniently (null
is absent) and write exactly. No I/O. Source of every shape: docs/protocol.md.
"""

from shared.wire.endpoints import Endpoint, Resource, resource_update
from shared.wire.faults import Fault
from shared.wire.jobs import JobReport, JobRequest, JobStatus, parameters_from_wire
from shared.wire.reading import Body
from shared.wire.references import DATASET_EXTENSIONS, MODEL_EXTENSION, BlobReference
from shared.wire.tables import Cell, Table, scoring_answer, scoring_request

__all__ = [
    "DATASET_EXTENSIONS",
    "MODEL_EXTENSION",
    "BlobReference",
    "Body",
    "Cell",
    "Endpoint",
    "Fault",
    "JobReport",
    "JobRequest",
    "JobStatus",
    "Resource",
    "Table",
    "parameters_from_wire",
    "resource_update",
    "scoring_answer",
    "scoring_request",
]
