"""The emulator over a socket, as other clients see it."""

import asyncio
import contextlib
import json
import shutil
import signal
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from batchtui.emulator.errors import EmulatorError
from batchtui.emulator.server import serve

from .support import (
    BGE_M3,
    QUEUED,
    SAMPLE,
    Served,
    batch,
    collect,
    eventually,
    options_at,
    request,
    run,
    serving,
)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here")
def test_the_two_curl_commands_of_the_contract_submit_and_collect(tmp_path: Path) -> None:
    with serving(tmp_path / "queue.db") as served:
        url = f"{served.url}/accounts/abc/ai/run/@cf/baai/bge-m3?queueRequest=true"
        curl = ["curl", "-s", url, "-H", "Authorization: Bearer secret", "--json"]
        queued = run([*curl, json.dumps(SAMPLE)])
        assert queued["result"]["status"] == "queued"
        again = [*curl, json.dumps({"request_id": queued["result"]["request_id"]})]
        eventually(lambda: "responses" in run(again)["result"], "the batch is done")
        [answer] = run(again)["result"]["responses"]
    assert answer["external_reference"] == "reference-1"
    assert sorted(entry["id"] for entry in answer["result"]["response"]) == [0, 1, 2]
    assert all(0 <= entry["score"] <= 1 for entry in answer["result"]["response"])


def test_cloudflares_own_library_submits_and_collects(tmp_path: Path) -> None:
    cloudflare = pytest.importorskip("cloudflare")
    with serving(tmp_path / "queue.db", "--token", "secret") as served:
        client = cloudflare.Cloudflare(api_token="secret", base_url=served.url)

        def call(body: dict[str, Any]) -> Any:
            return client.ai.run(
                "@cf/baai/bge-m3",
                account_id="abc",
                text="",
                extra_query={"queueRequest": "true"},
                extra_body=body,
            )

        queued = call(SAMPLE)
        assert queued["status"] == "queued"
        collecting = {"request_id": queued["request_id"]}
        eventually(lambda: "responses" in call(collecting), "the batch is done")
        assert len(call(collecting)["responses"][0]["result"]["response"]) == 3
        wrong = cloudflare.Cloudflare(api_token="wrong", base_url=served.url, max_retries=0)
        with pytest.raises(cloudflare.AuthenticationError):
            wrong.ai.run("@cf/baai/bge-m3", account_id="abc", text="", extra_body=SAMPLE)


async def test_a_hundred_clients_at_once_lose_nothing(tmp_path: Path) -> None:
    with serving(tmp_path / "queue.db", "--shuffle") as served:

        async def one(number: int) -> None:
            async with httpx.AsyncClient(base_url=served.url, timeout=60) as client:
                texts = [f"text {number} {place}" for place in range(number % 7 + 1)]
                body = batch(
                    request(f"query {number}", *texts, external_reference=f"first {number}"),
                    request(f"again {number}", *texts, external_reference=f"second {number}"),
                )
                queued = await client.post(BGE_M3, params=QUEUED, json=body)
                result = (await collect(client, queued.json()["result"]["request_id"]))["result"]
                answers = sorted(result["responses"], key=lambda answer: answer["id"])
                references = [answer["external_reference"] for answer in answers]
                assert references == [f"first {number}", f"second {number}"]
                assert all(len(answer["result"]["response"]) == len(texts) for answer in answers)

        await asyncio.gather(*(one(number) for number in range(100)))


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_an_interrupt_ends_it_cleanly_and_says_nothing_on_standard_output(
    tmp_path: Path, sent: signal.Signals, status: int
) -> None:
    with serving(tmp_path / "queue.db") as served:
        httpx.post(f"{served.url}/{BGE_M3}", params=QUEUED, json=SAMPLE)
        served.process.send_signal(sent)
        assert served.process.wait(30) == status
        assert served.process.stdout is not None
        assert served.process.stdout.read() == ""
    assert not (tmp_path / "queue.db-wal").exists()


def test_the_url_is_announced_when_it_answers(tmp_path: Path) -> None:
    with serving(tmp_path / "queue.db") as served:
        assert served.url == f"http://127.0.0.1:{served.port}/client/v4"
        assert httpx.get(f"{served.url}/accounts").status_code == 200


def test_a_foreign_host_is_refused_on_loopback(tmp_path: Path) -> None:
    with serving(tmp_path / "queue.db") as served:
        answer = httpx.get(f"{served.url}/accounts", headers={"host": "evil.example"})
    assert (answer.status_code, answer.json()["result"]) == (403, None)


def test_bound_to_all_addresses_any_host_may_ask(tmp_path: Path) -> None:
    with serving(tmp_path / "queue.db", "--host", "0.0.0.0") as served:
        url = f"http://127.0.0.1:{served.port}/client/v4/accounts"
        assert httpx.get(url, headers={"host": "my-machine"}).status_code == 200


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"POST /client/v4/accounts/abc/ai/run/@cf/baai/bge-m3 HTTP/1.1\r\nHost: localhost\r\n",
    ],
)
def test_who_never_finishes_asking_is_dropped(tmp_path: Path, head: bytes) -> None:
    with (
        serving(tmp_path / "queue.db", request_seconds=0.2) as served,
        socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection,
    ):
        connection.sendall(head)
        while connection.recv(65_536):
            pass


