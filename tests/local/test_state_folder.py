from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from local.errors import LocalError
from local.state import Keys, StateFolder


def test_secrets_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state")
    state.open()

    first = state.keys()

    assert StateFolder(tmp_path / "state").keys() == first
    assert stat.S_IMODE((state.path / "keys.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(state.path.stat().st_mode) == 0o700
    state.close()


def test_two_folders_have_different_secrets_which_do_not_print(tmp_path: Path) -> None:
    one, other = Keys.generate(), Keys.generate()

    assert one != other
    assert one.studio_secret not in repr(one)


def test_a_folder_serves_one_environment_at_a_time(tmp_path: Path) -> None:
    first, second = StateFolder(tmp_path), StateFolder(tmp_path)
    first.open()

    with pytest.raises(LocalError, match=r"an environment is running in .* already \(process \d+\): stop it"):
        second.open()

    first.close()


def test_a_folder_that_was_closed_can_be_opened_again(tmp_path: Path) -> None:
    first, second = StateFolder(tmp_path), StateFolder(tmp_path)
    first.open()
    first.close()

    second.open()

    assert second.is_held
    second.close()


def test_a_port_is_the_same_as_last_time(tmp_path: Path) -> None:
    port = StateFolder(tmp_path).port("studio")

    assert StateFolder(tmp_path).port("studio") == port
    assert StateFolder(tmp_path).port("functions") != port


def test_a_kept_port_that_is_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    port = StateFolder(tmp_path).port("studio")

    with socket.create_server(("127.0.0.1", port)):
        assert StateFolder(tmp_path).port("studio") != port


def test_a_port_asked_for_that_is_taken_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(LocalError, match=f"port {port} is in use: stop the program that has it, or name another"):
            StateFolder(tmp_path).port("functions", port)


def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{", encoding="utf-8")

    with pytest.raises(LocalError, match=r"keys\.json is damaged .*: delete it"):
        StateFolder(tmp_path).keys()
