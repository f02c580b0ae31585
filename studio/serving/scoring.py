"""Scoring: the body of a request into rows, the model's rows into the body of the answer. No HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

import orjson

from shared.errors import ProtocolMismatch, shape_of
from shared.wire import parameters_from_wire
from studio.engine.errors import InputMismatch, InputParseError, ModuleError
from studio.engine.score_module import ScoreModule
from studio.engine.score_settings import PLAIN, ScoreSettings
from studio.engine.scorer import Scorer
from studio.errors import PARAMETER_DETAILS, BadArgument, BadModel, BadUserArgument, Initializing, NotFound
from studio.services.catalog import WebService
from studio.serving.registry import Served
from studio.store.artifacts import ArtifactMissing

OUTPUT_NAME = "output1"

Rows = Sequence[Sequence[object]]
Answer = Sequence[Sequence[str | None]]
Columns = Sequence[tuple[str, str]]


class Form(Enum):
    """How an answer is laid out; all cells are texts in each."""

    VALUES = "values"  # rows alone
    TABLE = "table"  # rows with their columns' names and types: details=true
    OBJECTS = "objects"  # one object per row: format=swagger


def form_of(details: str, layout: str) -> Form:
    """Choose the form by the query's `details` and `format`; with swagger, details changes nothing."""
    if layout.lower() == "swagger":
        return Form.OBJECTS
    return Form.TABLE if details.lower() == "true" else Form.VALUES


def scorer_of(served: Served) -> Scorer:
    """
    Return the loaded model.

    Raises:
        BadArgument: The web service trains; it has none.
        NotFound: Storage no longer holds its model whole.
        BadModel: Its model is none that this version can score with.
        Initializing: Its model could not be loaded yet.
    """
    scorer = served.scorer
    if scorer is not None:
        return scorer
    if not served.endpoint.model:
        raise BadArgument(
            "WebServiceTypeInvalid",
            f"'{served.service.name}' is a training web service: it answers …/jobs and has no model to score with",
        )
    remedy = "give the endpoint a model by PATCH"
    if isinstance(served.problem, ArtifactMissing):
        raise NotFound("ModelPackageNotFound", f"{served.problem}; {remedy}")
    if served.problem is not None:
        raise BadModel("ModelPackageFormatError", f"the endpoint's model cannot be used: {served.problem}; {remedy}")
    raise Initializing("InitializingContainers", "the model of this endpoint is not loaded yet; try again")


def read_request(body: bytes, service: WebService) -> tuple[Sequence[str], Rows, ScoreSettings]:
    """
    Read columns and rows, from a table or from row objects, whichever was sent, and how the answer is wanted.

    Raises:
        BadArgument: Not JSON, another shape, or another input.
        BadUserArgument: A web service parameter cannot be used, or row objects whose columns differ from the first
            one's.
    """
    fields = _object(_parsed(body), "the body")
    settings = _settings(service.score, fields.get("GlobalParameters"))
    input_name = service.input_name
    if fields.get("Inputs") is None:
        raise BadArgument("MissingRequestInput", f"Inputs is missing: send rows as Inputs.{input_name}")
    inputs = _object(fields["Inputs"], "Inputs")
    named = [name for name, table in inputs.items() if table is not None]
    if named != [input_name]:
        raise BadArgument("InvalidInputNames", f"Inputs must hold '{input_name}' and no other, got {named}")
    table = inputs[input_name]
    where = f"Inputs.{input_name}"
    columns, rows = (
        _from_objects(table, where) if isinstance(table, list) else _from_table(_object(table, where), where)
    )
    return columns, rows, settings


def score(scorer: Scorer, columns: Sequence[str], rows: Rows) -> Answer:
    """Score rows; the engine's complaints become the protocol's."""
    try:
        return scorer.score(columns, rows)
    except InputMismatch as error:
        raise BadUserArgument("InputMismatchError", str(error)) from None
    except InputParseError as error:
        raise BadUserArgument("InputParseError", str(error)) from None


