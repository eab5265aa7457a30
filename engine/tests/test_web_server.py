"""``sis manager --http``: a real manager whose page is read while its jobs run."""

import contextlib
import errno
import re
import socket
import threading
import time
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest
from patience import PATIENCE, wait_until
from sisyphus.graph import SISGraph
from sisyphus.web import AddressError, server
from sisyphus.web.server import StatusServer, parse_address
from werkzeug.test import create_environ


def fetch(url):
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return answer.read().decode()


def fetch_until(url, *texts):
    """The page as soon as it has all the texts."""
    end = time.monotonic() + PATIENCE
    page = ""
    while time.monotonic() < end:
        page = fetch(url)
        if all(text in page for text in texts):
            return page
        time.sleep(0.05)
    raise AssertionError(f"{url} did not show {texts}: {page}")


def test_running_and_failing_job(folder):
    process, url, lines = folder.serve("config.slow_and_fails")
    page = fetch_until(url, "0 of 2 jobs finished", "failed 1", "running 1", "epoch 3 of 7", "25 %")
    assert "utterance 17 is broken" in page
    ids = {kind: re.search(rf"/job/(kinds/{kind}\.\w+)", page)[1] for kind in ("Slow", "Fails")}
    failed = fetch(f"{url}job/{ids['Fails']}")
    assert "ValueError: utterance 17 is broken" in failed and "config/__init__.py:" in failed
    assert "Traceback (most recent call last)" in fetch(f"{url}log/{ids['Fails']}?name=log.run.1")
    fetch_until(f"{url}job/{ids['Slow']}", "running one")
    (folder / "go").touch()
    assert process.wait(PATIENCE) == 1
    assert "failed: kinds/Fails" in "".join(lines) and "GET" not in "".join(lines), "requests are not in the output"
    with pytest.raises(urllib.error.URLError):
        fetch(url)


def test_only_this_machine_unless_told_otherwise(folder):
    process, url, _ = folder.serve("config.slow")
    port = int(re.search(r":(\d+)/", url)[1])
    own = [a[4][0] for a in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET, socket.SOCK_STREAM)]
    for address in own:
        if not address.startswith("127."):
            with pytest.raises(OSError):
                socket.create_connection((address, port), timeout=2).close()
    assert socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close() is None


def test_port_that_is_taken(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, output = folder.sis("manager", "-r", "--http", port, "config.chain(1)")
    assert status == 2 and f"--http {port}: Address already in use" in output and "Traceback" not in output
    assert not (folder / "work").exists()


@pytest.mark.parametrize("address", ["", "port", "localhost:", "99999", "-1", "http://localhost:8000/"])
def test_addresses_that_are_none(address):
    with pytest.raises(AddressError, match="should be a port"):
        StatusServer(address)


def test_addresses():
    assert parse_address("8000") == ("127.0.0.1", 8000)
    assert parse_address("0.0.0.0:80") == ("0.0.0.0", 80)
    assert parse_address("[::1]:8000") == ("::1", 8000)


def test_unknown_host():
    with pytest.raises(AddressError, match="cannot show"):
        StatusServer("256.1.1.1:0")


def test_flask_is_loaded_for_the_page_only(folder):
    (folder / "config" / "loaded.py").write_text("import sys\n\n\ndef py():\n    print('flask' in sys.modules)\n")
    assert "False" in folder.sis("manager", "-r", "config/loaded.py")[1]
    assert "True" in folder.sis("manager", "-r", "--http", "0", "config/loaded.py")[1]


# connections ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def site(here, monkeypatch):
    """The address of a page without jobs, served by this process."""
    monkeypatch.setattr(server, "PAUSE", 0.001)
    page = StatusServer("0")
    view = SimpleNamespace(states={}, refused={})
    page.show(SimpleNamespace(view=view, graph=SISGraph(), configs=SimpleNamespace(loaded=[])))
    yield page
    page.close()


def connect(site):
    return socket.create_connection(site._socket.getsockname(), timeout=PATIENCE)


def ended(connection):
    """Wait until the other side has ended the connection."""
    with contextlib.suppress(ConnectionError):
        assert connection.recv(1) == b""
    return True


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\n"])
def test_half_open_connections_take_few_threads(site, monkeypatch, sent):
    """The ones that came first make room, and the page is there all the time."""
    monkeypatch.setattr(server, "CONNECTIONS", 4)
    before, connections = threading.active_count(), []
    for _ in range(60):
        connections.append(connect(site))
        connections[-1].sendall(sent)
    assert "0 of 0 jobs finished" in fetch(site.url)
    assert threading.active_count() - before < 12
    assert all(map(ended, connections[:50]))
    for connection in connections:
        connection.close()


def test_those_who_do_not_take_their_answer_make_room_too(site, monkeypatch):
    monkeypatch.setattr(server, "CONNECTIONS", 4)
    answer = lambda environ, start: start("200 OK", []) and None or iter(lambda: b"x" * 1_000_000, None)
    with monkeypatch.context() as patch:
        patch.setattr(site._server, "app", answer)
        greedy = [connect(site) for _ in range(4)]
        for connection in greedy:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert connection.recv(1) == b"H"
    assert "0 of 0 jobs finished" in fetch(site.url)
    for connection in greedy:
        connection.close()


def test_request_that_comes_byte_by_byte(site, monkeypatch):
    monkeypatch.setattr(server, "REQUEST_TIME", 0.5)
    connection = connect(site)

    def cannot_send():
        try:
            connection.sendall(b"x")
        except ConnectionError:
            return True
        return False

    wait_until(cannot_send, "the end of the connection")
    connection.close()


def test_request_without_end(site):
    """What is too long is not read."""
    connection = connect(site)
    with contextlib.suppress(ConnectionError):
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"x" * 1_000_000)
        raise AssertionError("a hundred megabytes were read")
    connection.close()


def test_no_file_handle_for_a_connection(site, monkeypatch):
    """The thread goes on when there is one again."""
    accept, tries = socket.socket.accept, []

    def fails(self):
        tries.append(1)
        if len(tries) < 4:
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(self)

    monkeypatch.setattr(socket.socket, "accept", fails)
    assert "0 of 0 jobs finished" in fetch(site.url) and len(tries) >= 4


def test_pages_are_made_one_at_a_time():
    """Otherwise they could share the interpreter with the manager as one to thirty."""
    inside, most = [], []

    def app(environ, start_response):
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.01)
        inside.pop()
        return []

    answer = server.one_at_a_time(app)
    threads = [threading.Thread(target=answer, args=({}, None)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


def test_page_that_does_not_come_to_an_end(monkeypatch):
    """The next ones do not wait for it for ever."""
    monkeypatch.setattr(server, "REQUEST_TIME", 0)
    statuses, go = [], threading.Event()
    answer = server.one_at_a_time(lambda environ, start: go.wait(PATIENCE) and [])
    thread = threading.Thread(target=answer, args=({}, None))
    thread.start()
    wait_until(lambda: answer(create_environ(), lambda status, headers: statuses.append(status)))
    go.set()
    thread.join()
    assert statuses == ["503 SERVICE UNAVAILABLE"]
