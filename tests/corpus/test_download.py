"""Downloads from a server on this machine that misbehaves as servers do."""

import hashlib
import os
import random
import re
import threading
from base64 import b64decode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ctc_kd.corpus import download, progress, transfer
from ctc_kd.corpus.download import DownloadError, DownloadJob

NAME = "corpus.tar.gz"
CONTENT = random.Random(0).randbytes(300_000)
OTHER = bytes(reversed(CONTENT))
CHECKSUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class Server(ThreadingHTTPServer):
    """Serves ``content`` at every path; the attributes say how, ``seen`` has the headers of the requests."""

    daemon_threads = True

    def __init__(self, content=CONTENT, **options):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.ranges, self.etag, self.cuts, self.status = content, True, '"1"', [], []
        self.content_type, self.length_known, self.range_shift, self.location = "application/gzip", True, 0, None
        self.length = None
        vars(self).update(options)
        self.seen = []

    def handle_error(self, request, client_address):
        """Clients hang up on purpose; that is no noise for the test's output."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/{NAME}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, headers = self.server, dict(self.headers, path=self.path)
        server.seen.append(headers)
        if server.status:
            self.send_response(server.status.pop(0))
            if server.location:
                self.send_header("Location", server.location)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        begin = 0
        if "Range" in headers and server.ranges and headers.get("If-Range", server.etag) == server.etag:
            begin = int(re.fullmatch(r"bytes=(\d+)-", headers["Range"])[1]) + server.range_shift
            if begin >= len(server.content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(server.content)}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            self.send_response(206)
            last = len(server.content) - 1
            self.send_header("Content-Range", f"bytes {begin}-{last}/{len(server.content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Type", server.content_type)
        self.send_header("ETag", server.etag)
        if server.length_known:
            self.send_header("Content-Length", server.length or str(len(server.content) - begin))
        self.end_headers()
        end = server.cuts.pop(0) if server.cuts else len(server.content)
        self.wfile.write(server.content[begin:end])
        self.close_connection = True
        return None

    def do_CONNECT(self):
        self.server.seen.append(dict(self.headers, path=self.path))
        self.send_error(403)

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    """``serve(content, option=...)`` starts a server until the end of the test."""
    running = []

    def start(*args, **options):
        server = Server(*args, **options)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(download, "BACK_OFF_S", 0)
    monkeypatch.setattr(transfer, "CHUNK_BYTES", 10_000)
    for name in (
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "no_proxy",
        "NO_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)


def job_for(*urls, **parameters):
    return DownloadJob(**{"name": NAME, "urls": list(urls), "checksum": CHECKSUM, **parameters})


def work_folder(job) -> Path:
    return Path(job.out_file.get_path()).parents[1] / "work"


def leave(job, content: bytes, name: str = f"{NAME}.partial", *, cleared: str = ""):
    """Put a file where an earlier run of the job would have left it."""
    folder = work_folder(job)
    folder = folder.parents[1] / (folder.parent.name + cleared) / "work"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


def result(job) -> bytes:
    return Path(job.out_file.get_path()).read_bytes()


def test_a_file_is_downloaded_and_checked(run_here, serve):
    server = serve()
    job = run_here(job_for(server.url, num_bytes=len(CONTENT)))
    assert result(job) == CONTENT
    assert "Range" not in server.seen[0]
    assert server.seen[0]["Accept-Encoding"] == "identity"


def test_a_finished_file_is_not_asked_for_again(run_here, serve):
    server = serve()
    job = run_here(job_for(server.url))
    run_here(job)
    assert len(server.seen) == 1


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_checksums(run_here, serve, algorithm):
    digest = hashlib.new(algorithm, CONTENT).hexdigest()
    assert result(run_here(job_for(serve().url, checksum=f"{algorithm}:{digest}"))) == CONTENT


@pytest.mark.parametrize("checksum", ["", "md5:", f"sha1:{'0' * 40}", CHECKSUM.upper(), f"md5:{'0' * 64}"])
def test_a_malformed_checksum_is_refused_when_the_job_is_made(run_here, checksum):
    with pytest.raises(ValueError, match=rf"{NAME}: checksum .*expected md5: or sha256:"):
        job_for(checksum=checksum)


def test_a_killed_download_goes_on(run_here, serve):
    server = serve()
    job = job_for(server.url)
    leave(job, CONTENT[:120_000])
    assert result(run_here(job)) == CONTENT
    assert server.seen[0]["Range"] == "bytes=120000-"


def test_a_download_goes_on_after_its_job_was_cleared(run_here, serve):
    server = serve()
    job = job_for(server.url)
    leave(job, CONTENT[:1000], cleared=".cleared.0001")
    leave(job, CONTENT[:120_000], cleared=".cleared.0002")
    assert result(run_here(job)) == CONTENT
    assert server.seen[0]["Range"] == "bytes=120000-"


@pytest.mark.parametrize("rest", [0, 70_000])
def test_a_server_without_ranges_sends_everything_again(run_here, serve, rest):
    server = serve(ranges=False)
    job = job_for(server.url)
    leave(job, CONTENT[: len(CONTENT) - rest])
    assert result(run_here(job)) == CONTENT


def test_a_connection_that_is_cut_again_and_again_is_resumed(run_here, serve):
    server = serve(cuts=[50_000, 50_001, 120_000, 130_000, 200_000, 290_000])
    assert result(run_here(job_for(server.url))) == CONTENT
    assert [seen.get("Range") for seen in server.seen[:3]] == [None, "bytes=50000-", "bytes=50001-"]
    assert server.seen[1]["If-Range"] == '"1"'


def test_a_file_that_changed_on_the_server_is_fetched_from_its_start(serve, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    server = serve(OTHER, cuts=[50_000])
    with pytest.raises(transfer.TransferError):
        transfer.fetch(server.url, "file.partial")
    assert Path("file.partial").read_bytes() == OTHER[:50_000]
    server.content, server.etag = CONTENT, '"2"'
    transfer.fetch(server.url, "file.partial")
    assert Path("file.partial").read_bytes() == CONTENT


def test_a_cut_without_a_known_length_is_noticed(run_here, serve):
    server = serve(length_known=False, cuts=[50_000])
    assert result(run_here(job_for(server.url, num_bytes=len(CONTENT)))) == CONTENT
    assert server.seen[1]["Range"] == "bytes=50000-"


@pytest.mark.parametrize("partial", [OTHER[:120_000], CONTENT + b"more", OTHER])
@pytest.mark.parametrize("num_bytes", [None, len(CONTENT)])
def test_a_partial_file_of_something_else_is_thrown_away(run_here, serve, partial, num_bytes):
    job = job_for(serve().url, num_bytes=num_bytes)
    leave(job, partial)
    assert result(run_here(job)) == CONTENT


def test_a_complete_partial_file_is_not_transferred_again(run_here, serve):
    server = serve()
    job = job_for(server.url)
    leave(job, CONTENT)
    assert result(run_here(job)) == CONTENT
    assert len(server.seen) == 1


def test_a_wrong_file_leads_to_the_next_mirror(run_here, serve, capsys):
    bad, good = serve(OTHER), serve()
    assert result(run_here(job_for(bad.url, good.url))) == CONTENT
    assert len(bad.seen) == 1
    assert "Range" not in good.seen[0]
    assert f"{bad.url}: its sha256 is {hashlib.sha256(OTHER).hexdigest()}, expected" in capsys.readouterr().out


def test_what_one_mirror_began_the_next_one_ends(run_here, serve):
    first, second = serve(cuts=[120_000] * 9), serve(etag='"other"')
    assert result(run_here(job_for(first.url, second.url))) == CONTENT
    assert second.seen[0]["Range"] == "bytes=120000-"
    assert "If-Range" not in second.seen[0]


def test_a_mirror_with_less_than_came_before_is_left_for_the_next_one(run_here, serve):
    first, stub, last = serve(cuts=[120_000] * 9), serve(CONTENT[:100]), serve()
    assert result(run_here(job_for(first.url, stub.url, last.url, num_bytes=len(CONTENT)))) == CONTENT
    assert len(stub.seen) == 1
    assert last.seen[0]["Range"] == "bytes=120000-"


def test_a_length_that_is_no_number_is_an_unknown_one(run_here, serve):
    assert result(run_here(job_for(serve(length=f"{len(CONTENT)}, {len(CONTENT)}").url))) == CONTENT


def test_a_mirror_with_another_size_is_refused_before_the_transfer(run_here, serve):
    bad, good = serve(OTHER + OTHER), serve()
    assert result(run_here(job_for(bad.url, good.url, num_bytes=len(CONTENT)))) == CONTENT
    assert len(bad.seen) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"content_type": "text/html; charset=utf-8"},
        {"content": b"\n<!DOCTYPE HTML><html><body>Please log in</body></html>"},
        {"content": b"<html></html>"},
    ],
)
def test_an_html_answer_is_refused_and_nothing_of_it_is_kept(run_here, serve, options):
    bad, good = serve(**options), serve()
    job = job_for(bad.url, good.url)
    assert result(run_here(job)) == CONTENT
    assert len(bad.seen) == 1
    with pytest.raises(DownloadError, match="HTML page"):
        run_here(job_for(bad.url, name="other"))
    assert not list(work_folder(job_for(bad.url, name="other")).iterdir())


def test_passing_faults_are_tried_again_and_lasting_ones_are_not(run_here, serve):
    busy, missing = serve(status=[503, 429]), serve(status=[404])
    assert result(run_here(job_for(missing.url, busy.url))) == CONTENT
    assert len(busy.seen) == 3
    assert len(missing.seen) == 1


def test_redirections_are_followed(run_here, serve):
    target = serve()
    assert result(run_here(job_for(serve(status=[302], location=target.url).url))) == CONTENT
    assert len(target.seen) == 1


def test_a_range_that_was_not_asked_for_is_refused(run_here, serve):
    bad, good = serve(range_shift=5), serve()
    job = job_for(bad.url, good.url)
    leave(job, CONTENT[:100_000])
    assert result(run_here(job)) == CONTENT


def closed_port() -> str:
    server = Server()
    server.server_close()
    return server.url


def test_where_all_mirrors_fail_the_error_says_what_was_wrong_and_what_to_do(run_here, serve):
    unreachable, missing, wrong = closed_port(), serve(status=[404]), serve(OTHER)
    job = job_for(unreachable, missing.url, wrong.url, num_bytes=300_000, setting='RESOURCES = {"corpus": "/path"}')
    with pytest.raises(DownloadError) as error:
        run_here(job)
    text = str(error.value)
    assert re.search(rf"{NAME}: no mirror .*\n  {unreachable}: .*refused", text)
    assert f"\n  {missing.url}: HTTP status 404 Not Found\n" in text
    assert f"\n  {wrong.url}: its sha256 is " in text
    assert f"Put the file {NAME} ({CHECKSUM}, 300,000 bytes) into {work_folder(job)} and run" in text
    assert 'settings.py: RESOURCES = {"corpus": "/path"}' in text
    assert not Path(job.out_file.get_path()).exists()


@pytest.mark.parametrize("cleared", ["", ".cleared.0001"])
def test_a_file_put_there_by_hand_is_used_without_network(run_here, cleared):
    job = job_for(closed_port())
    leave(job, CONTENT, NAME, cleared=cleared)
    assert result(run_here(job)) == CONTENT


def test_a_link_put_there_by_hand_is_used(run_here, tmp_path):
    (tmp_path / "mine").write_bytes(CONTENT)
    job = job_for(closed_port())
    work_folder(job).mkdir(parents=True)
    (work_folder(job) / NAME).symlink_to(os.path.relpath(tmp_path / "mine", work_folder(job)))
    assert result(run_here(job)) == CONTENT
    assert (tmp_path / "mine").exists()


@pytest.mark.parametrize("num_bytes", [None, len(CONTENT)])
def test_a_wrong_file_put_there_by_hand_is_an_error_that_names_it(run_here, num_bytes):
    job = job_for(closed_port(), num_bytes=num_bytes)
    path = leave(job, CONTENT[:-1], NAME)
    fault = "has 299,999 bytes, expected 300,000" if num_bytes else "its sha256 is .*, expected "
    with pytest.raises(DownloadError, match=rf"{path}: {fault}.*; replace or remove it"):
        run_here(job)
    assert path.exists()


def test_a_full_disk_is_an_error_before_the_transfer(run_here, serve, monkeypatch):
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    server = serve()
    job = job_for(server.url, serve().url)
    with pytest.raises(transfer.DiskFullError, match="300,000 bytes are needed, 1,000 are free"):
        run_here(job)
    assert not (work_folder(job) / f"{NAME}.partial").exists()


@pytest.mark.parametrize("variable", ["http_proxy", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    ("address", "login"),
    [
        ("http://{}", None),
        ("{}", None),
        ("HTTP://{}/", None),
        ("http://me:secret@{}", b"me:secret"),
        ("me:s%40%e9:c@{}", b"me:s@\xe9:c"),
        ("http://me@{}", b"me:"),
    ],
)
def test_the_proxy_of_the_environment_is_used(run_here, serve, monkeypatch, variable, address, login):
    proxy = serve()
    monkeypatch.setenv(variable, address.format(f"127.0.0.1:{proxy.server_port}"))
    assert result(run_here(job_for("http://corpus.invalid/file"))) == CONTENT
    assert proxy.seen[0]["path"] == "http://corpus.invalid/file"
    given = proxy.seen[0].get("Proxy-Authorization", "")
    assert b64decode(given.removeprefix("Basic ")) == (login or b"")


def test_the_proxy_of_a_tunnel_gets_the_password(run_here, serve, monkeypatch):
    proxy = serve()
    monkeypatch.setenv("https_proxy", f"me:secret@127.0.0.1:{proxy.server_port}")
    with pytest.raises(DownloadError, match="Tunnel connection failed: 403"):
        run_here(job_for("https://corpus.invalid/file"))
    assert proxy.seen[0]["path"] == "corpus.invalid:443"
    assert b64decode(proxy.seen[0]["Proxy-Authorization"].removeprefix("Basic ")) == b"me:secret"


def test_addresses_without_proxy(run_here, serve, monkeypatch):
    monkeypatch.setenv("all_proxy", closed_port())
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert result(run_here(job_for(serve().url))) == CONTENT


def test_a_proxy_of_another_kind_is_named_at_once(run_here, monkeypatch, capsys):
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1080")
    with pytest.raises(DownloadError, match="Proxy URL had unsupported scheme socks5"):
        run_here(job_for("http://corpus.invalid/file"))
    assert "next try" not in capsys.readouterr().out


def test_progress_is_told_in_the_log_and_to_the_manager(run_here, serve, monkeypatch, capsys):
    monkeypatch.setattr(progress, "INTERVAL_S", 0)
    job = job_for(serve(cuts=[150_000] * 9).url)
    assert (job.info(), job.completed_fraction()) == (None, None)
    with pytest.raises(DownloadError):
        run_here(job)
    assert re.search(rf"{NAME}: 0.00 of 0.00 GB \(50%\), [\d.]+ MB/s, 0 min left", capsys.readouterr().out)
    assert job.info().startswith(f"{NAME}: 0.00 of 0.00 GB")
    assert job.completed_fraction() == 0.5


def test_the_id_depends_on_the_name_and_the_checksum_alone(run_here):
    job = job_for("http://a")
    assert job is job_for("http://b", "http://c", num_bytes=5, setting="RESOURCES")
    assert job is not job_for("http://a", checksum=f"md5:{'0' * 32}")
    assert job is not job_for("http://a", name="other")