def write_answer(scorer: Scorer, rows: Answer, settings: ScoreSettings, form: Form) -> bytes:
    """Write scored rows in the form asked for."""
    columns: Columns = scorer.output_columns
    if settings is PLAIN:
        if form is Form.TABLE:
            return _written(_table(scorer.output_names, scorer.output_types, rows))
    else:
        n_inputs = len(scorer.input_columns)
        columns, rows = settings.columns(columns, n_inputs), settings.rows(rows, n_inputs, scorer.model.classes)
    return _written(_WRITERS[form](columns, rows))


def output_columns(served: Served) -> Columns:
    """Name an answer's columns where a call gives no parameters; none without a model."""
    scorer = served.scorer
    if scorer is None:
        return ()
    return served.service.score.settings.columns(scorer.output_columns, len(scorer.input_columns))


def _settings(module: ScoreModule, given: object) -> ScoreSettings:
    if not given and module.is_plain:
        return PLAIN
    try:
        return module.under(parameters_from_wire(given))
    except ProtocolMismatch as error:
        raise BadArgument(error.code, f"{error.where}: expected {error.expected}, got {error.got}") from None
    except ModuleError as error:
        raise BadUserArgument(PARAMETER_DETAILS[error.number], error.problem) from None


def _written(output: object) -> bytes:
    return orjson.dumps({"Results": {OUTPUT_NAME: output}})


def _values(columns: Columns, rows: Answer) -> object:
    return {"type": "table", "value": {"Values": rows}}


def _described(columns: Columns, rows: Answer) -> object:
    names, types = zip(*columns, strict=True)
    return _table(names, types, rows)


def _table(names: object, types: object, rows: Answer) -> object:
    return {"type": "table", "value": {"ColumnNames": names, "ColumnTypes": types, "Values": rows}}


def _objects(columns: Columns, rows: Answer) -> object:
    names = [name for name, _ in columns]
    return [dict(zip(names, row, strict=True)) for row in rows]


_WRITERS: Mapping[Form, Callable[[Columns, Answer], object]] = {
    Form.VALUES: _values,
    Form.TABLE: _described,
    Form.OBJECTS: _objects,
}


def _from_table(table: Mapping[str, Any], where: str) -> tuple[Sequence[str], Rows]:
    names, rows = table.get("ColumnNames"), table.get("Values")
    if not isinstance(names, list) or not {str}.issuperset(map(type, names)):
        raise BadArgument("RequestBodyInvalid", f"{where}.ColumnNames must be a list of texts, got {shape_of(names)}")
    if not isinstance(rows, list):
        raise BadArgument("RequestBodyInvalid", f"{where}.Values must be a list of lists, got {shape_of(rows)}")
    return names, rows  # the model checks each row as it reads it


def _from_objects(objects: list[Any], where: str) -> tuple[Sequence[str], Rows]:
    if not all(isinstance(row, dict) for row in objects):
        raise BadArgument("RequestBodyInvalid", f"{where} must be a list of objects, or ColumnNames and Values")
    if not objects:
        return (), ()
    names = list(objects[0])
    for number, row in enumerate(objects, start=1):
        if row.keys() != objects[0].keys():
            differing = sorted(row.keys() ^ objects[0].keys())
            raise BadUserArgument("InputMismatchError", f"row {number} and row 1 differ in columns {differing}")
    return names, [[row[name] for name in names] for row in objects]


def _parsed(body: bytes) -> object:
    if not body:
        raise BadArgument("RequestIsEmpty", "the request has no body: send Inputs with rows, as JSON")
    try:
        return orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise BadArgument("RequestBodyInvalid", f"the body is not JSON: {error}") from None


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadArgument("RequestBodyInvalid", f"{where} must be an object, got {shape_of(value)}")
    return value
