"""
The `.ilearner` container: a ZIP archive of three parts, read in bounded memory.

    manifest.json             what the model is: columns, levels, learner, metrics, origin
    trees.txt or weights.bin  its numbers
    digest.txt                hex SHA-256 over both: it tells damage, not malice: a forger can write it too

Equal parts give equal bytes. Nothing in an archive names a place to write to, and nothing is ever unpacked to disk.
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from io import BytesIO

from studio.engine.errors import ModelFileError

MAX_MANIFEST_BYTES = 4 << 20
MAX_NUMBERS_BYTES = 64 << 20
TREES = "trees.txt"
WEIGHTS = "weights.bin"

_MANIFEST, _DIGEST = "manifest.json", "digest.txt"
_NUMBERS = (TREES, WEIGHTS)
_LIMITS = {_MANIFEST: MAX_MANIFEST_BYTES, **dict.fromkeys(_NUMBERS, MAX_NUMBERS_BYTES), _DIGEST: 64}
_N_PARTS = 3
_OTHER_PARTS = f"it should hold {_MANIFEST}, {_DIGEST} and one of {', '.join(_NUMBERS)}, and holds other parts"
_MAX_ARCHIVE_BYTES = MAX_MANIFEST_BYTES + MAX_NUMBERS_BYTES + 8192
_MAX_DIRECTORY_BYTES = 1024
_END = struct.Struct("<4s4H2LH")  # end of central directory, without a comment
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error)


def pack(manifest: bytes, name: str, numbers: bytes) -> bytes:
    """
    Write a container; `name` is that of the part with the numbers, `TREES` or `WEIGHTS`.

    Raises:
        ModelFileError: A part is larger than `unpack` would accept.
    """
    parts = {_MANIFEST: manifest, name: numbers, _DIGEST: _digest(manifest, numbers)}
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            if len(content) > _LIMITS[part]:
                raise ModelFileError(f"{part} would have {len(content)} bytes; at most {_LIMITS[part]} are allowed")
            archive.writestr(_entry(part), content)
    return buffer.getvalue()


def unpack(data: bytes) -> tuple[bytes, str, bytes]:
    """
    Return a container's manifest, and the name and content of the part with the numbers.

    Raises:
        ModelFileError: The bytes are not a whole container, or a part is larger than allowed.
    """
    _check_directory(data)
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            name = next((name for name in _NUMBERS if name in entries), "")
            if len(entries) != _N_PARTS or entries.keys() != {_MANIFEST, name, _DIGEST}:
                raise ModelFileError(_OTHER_PARTS)
            manifest, numbers, digest = (_read(archive, entries[part]) for part in (_MANIFEST, name, _DIGEST))
    except _UNREADABLE as problem:
        raise ModelFileError(f"the archive is damaged: {problem}") from problem
    if digest != _digest(manifest, numbers):
        raise ModelFileError("its digest does not match its content: it was damaged or altered")
    return manifest, name, numbers


def _check_directory(data: bytes) -> None:
    """Refuse what would make the ZIP reader build a long list, before it looks at it."""
    if len(data) > _MAX_ARCHIVE_BYTES:
        raise ModelFileError(f"it has {len(data)} bytes; at most {_MAX_ARCHIVE_BYTES} are allowed")
    if len(data) < _END.size:
        raise ModelFileError("it is too short to be one")
    signature, _, _, _, n_entries, size, _, comment = _END.unpack_from(data, len(data) - _END.size)
    if signature != b"PK\5\6" or comment:
        raise ModelFileError("it is not a ZIP archive, or only the beginning of one")
    if n_entries != _N_PARTS or size > _MAX_DIRECTORY_BYTES:
        raise ModelFileError(_OTHER_PARTS)


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    limit = _LIMITS[entry.filename]
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ModelFileError(f"{entry.filename} is packed in a way that is not allowed")
    if entry.file_size > limit:
        raise ModelFileError(f"{entry.filename} unpacks to {entry.file_size} bytes; at most {limit} are allowed")
    with archive.open(entry) as part:
        content = part.read(limit + 1)  # the size in the directory is a claim
    if len(content) > limit:
        raise ModelFileError(f"{entry.filename} unpacks to more than {limit} bytes")
    return content


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # dated 1980: equal content, equal bytes
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o600 << 16
    return entry


def _digest(manifest: bytes, numbers: bytes) -> bytes:
    return hashlib.sha256(b"%d\n%b%b" % (len(manifest), manifest, numbers)).hexdigest().encode()
