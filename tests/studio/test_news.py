"""Looks for news: shared by all who wait for one, and out of the way of everything else."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from exchanges import ROW, Published, wait_for

from studio.bootstrap import assemble
from studio.services.endpoint_change import EndpointChange
from studio.services.keys import new_id
from studio.serving.registry import Registry
from studio.web.news import News

N_CALLERS = 48  # more than any pool of threads here


class Looks(Registry):
    """Counts looks instead of reading anything; each waits to be let go."""

    def __init__(self) -> None:
        self.n_looks = 0
        self.go = threading.Event()

    def look_for_news(self) -> None:
        self.n_looks += 1
        assert self.go.wait(10)


def test_all_who_wait_share_the_look_that_begins_after_they_asked() -> None:
    looks = Looks()

    async def ask() -> None:
        news = News(looks)
        early = [asyncio.create_task(news.look()) for _ in range(N_CALLERS)]
        while looks.n_looks == 0:
            await asyncio.sleep(0.001)
        late = [asyncio.create_task(news.look()) for _ in range(N_CALLERS)]
        await asyncio.sleep(0.01)
        assert not any(task.done() for task in (*early, *late))
        looks.go.set()
        await asyncio.gather(*early, *late)

    asyncio.run(ask())

    assert looks.n_looks == 2


def test_a_look_that_failed_fails_those_who_waited_for_it_and_nobody_else() -> None:
    class Failing(Looks):
        def look_for_news(self) -> None:
            self.n_looks += 1
            if self.n_looks == 1:
                raise ConnectionError("storage is out")

    async def ask() -> list[object]:
        news = News(Failing())
        first = await asyncio.gather(news.look(), news.look(), return_exceptions=True)
        return [*first, await news.look()]

    first, second, third = asyncio.run(ask())

    assert isinstance(first, ConnectionError)
    assert isinstance(second, ConnectionError)
    assert third is None


UNKNOWN = {
    "scoring": ("POST", "services/{id}/execute"),
    "jobs": ("GET", "services/{id}/jobs/a"),
    "description": ("GET", "services/{id}/swagger.json"),
    "management": ("GET", "webservices/{id}/endpoints/live"),
}


@pytest.mark.parametrize(("method", "path"), UNKNOWN.values(), ids=UNKNOWN)
def test_calls_to_what_is_unknown_delay_neither_liveness_nor_scoring_nor_management_nor_news(
    published: Published, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    own, client, go = published.service, published.client, threading.Event()
    monkeypatch.setattr(own.registry, "look_for_news", lambda: go.wait(30))
    unknown = f"/workspaces/{own.settings.workspace}/{path.format(id=new_id())}"
    many = {"Inputs": {"input1": {**ROW["Inputs"]["input1"], "Values": [["40", "40", "clerk"]] * 10_000}}}

    with ThreadPoolExecutor(N_CALLERS) as pool:
        calls = [pool.submit(client.request, method, unknown, json=ROW) for _ in range(N_CALLERS)]
        try:
            live = client.get("/health/live", timeout=10)
            url = f"{published.endpoint('live')['api_location']}/execute"
            large = client.post(url, json=many, headers=published.headers("live"), timeout=10)
            time.sleep(0.3)  # every one of them could have taken a thread by then
            address = published.endpoint("live")["management_url"]
            managed = client.get(address, headers=published.headers("live"), timeout=10)
            other = assemble(own.settings)
            other.registry.refresh()
            other.endpoints.create(published.publication.predictive, "fresh", EndpointChange({}))
            wait_for(lambda: bool(_fresh(published)), "the new endpoint to be taken over")
            n_answered = sum(call.done() for call in calls)
        finally:
            go.set()
        statuses = {call.result().status_code for call in calls}

    assert (live.status_code, large.status_code, managed.status_code) == (200, 200, 200)
    assert n_answered == 0
    assert statuses == {404}


def _fresh(published: Published) -> object:
    return published.service.registry.catalog.endpoint_named(published.publication.predictive.id, "fresh")
