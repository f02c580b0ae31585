"""The whole environment: storage emulator, studio service and functions host, started and stopped together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from azure.storage.blob import BlobServiceClient

from examples.census.files import CensusFiles
from local.azurite import Azurite, AzuriteError, Ports
from local.azurite.install import INSTALL_ROOT, install
from local.azurite.node import find_node
from local.errors import LocalError
from local.examples import CENSUS, MODELS_FILE, Example, census_example, declarations_with_rentals, rentals_examples
from local.part import Part, last_lines
from local.places import ROOT, loopback
from local.programs import HostKind, host_command, host_part, studio_part, studio_settings
from local.publication import Publication, app_settings
from local.publishing import publish, published_before
from local.state import StateFolder
from shared.adapters.storage_layout import HOLDOUTS, create_storage
from shared.declarations.first_contract import leave_contract
from shared.secret import Secret

_READY_S = 60.0
_STOP_S = 15.0
_STOP_WITHOUT_STORAGE_S = 2.0
_RUNNING = "running.json"
_MODELS = "models.toml"  # in the state folder, where it declares more than the project's own


@dataclass(frozen=True)
class Addresses:
    """Where everything is, and the keys to it; publications by the model's name."""

    functions_url: str
    function_key: Secret
    studio_url: str
    storage: Secret
    publications: Mapping[str, Publication]

    @property
    def publication(self) -> Publication:
        """What was published of Census Model."""
        return self.publications[CENSUS]


