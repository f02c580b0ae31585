"""One run of a function: handed to the worker, watched, its outputs written, its end logged."""

from __future__ import annotations

import itertools
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from azure.core.exceptions import AzureError

from local.host.errors import FunctionTimeout, WorkerGone
from local.host.function_logs import FunctionLogs
from local.host.functions import FunctionDefinition
from local.host.messages import Attempt, Datum, Failure, Invoke, Outcome
from local.host.outputs import QueueWriter
from local.host.supervisor import Supervisor


@dataclass(frozen=True)
class Call:
    """What a trigger wants to be run, and why; `metadata` is the trigger's, by the platform's names."""

    function: FunctionDefinition
    value: Datum
    reason: str
    metadata: Mapping[str, Datum] = field(default_factory=dict)
    attempt: Attempt = field(default_factory=Attempt)


@dataclass(frozen=True)
class Heartbeat:
    """Something to do again and again while an invocation runs, such as keeping its message hidden."""

    interval_s: float
    beat: Callable[[], None]


class Invoker:
    """
    Runs calls and waits for them; safe to use from many threads.

    Args:
        timeout_s: functionTimeout; None lets functions run for ever.
    """

    def __init__(
        self, supervisor: Supervisor, writer: QueueWriter, logs: FunctionLogs, *, timeout_s: float | None
    ) -> None:
        self._supervisor = supervisor
        self._writer = writer
        self._logs = logs
        self._timeout_s = timeout_s

    def run(self, call: Call, heartbeat: Heartbeat | None = None) -> Outcome:
        """
        Run one call to its end.

        A failure of the function, of its worker or of an output is an outcome with a `failure`, never an exception.
        """
        invocation_id, name = str(uuid.uuid4()), call.function.name
        self._logs.tell(name, logging.INFO, invocation_id, f"Executing 'Functions.{name}' (Reason='{call.reason}')")
        started = time.monotonic()
        outcome = self._outcome(call, invocation_id, heartbeat)
        took = f"Duration={round((time.monotonic() - started) * 1000)}ms"
        if outcome.failure is None:
            self._logs.tell(name, logging.INFO, invocation_id, f"Executed 'Functions.{name}' (Succeeded, {took})")
        else:
            problem = f"{outcome.failure.message}\n{outcome.failure.trace}".rstrip()
            self._logs.tell(
                name, logging.ERROR, invocation_id, f"Executed 'Functions.{name}' (Failed, {took}): {problem}"
            )
        return outcome

    def run_with_retries(self, call: Call, pause: Callable[[float], bool]) -> Outcome:
        """
        Run a call, and again by its function's retry policy.

        Args:
            pause: Waits so many seconds and answers whether to go on.
        """
        policy, outcome = call.function.retry, self.run(call)
        for number in itertools.count():
            if policy is None or outcome.failure is None or 0 <= policy.limit <= number:
                break
            if not pause(policy.delay_s(number)):
                break
            outcome = self.run(replace(call, attempt=Attempt(number + 1, policy.limit, outcome.failure)))
        return outcome

    def _outcome(self, call: Call, invocation_id: str, heartbeat: Heartbeat | None) -> Outcome:
        inputs = {call.function.trigger.name: call.value}
        request = Invoke(invocation_id, call.function.name, inputs, call.metadata, call.attempt)
        try:
            worker, future = self._supervisor.invoke(request)
            try:
                outcome = self._await(future, heartbeat)
            except FunctionTimeout:
                worker.kill()  # a running function cannot be stopped otherwise, here as on the platform
                raise
            if outcome.failure is None:
                self._writer.write(call.function.outputs, outcome.outputs)
        except (WorkerGone, FunctionTimeout, AzureError, ValueError) as error:
            return Outcome(invocation_id, failure=Failure(f"{type(error).__name__}: {error}"))
        return outcome

    def _await(self, future: Future[Outcome], heartbeat: Heartbeat | None) -> Outcome:
        deadline = None if self._timeout_s is None else time.monotonic() + self._timeout_s
        while True:
            left = None if deadline is None else deadline - time.monotonic()
            pauses = [pause for pause in (left, heartbeat.interval_s if heartbeat else None) if pause is not None]
            try:
                return future.result(max(0.0, min(pauses)) if pauses else None)
            except TimeoutError:
                if deadline is not None and time.monotonic() >= deadline:
                    raise FunctionTimeout(
                        f"the function ran longer than functionTimeout, {self._timeout_s:g} s"
                    ) from None
                if heartbeat:
                    heartbeat.beat()