def test_who_never_finishes_a_second_request_is_dropped(tmp_path: Path) -> None:
    with (
        serving(tmp_path / "queue.db", request_seconds=0.2) as served,
        socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection,
    ):
        connection.sendall(b"GET /client/v4/accounts HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /client/v4/acc")
        while connection.recv(65_536):
            pass


def _asking_for_megabytes(served: Served) -> socket.socket:
    """A connection that has asked for an answer far larger than what the system holds for a reader."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(30)
    connection.connect(("127.0.0.1", served.port))
    body = json.dumps({"requests": [{"contexts": []}] * 60_000}).encode()
    head = f"POST /client/v4/{BGE_M3} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def _read(connection: socket.socket, pause: float = 0) -> tuple[int, int]:
    """How many bytes of a body were promised, and how many came, with a pause before each megabyte."""
    head, _, body = connection.recv(4096).partition(b"\r\n\r\n")
    promised = int(head.lower().partition(b"content-length: ")[2].split()[0])
    came = len(body)
    with contextlib.suppress(ConnectionResetError):
        while came < promised and (part := connection.recv(1_000_000)):
            if came // 1_000_000 < (came + len(part)) // 1_000_000:
                time.sleep(pause)
            came += len(part)
    return promised, came


def _sockets(pid: int) -> int:
    links = Path(f"/proc/{pid}/fd").iterdir()
    return sum("socket" in str(link.readlink()) for link in links if link.is_symlink())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system does not list a process's files")
def test_who_never_reads_an_answer_is_dropped(tmp_path: Path) -> None:
    with serving(tmp_path / "queue.db", request_seconds=0.3) as served:
        before = _sockets(served.process.pid)
        with _asking_for_megabytes(served) as connection:
            eventually(lambda: _sockets(served.process.pid) > before, "it was heard")
            eventually(lambda: _sockets(served.process.pid) <= before, "it was dropped")
            promised, came = _read(connection)
        assert came < promised


def test_who_reads_an_answer_slowly_but_steadily_gets_it_whole(tmp_path: Path) -> None:
    with (
        serving(tmp_path / "queue.db", request_seconds=0.3) as served,
        _asking_for_megabytes(served) as connection,
    ):
        promised, came = _read(connection, pause=0.1)
    assert came == promised > 5_000_000


def test_an_answer_can_be_cut_short(tmp_path: Path) -> None:
    with serving(tmp_path / "queue.db") as served, pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{served.url}/accounts", headers={"Batchtui-Fault": "cut"})


def test_a_body_over_the_limit_is_refused_and_its_sender_hears_of_it(tmp_path: Path) -> None:
    with serving(tmp_path / "queue.db") as served:
        answer = httpx.post(f"{served.url}/{BGE_M3}", content=b"x" * 12_000_000, timeout=60)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (413, 3006)


def test_a_port_in_use_is_named_with_a_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EmulatorError, match=rf"127\.0\.0\.1 port {port}.*--port"):
            serve(options_at(tmp_path), "127.0.0.1", port, lambda url: None)


def test_a_host_that_is_not_ours_is_named(tmp_path: Path) -> None:
    for host in ("host.invalid", "a..b", "a" * 70 + ".com", "\udcff"):
        with pytest.raises(EmulatorError, match="cannot listen on"):
            serve(options_at(tmp_path), host, 0, lambda url: None)


def test_weights_that_are_not_here_are_named_before_anything_is_served(tmp_path: Path) -> None:
    pytest.importorskip("fastembed")
    announced: list[str] = []
    options = options_at(tmp_path, scorer="fastembed", model_path=tmp_path / "weights")
    with pytest.raises(EmulatorError, match=r"weights.*tokenizer\.json"):
        serve(options, "127.0.0.1", 0, announced.append)
    assert announced == []


def test_a_queue_that_cannot_be_used_is_named_before_anything_is_served(tmp_path: Path) -> None:
    (tmp_path / "queue.db").write_text("no database" * 1_000)
    announced: list[str] = []
    with pytest.raises(EmulatorError, match=r"queue\.db"):
        serve(options_at(tmp_path), "127.0.0.1", 0, announced.append)
    assert announced == []


def test_a_killed_server_leaves_no_process_behind(tmp_path: Path) -> None:
    with serving(tmp_path / "queue.db") as served:
        httpx.post(f"{served.url}/{BGE_M3}", json=request("q", "a"), timeout=30)
        children = _children(served.process.pid)
        assert children
        served.kill()
    eventually(lambda: not any(Path(f"/proc/{child}").exists() for child in children), "all have ended")


def _children(pid: int) -> list[str]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if not listed.exists():
        pytest.skip("this system does not list the children of a process")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if children := listed.read_text().split():
            return children
    return []
