"""What the process that answers requests carries: not what only training needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = ["numpy", "pyarrow", "pandas", "scipy", "sklearn", "lightgbm", "studio.engine.training"]

LATE = [
    "azure.storage.blob",
    "azure.storage.queue",
    "prometheus_client",
    "jinja2",
    "starlette.routing",
    "studio.bootstrap",
]


def test_the_server_and_the_worker_load_no_learner_and_no_data_library() -> None:
    loaded = f"[m for m in {HEAVY} if m in sys.modules]"
    code = f"import json, sys, studio.serving.server, studio.batch.worker; print(json.dumps({loaded}))"

    finished = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert json.loads(finished.stdout) == []


def test_what_scores_has_loaded_nothing_of_the_other_pages() -> None:
    code = (
        "import json, os, sys\nfrom studio.settings import Settings\n"
        "from studio.serving.scoring_process import uvicorn_server\n"
        f"uvicorn_server(Settings.from_env(os.environ)); print(json.dumps([m for m in {LATE} if m in sys.modules]))"
    )
    assert printed(code) == []


def test_a_first_management_request_imports_nothing_on_the_event_loop_where_scoring_calls_would_wait_for_it() -> None:
    code = """
import asyncio, json, sys, threading
from studio.web.late_pages import LatePages

def build():
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import Response
    from starlette.routing import Route

    async def answer(request):
        return Response(await run_in_threadpool(lambda: "done"))

    return Starlette(routes=[Route("/", answer)])

imported, sent = [], []

def watch(event, arguments):
    if event == "import" and threading.current_thread() is threading.main_thread():
        imported.append(arguments[0])

async def receive():
    return {"type": "http.request", "body": b"", "more_body": False}

async def send(message):
    sent.append(message)

async def ask():
    await asyncio.to_thread(int)  # a server has threads by then
    sys.addaudithook(watch)
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    await LatePages(build, lambda: None)(scope, receive, send)

asyncio.run(ask())
print(json.dumps([imported, sent[-1]["body"].decode()]))
"""
    assert printed(code) == [[], "done"]


def test_only_proxies_that_are_named_are_believed_who_the_caller_is() -> None:
    code = (
        "import json, os\nfrom studio.settings import Settings\n"
        "from studio.serving.scoring_process import uvicorn_server\n"
        "config = uvicorn_server(Settings.from_env(os.environ)).config; config.load()\n"
        "print(json.dumps([a in config.loaded_app.trusted_hosts for a in ('10.1.2.3', '127.0.0.1', '192.0.2.1')]))"
    )

    assert printed(code) == [False, True, False]
    assert printed(code, STUDIO_TRUSTED_PROXIES="10.0.0.0/8, 192.0.2.1") == [True, False, True]


def printed(code: str, **extra: str) -> object:
    """Run code in a process of its own and read the JSON that it prints."""
    settings = {
        "STUDIO_STORAGE": "AccountName=a;AccountKey=c2VjcmV0;BlobEndpoint=http://127.0.0.1:9/a;"
        "QueueEndpoint=http://127.0.0.1:9/a;TableEndpoint=http://127.0.0.1:9/a",
        "STUDIO_URL": "http://127.0.0.1:9",
        "STUDIO_SECRET": "c3R1ZGlvLXRlc3RzLXN0dWRpby10ZXN0cy1zdHVkaW8=",
    }
    finished = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **settings, **extra},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(finished.stdout)
