"""The webhook that Event Grid calls for blob triggers with `source="EventGrid"`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Any
from urllib.parse import unquote, urlsplit

from azure.core.exceptions import AzureError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.host.listeners.blob_queue import BlobMessage, BlobQueue
from local.host.web.function_routes import offered_key
from local.host.web.keys import Keys

_LOG = logging.getLogger(__name__)
PATH = "/runtime/webhooks/blobs"


class EventGridWebhook:
    """
    Turns events into internal messages: one for each event, with no receipt, ETag check or path filter.

    Args:
        queue: The host's blob queue; None when the app has no blob trigger.
        threads: Where storage calls are made, so that the event loop does not wait.
    """

    def __init__(self, queue: BlobQueue | None, keys: Keys, threads: Executor) -> None:
        self._queue = queue
        self._keys = keys
        self._threads = threads

    async def serve(self, request: Request) -> Response:
        """Answer one delivery, handshake or unsubscription."""
        if not self._keys.opens_webhook(offered_key(request)):
            return Response(status_code=401)
        function_id = request.query_params.get("functionName", "")
        if self._queue is None or not self._queue.knows(function_id):
            return Response(status_code=404)
        if request.method == "OPTIONS":
            origin = request.headers.get("webhook-request-origin", "*")
            return Response(headers={"webhook-allowed-origin": origin, "webhook-allowed-rate": "*"})
        match request.headers.get("aeg-event-type", "").lower():
            case "subscriptionvalidation":
                events = await _events(request)
                return JSONResponse({"validationResponse": events[0]["data"]["validationCode"]})
            case "notification":
                return await self._take(self._queue, function_id, await _events(request))
            case "unsubscribe":
                return Response(status_code=202)
        return Response(status_code=400)

    async def _take(self, queue: BlobQueue, function_id: str, events: list[dict[str, Any]]) -> Response:
        loop = asyncio.get_running_loop()
        try:
            for message in [_message(function_id, event) for event in events]:
                await loop.run_in_executor(self._threads, queue.send, message)
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"message": f"not a blob event: {error}"}, 400)
        except AzureError as error:
            _LOG.error("Events could not be queued, Event Grid will repeat them: %s", error.message)
            return Response(status_code=503)
        return Response(status_code=202)


async def _events(request: Request) -> list[dict[str, Any]]:
    content = await request.json()
    return content if isinstance(content, list) else [content]


def _message(function_id: str, event: Mapping[str, Any]) -> BlobMessage:
    data = event["data"]
    container, _, blob = unquote(urlsplit(data["url"]).path).lstrip("/").partition("/")
    if container == "devstoreaccount1":  # an emulator's addresses hold the account's name
        container, _, blob = blob.partition("/")
    if not blob:
        raise ValueError(f"data.url '{data['url']}' names no blob")
    return BlobMessage(function_id, container, blob, data.get("eTag", ""))
