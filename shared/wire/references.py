"""References to blobs: how a caller names what a service may read or write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, quote

from shared.errors import ProtocolMismatch
from shared.secret import Secret
from shared.wire.reading import Body, read_object, read_optional_text, read_text

DATASET_EXTENSIONS = (".nh.csv", ".nh.tsv", ".csv", ".tsv", ".arff")
MODEL_EXTENSION = ".ilearner"


@dataclass(frozen=True)
class BlobReference:
    """
    A blob named by account key (`connection`) or by shared access signature (`base_location` + `sas_token`).

    `relative_location` is `container/path/name.ext` without a leading slash; `base_location` ends in `/`;
    `sas_token` starts with `?`.
    """

    relative_location: str
    base_location: str | None = None
    sas_token: Secret | None = None
    connection: Secret | None = None

    @property
    def container(self) -> str:
        """The first segment of the location."""
        return self.relative_location.partition("/")[0]

    @property
    def blob_name(self) -> str:
        """The location below the container."""
        return self.relative_location.partition("/")[2]

    @property
    def extension(self) -> str:
        """`.csv`, `.nh.csv`, `.ilearner`, … in lower case; empty when the protocol knows none such."""
        name = self.relative_location.lower()
        return next((e for e in (*DATASET_EXTENSIONS, MODEL_EXTENSION) if name.endswith(e)), "")

    @property
    def expires_at(self) -> datetime | None:
        """When the token ends by its own words (`se`); None where it does not say."""
        said = parse_qs(self.sas_token.reveal().lstrip("?")).get("se") if self.sas_token else None
        try:
            until = datetime.fromisoformat(said[0]) if said else None
        except ValueError:
            return None
        return until.replace(tzinfo=UTC) if until and until.tzinfo is None else until

    def signed_url(self) -> Secret:
        """Return the address with its token, ready to GET; a secret, since the token opens the blob."""
        if not self.base_location:
            raise ProtocolMismatch("blob reference", "BaseLocation and SasBlobToken", self.relative_location)
        token = self.sas_token.reveal() if self.sas_token else ""
        return Secret(f"{self.base_location.rstrip('/')}/{quote(self.relative_location)}{token}")

    def to_wire(self) -> Body:
        """Write all four fields, absent ones as null."""
        return {
            "ConnectionString": self.connection.reveal() if self.connection else None,
            "RelativeLocation": self.relative_location,
            "BaseLocation": self.base_location,
            "SasBlobToken": self.sas_token.reveal() if self.sas_token else None,
        }

    @classmethod
    def from_wire(cls, body: object, where: str) -> BlobReference:
        """Read a reference; a leading slash of RelativeLocation is normal and dropped."""
        fields = read_object(body, where)
        relative = read_text(fields, "RelativeLocation", where, code="InputBlobRelativeLocationInvalid").lstrip("/")
        base = read_optional_text(fields, "BaseLocation", where)
        sas = read_optional_text(fields, "SasBlobToken", where)
        connection = read_optional_text(fields, "ConnectionString", where)
        return cls(
            relative_location=relative,
            base_location=f"{base.rstrip('/')}/" if base else None,
            sas_token=Secret(sas if sas.startswith("?") else f"?{sas}") if sas else None,
            connection=Secret(connection) if connection else None,
        )
