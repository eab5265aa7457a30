"""``sis manager --http``: a real manager whose page is read while its jobs run."""

import re
import socket
import time
import urllib.error
import urllib.request

import pytest
from patience import PATIENCE
from sisyphus.web import AddressError
from sisyphus.web.server import StatusServer, parse_address


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