class Environment:
    """
    One environment in one state folder; what was published and trained there is kept between runs.

    A context manager: leaving it stops every part, in the reverse order of their start.
    """

    def __init__(
        self,
        folder: Path,
        say: Callable[[str], None],
        *,
        host: HostKind = HostKind.LOCAL,
        port: int | None = None,
        rentals: bool = False,
        app: Path = ROOT,
    ) -> None:
        """
        Args:
            say: Takes a line about each step of the start.
            port: The functions host's port; a free one when None.
            rentals: Whether the two rental models are published beside Census Model.
            app: The folder of the function app: the project's, or that of a built package.
        """
        self.state = StateFolder(folder)
        self._say, self._host, self._wanted_port = say, host, port
        self._rentals, self._app = rentals, app
        self._azurite: Azurite | None = None
        self._parts: list[Part] = []

    def start(self, files: Callable[[Path], CensusFiles]) -> Addresses:
        """
        Start every part and publish the models, where the folder does not hold them yet.

        Args:
            files: Makes the census files in a folder; called when there is something to publish.

        Raises:
            LocalError: A part did not start; leaving the context stops the others.
        """
        self.state.open()
        functions_port = self.state.port("functions", self._wanted_port)
        host_line = host_command(self._host, functions_port, self._app)
        storage = self._start_storage()
        studio_url = loopback(self.state.port("studio"))
        settings = self._start_studio(storage, studio_url)
        publications = self._publish(settings, storage, files)
        models_file = self._models_file()
        functions_url = loopback(functions_port)
        links = {"APP_URL": functions_url, "APPROVAL_SECRET": self.state.keys().approval_secret}
        app = app_settings(storage, publications, str(models_file)) | links
        self._start_host(host_line, app, functions_url)
        key = Secret(self.state.keys().function_key)
        running = {"storage": storage.reveal(), "functions_url": functions_url, "function_key": key.reveal()}
        self.state.write(_RUNNING, running | {"models_file": str(models_file)})
        return Addresses(functions_url, key, studio_url, storage, publications)

    def check(self) -> None:
        """Raise LocalError, naming the part and its log's last lines, if one has ended by itself."""
        if self._azurite is not None and not self._azurite.is_running:
            raise LocalError(f"the storage emulator has ended by itself.{last_lines(self._storage_log)}")
        for part in self._parts:
            part.check()

    def stop(self) -> None:
        """Stop host, studio service and emulator, in this order; stopping twice is harmless."""
        if self.state.is_held:
            self.state.remove(_RUNNING)
        # Without storage there is nothing left to save, and the others wait in vain for its answers.
        orderly = self._azurite is not None and self._azurite.is_running
        while self._parts:
            self._parts.pop().stop(_STOP_S if orderly else _STOP_WITHOUT_STORAGE_S)
        if self._azurite is not None:
            self._azurite.stop()
            self._azurite = None
        self.state.close()

    def __enter__(self) -> Environment:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _storage_log(self) -> Path:
        return self.state.logs / "azurite.log"

    def _start_storage(self) -> Secret:
        self._say("Starting the storage emulator")
        ports = Ports(*(self.state.port(name) for name in ("blob", "queue", "table")))
        azurite = Azurite(self.state.storage, ports=ports, log=self._storage_log)
        try:
            azurite.start()
        except AzuriteError as error:
            raise LocalError(str(error)) from error
        self._azurite = azurite
        storage = Secret(azurite.connection_string)
        create_storage(storage)
        return storage

    def _start_studio(self, storage: Secret, url: str) -> dict[str, str]:
        self._say("Starting the studio service")
        settings = studio_settings(storage, url, self.state.keys())
        studio = studio_part(self.state, settings, int(url.rpartition(":")[2]))
        self._begin(studio)
        studio.wait_until_ready(f"{url}/health/ready", _READY_S, self.check)
        return settings

    def _publish(
        self, settings: Mapping[str, str], storage: Secret, files: Callable[[Path], CensusFiles]
    ) -> dict[str, Publication]:
        """Publish each model that an earlier environment has not published here."""
        url, folder = settings["STUDIO_URL"], self.state.path / "files"
        publications: dict[str, Publication] = {}
        census = published_before(self.state, CENSUS, url)
        if census:
            publications[CENSUS] = census
        wanted = [] if census else [census_example(files(folder))]
        if self._rentals:
            wanted += rentals_examples(folder / "rentals")
        for example in wanted:
            kept = published_before(self.state, example.model, url)
            if kept is None:
                self._say(f"Publishing {example.title}")
                _upload_holdout(storage, example)
            publications[example.model] = kept or self._publish_first(settings, example)
        return publications

    def _publish_first(self, settings: Mapping[str, str], example: Example) -> Publication:
        """Publish a model, and leave the contract that its file meets where it is declared without one."""
        publication = publish(self.state, settings, example, self._say)
        left = leave_contract(self._models_file(), example.model, example.early, example.experiment)
        if left:
            self._say(f"Left the contract that {example.early.name} meets in {left}: yours to edit")
        return publication

    def _models_file(self) -> Path:
        """Return the file that declares what was published."""
        if not self._rentals:
            return self._app / MODELS_FILE.name
        path = self.state.path / _MODELS
        path.write_text(declarations_with_rentals(), encoding="utf-8")
        return path

    def _start_host(self, command: Sequence[str], settings: Mapping[str, str], url: str) -> None:
        self._say("Starting the functions host")
        host = host_part(self.state, command, settings, self.state.keys())
        self._begin(host)
        host.wait_until_ready(f"{url}/api/health", _READY_S, self.check)

    def _begin(self, part: Part) -> None:
        self._parts.append(part)
        part.start()


def install_storage(say: Callable[[str], None]) -> None:
    """
    Install the storage emulator, if this checkout has not done so.

    Raises:
        LocalError: There is no usable Node, or npm failed.
    """
    if not any(INSTALL_ROOT.glob("azurite-" + "?" * 12)):
        say("Installing the storage emulator (once; half a minute)")
    try:
        install(find_node())
    except AzuriteError as error:
        raise LocalError(str(error)) from error


@dataclass(frozen=True)
class Running:
    """What runs in a state folder: its storage, and the file that declares its models."""

    storage: Secret
    models_file: Path


def running_in(folder: Path) -> Running:
    """
    Return what runs in a state folder.

    Raises:
        LocalError: Nothing runs there.
    """
    running = StateFolder(folder).read(_RUNNING)
    if not running:
        raise LocalError("no environment is running here: start one with `make up` in another terminal")
    return Running(Secret(running["storage"]), Path(running["models_file"]))


def _upload_holdout(storage: Secret, example: Example) -> None:
    with BlobServiceClient.from_connection_string(storage.reveal()) as service, example.holdout.open("rb") as data:
        service.get_blob_client(HOLDOUTS, f"{example.model}/holdout.csv").upload_blob(data, overwrite=True)
