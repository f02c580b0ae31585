"""`python -m local.host.worker FD DIRECTORY`: serves one host over an inherited socket until the host is gone."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import socket
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from local.host.messages import Broken, Channel, Datum, Failure, Invoke, Outcome, Ready
from local.host.worker.context import ForwardingHandler, InvocationContext, running
from local.host.worker.conversion import to_argument, to_output
from local.host.worker.indexing import LoadedFunction, load_app

_HERE = str(Path(__file__).resolve().parent)


class _Out:
    """What a function sets an output on."""

    def __init__(self) -> None:
        self._value: Any = None

    def set(self, value: Any) -> None:
        self._value = value

    def get(self) -> Any:
        return self._value


class Worker:
    """The loaded app, and the threads and event loop that its functions run on."""

    def __init__(self, channel: Channel, directory: Path, functions: dict[str, LoadedFunction]) -> None:
        self._channel = channel
        self._directory = directory
        self._functions = functions
        self._pool = ThreadPoolExecutor(_thread_count(), thread_name_prefix="function")

    def serve(self) -> None:
        """Run what the host asks for until it closes its end."""
        loop = asyncio.new_event_loop()
        threading.Thread(target=self._receive, args=(loop,), name="receive", daemon=True).start()
        loop.run_forever()

    def _receive(self, loop: asyncio.AbstractEventLoop) -> None:
        for message in self._channel:
            if isinstance(message, Invoke):
                asyncio.run_coroutine_threadsafe(self._invoke(message), loop)
        loop.call_soon_threadsafe(loop.stop)

    async def _invoke(self, request: Invoke) -> None:
        running.set((request.invocation_id, request.function))
        try:
            outcome = Outcome(request.invocation_id, await self._run(request))
        except BaseException as error:  # an app may raise SystemExit, and the host must hear of it all the same
            outcome = Outcome(request.invocation_id, failure=failure_of(error))
        sys.stdout.flush()
        self._channel.send(outcome)

    async def _run(self, request: Invoke) -> dict[str, Datum]:
        loaded = self._functions[request.function]
        arguments: dict[str, Any] = {
            name: to_argument(loaded.inputs[name], datum, request.metadata) for name, datum in request.inputs.items()
        }
        outs = {name: _Out() for name in loaded.outputs}
        if loaded.wants_context:
            arguments["context"] = InvocationContext(
                loaded.name, str(self._directory), request.invocation_id, request.attempt
            )
        returned = await self._call(loaded, arguments | outs)
        if returned is not None and loaded.returns is None:
            raise RuntimeError(f"function '{loaded.name}' returned a value but declares no $return binding")
        outputs = {
            name: to_output(loaded.outputs[name], out.get()) for name, out in outs.items() if out.get() is not None
        }
        if loaded.returns is not None and (returned is not None or loaded.returns.binding_name == "http"):
            outputs["$return"] = to_output(loaded.returns, returned)
        return outputs

    async def _call(self, loaded: LoadedFunction, arguments: dict[str, Any]) -> Any:
        if loaded.is_async:
            return await loaded.call(**arguments)
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, lambda: context.run(loaded.call, **arguments)
        )


def _thread_count() -> int | None:
    """Read the platform's setting; None, the library's default, where it is absent or no number from 1 up."""
    configured = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", "")
    if configured and not (configured.isdigit() and int(configured)):
        logging.warning("PYTHON_THREADPOOL_THREAD_COUNT must be a number from 1 up; it is '%s'", configured)
        return None
    return int(configured) if configured else None


def failure_of(error: BaseException) -> Failure:
    """Put an exception into words; its trace begins where the app's own code does, if it has a part in it."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    n_ours = max((at for at, frame in enumerate(frames, 1) if frame.f_code.co_filename.startswith(_HERE)), default=0)
    start = error.__traceback__
    for _ in range(n_ours):
        start = start and start.tb_next
    trace = traceback.format_exception(error.with_traceback(start)) if start else ()
    return Failure(f"{type(error).__name__}: {error}", "".join(trace))


def main(descriptor: int, directory: Path) -> int:
    """Load the app, tell the host, and serve; the exit code is 1 when the app cannot be loaded."""
    # Started from the repository's root to find this package; the app sees its own folder instead.
    sys.path[0] = str(directory)
    os.chdir(directory)
    channel = Channel(socket.socket(fileno=descriptor))
    level = logging.DEBUG if os.environ.get("PYTHON_ENABLE_DEBUG_LOGGING") == "1" else logging.INFO
    logging.basicConfig(level=level, format="%(message)s", handlers=[ForwardingHandler(channel)])
    try:
        functions = load_app(directory, os.environ.get("PYTHON_SCRIPT_FILE_NAME") or "function_app.py")
    except BaseException as error:
        channel.send(Broken(failure_of(error)))
        return 1
    channel.send(Ready([loaded.source for loaded in functions.values()]))
    Worker(channel, directory, functions).serve()
    return 0


if __name__ == "__main__":
    code = 1
    try:
        code = main(int(sys.argv[1]), Path(sys.argv[2]))
    except OSError as error:
        print(f"the host is gone: {error}", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads of the app may still run; their invocations have failed by now
