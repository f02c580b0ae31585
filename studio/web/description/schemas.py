"""The bodies of the protocol as JSON Schema: what is read leniently and written exactly."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def _text(**more: Any) -> Schema:
    return {"type": "string", **more}


def _maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _map(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _object(required: dict[str, Schema] | None = None, **optional: Schema) -> Schema:
    made: Schema = {"type": "object", "properties": {**(required or {}), **optional}}
    return {**made, "required": list(required)} if required else made


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_ID = _text(pattern="^[0-9a-f]{32}$")
_SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}
_CELL: Schema = {"type": ["string", "null"]}
_CALLS: Schema = {"type": "integer", "minimum": 1, "maximum": 200}
_THROTTLE = _text(enum=["Low", "High"])
_TRACE = _text(enum=["None", "Error", "All"])

_BATCH: dict[str, Schema] = {
    "JobId": _ID,
    "BlobReference": _object(
        ConnectionString=_maybe(_text()),
        RelativeLocation=_text(),
        BaseLocation=_maybe(_text()),
        SasBlobToken=_maybe(_text()),
    ),
    "BatchExecutionRequest": _object(
        Inputs=_maybe(_map(_maybe(_ref("BlobReference")))),
        Input=_maybe(_ref("BlobReference")),
        Outputs=_maybe(_map(_maybe(_ref("BlobReference")))),
        GlobalParameters=_maybe(_map(_SCALAR)),
    ),
    "BatchExecutionStatus": _object(
        {
            "StatusCode": {
                "anyOf": [
                    _text(enum=["NotStarted", "Running", "Failed", "Cancelled", "Finished"]),
                    {"type": "integer", "minimum": 0, "maximum": 4},
                ]
            },
            "Results": _maybe(_map(_ref("BlobReference"))),
            "Details": _maybe(_text()),
        }
    ),
}

_SCORING: dict[str, Schema] = {
    "ScoringRequest": _object(
        {
            "Inputs": _map(
                {
                    "anyOf": [
                        _object({"ColumnNames": _list(_text()), "Values": _list(_list(_SCALAR))}),
                        _list(_map(_SCALAR)),
                    ]
                }
            )
        },
        GlobalParameters=_maybe(_map(_SCALAR)),
    ),
    "ScoringAnswer": _object({"Results": _map({"anyOf": [_ref("ScoredTable"), _list(_map(_CELL))]})}),
    "ScoredTable": _object(
        {
            "type": {"const": "table"},
            "value": _object({"Values": _list(_list(_CELL))}, ColumnNames=_list(_text()), ColumnTypes=_list(_text())),
        }
    ),
}

_MANAGEMENT: dict[str, Schema] = {
    "WebService": _object(
        {
            "Id": _ID,
            "Name": _text(),
            "Description": _text(),
            "CreationTime": _text(format="date-time"),
            "WorkspaceId": _ID,
            "DefaultEndpointName": _text(),
            "EndpointCount": {"type": "integer"},
        }
    ),
    "Endpoint": _object(
        {
            "Name": _text(),
            "Description": _text(),
            "CreationTime": _text(format="date-time"),
            "WorkspaceId": _ID,
            "WebServiceId": _ID,
            "HelpLocation": _text(),
            "PrimaryKey": _text(),
            "SecondaryKey": _text(),
            "ApiLocation": _text(),
            "PreventUpdate": {"type": "boolean"},
            "MaxConcurrentCalls": _CALLS,
            "DiagnosticsTraceLevel": _TRACE,
            "ThrottleLevel": _THROTTLE,
            "Version": _text(),
            "Resources": _list(_object({"Name": _text(), "Kind": _text(), "Location": _ref("BlobReference")})),
        }
    ),
    "EndpointProperties": _object(
        Description=_maybe(_text()),
        ThrottleLevel=_maybe(_THROTTLE),
        MaxConcurrentCalls=_maybe(_CALLS),
        DiagnosticsTraceLevel=_maybe(_TRACE),
        PreventUpdate=_maybe({"type": "boolean"}),
    ),
    "EndpointUpdate": _object(
        Resources=_maybe(_list(_object({"Name": _text(), "Location": _ref("BlobReference")}))),
        Description=_maybe(_text()),
        ThrottleLevel=_maybe(_THROTTLE),
        MaxConcurrentCalls=_maybe(_CALLS),
        DiagnosticsTraceLevel=_maybe(_TRACE),
    ),
    "Refresh": _object(OverwriteResources=_maybe({"anyOf": [_text(enum=["True", "False"]), {"type": "boolean"}]})),
}

_RESOURCES: dict[str, Schema] = {
    "Resource": _object(
        {"id": _text(), "name": _text(), "type": _text(), "location": _text(), "properties": _object()}
    ),
    "ResourceList": _object({"value": _list(_ref("Resource")), "nextLink": _maybe(_text())}),
    "ResourceUpdate": _object(
        properties=_object(
            assets=_map(_object(name=_text(), locationInfo=_object({"uri": _text()}, credentials=_maybe(_text())))),
            realtimeConfiguration=_object(maxConcurrentCalls={"type": "integer", "minimum": 4, "maximum": 200}),
            diagnostics=_object(level=_TRACE),
            keys=_object(primary=_text(), secondary=_text()),
        )
    ),
    "Keys": _object({"primary": _text(), "secondary": _text()}),
    "Operation": _object(
        {
            "id": _text(),
            "name": _text(),
            "status": _text(),
            "provisioningState": _text(),
            "percentComplete": {"const": 100},
        }
    ),
}

_PUBLISHING: dict[str, Schema] = {
    "ExperimentToPublish": _object(
        {"Experiment": _text(), "Data": _ref("BlobReference")}, GlobalParameters=_maybe(_map(_SCALAR))
    ),
    "EndpointNames": _object(Endpoints=_maybe(_list(_text(pattern="^[a-z0-9]{1,24}$")))),
    "Activity": _object(
        {
            "ActivityId": _text(pattern="^[0-9a-f]{64}$"),
            "Status": _text(enum=["Pending", "Trained", "Failed", "Cancelled"]),
            "Details": _maybe(_text()),
        }
    ),
}

SCHEMAS: dict[str, Schema] = {
    "Object": {"type": "object"},
    "Error": _object(
        {
            "error": _object(
                {
                    "code": _text(),
                    "message": _text(),
                    "details": {**_list(_object({"code": _text(), "message": _text()})), "minItems": 1},
                }
            )
        }
    ),
    **_BATCH,
    **_SCORING,
    **_MANAGEMENT,
    **_RESOURCES,
    **_PUBLISHING,
}
