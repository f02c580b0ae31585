"""One Azurite process: started on loopback ports, known ready by connecting, stopped by SIGTERM."""

from __future__ import annotations

import re
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from local.azurite.errors import AzuriteError
from local.azurite.install import install
from local.azurite.node import Node, find_node

_HOST = "127.0.0.1"
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 20.0
_ACCOUNT = "devstoreaccount1"
# Azurite's published development key: the same on every machine, and worth nothing outside it.
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at https?://[\d.]+:(\d+)")
_TAKEN = re.compile(r"EADDRINUSE.*?:(\d+)")


@dataclass(frozen=True)
class Ports:
    """TCP ports on loopback; 0 lets the system choose a free one."""

    blob: int = 0
    queue: int = 0
    table: int = 0


@dataclass(frozen=True)
class Certificate:
    """PEM files of a certificate for 127.0.0.1 and its key."""

    file: Path
    key: Path


class Azurite:
    """
    Azurite as a context manager; it ends with this process, however this process ends.

    Args:
        directory: Where data is kept between runs; None keeps it in memory and loses it at the end.
        ports: Ports to listen on.
        log: File that receives what Azurite prints; a temporary one when None.
        certificate: Speak HTTPS with it, and take identities' tokens (`--oauth basic`: nobody's signature is checked).
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        ports: Ports | None = None,
        log: Path | None = None,
        certificate: Certificate | None = None,
    ) -> None:
        self._directory = directory
        self._wanted = ports or Ports()
        self._log = log
        self._certificate = certificate
        self._ports: Ports | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Azurite:
        """
        Install if need be, start, and return once all three services accept connections.

        Raises:
            AzuriteError: No usable Node, a failed install, a taken port, or no readiness within a minute.
        """
        node = find_node()
        entry = install(node)
        log = self._log or Path(tempfile.mkstemp(prefix="azurite-", suffix=".log")[1])
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                self._command(node, entry),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the parent, which stops its parts in order
            )
        try:
            self._ports = self._await_ready(self._process, log)
        except BaseException:
            self.stop()
            raise
        finally:
            if self._log is None:
                log.unlink()
        return self

    def stop(self) -> None:
        """End it and wait; SIGTERM makes it write what it still holds in memory. Stopping twice is harmless."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.close()

    @property
    def pid(self) -> int:
        """Process id.

        Raises:
            AzuriteError: It is not running.
        """
        if self._process is None:
            raise AzuriteError("Azurite has not been started.")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def ports(self) -> Ports:
        """The ports that it listens on."""
        if self._ports is None:
            raise AzuriteError("Azurite has not been started.")
        return self._ports

    @property
    def connection_string(self) -> str:
        """Endpoints and development key, for every storage SDK."""
        return connection_string(self.ports, "https" if self._certificate else "http")

    def __enter__(self) -> Azurite:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _command(self, node: Node, entry: Path) -> list[str]:
        place = ["--inMemoryPersistence"] if self._directory is None else ["--location", str(self._directory)]
        command = [node.program, "--require", str(Path(__file__).with_name("lifeline.cjs")), str(entry), *place]
        command += ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
        for service in ("blob", "queue", "table"):
            command += [f"--{service}Host", _HOST, f"--{service}Port", str(getattr(self._wanted, service))]
        if self._certificate is not None:
            command += ["--oauth", "basic"]
            command += ["--cert", str(self._certificate.file), "--key", str(self._certificate.key)]
        return command

    def _await_ready(self, process: subprocess.Popen[bytes], log: Path) -> Ports:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            said = log.read_text(errors="replace")
            found = {name.lower(): int(port) for name, port in _LISTENING.findall(said)}
            if len(found) == 3 and all(_accepts(port) for port in found.values()):
                return Ports(**found)
            if process.poll() is not None or "EADDRINUSE" in said:
                raise _start_error(said)
            time.sleep(0.02)
        raise AzuriteError(f"Azurite did not become ready within {_START_TIMEOUT_S:.0f} seconds.")


def connection_string(ports: Ports, scheme: str = "http") -> str:
    """Write the connection string of an emulator on loopback."""
    endpoints = {"BlobEndpoint": ports.blob, "QueueEndpoint": ports.queue, "TableEndpoint": ports.table}
    parts = [f"DefaultEndpointsProtocol={scheme}", f"AccountName={_ACCOUNT}", f"AccountKey={_KEY}"]
    parts += [f"{name}={scheme}://{_HOST}:{port}/{_ACCOUNT}" for name, port in endpoints.items()]
    return ";".join(parts) + ";"


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((_HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _start_error(said: str) -> AzuriteError:
    taken = _TAKEN.search(said)
    if taken:
        return AzuriteError(f"Port {taken[1]} is taken: stop the program that uses it, or choose another port.")
    lines = [line for line in said.splitlines() if line.strip()]
    return AzuriteError(f"Azurite ended while starting: {lines[-1] if lines else 'it printed nothing'}")
