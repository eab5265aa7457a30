"""One HTTP request for one file, which resumes where an earlier request ended."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlsplit

from ctc_kd.corpus.progress import Progress
from ctc_kd.files import read_json, write_json

if TYPE_CHECKING:
    import urllib3

CHUNK_BYTES = 1 << 20
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 20.0, 60.0
PASSING_STATUS = (408, 429, 500, 502, 503, 504)
_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


class TransferError(Exception):
    """A request failed; ``again``: whether another try at the same address may succeed."""

    def __init__(self, message: str, *, again: bool = False):
        super().__init__(message)
        self.again = again


class DiskFullError(OSError):
    """There is no room for the file, wherever it comes from."""


def fetch(url: str, partial: str, *, num_bytes: int | None = None):
    """Completes the file ``partial``. Bytes that it already has are requested only if the server has no ranges.

    :param num_bytes: the length of the file, None if unknown
    :raises TransferError: the file did not arrive, or not completely; the bytes that arrived are kept
    :raises DiskFullError: there is no room for the rest
    """
    import urllib3

    if num_bytes is not None and size_of(partial) > num_bytes:
        discard(partial)
    if size_of(partial) == num_bytes:
        return
    headers = {"Accept-Encoding": "identity", "User-Agent": "ctc-kd", **_range_headers(url, partial)}
    timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S)
    retries = urllib3.Retry(connect=0, read=0, status=0, other=0, redirect=5)
    try:
        with (
            _connections(url) as connections,
            connections.request(
                "GET", url, headers=headers, timeout=timeout, retries=retries, preload_content=False
            ) as response,
        ):
            _receive(response, url, partial, num_bytes=num_bytes)
    except urllib3.exceptions.HTTPError as error:
        reason = getattr(error, "reason", None) or error
        lasting = urllib3.exceptions.SSLError, urllib3.exceptions.LocationValueError
        raise TransferError(str(reason), again=not isinstance(reason, lasting)) from error


def size_of(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0


def discard(partial: str):
    for path in (partial, origin_file(partial)):
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


def origin_file(partial: str) -> str:
    """The file that records where the bytes of ``partial`` come from: ``{"url", "validator"}``."""
    return f"{partial}.origin.json"


def _range_headers(url: str, partial: str) -> dict[str, str]:
    """Requests only the rest; a server whose file has changed in the meantime sends all of it."""
    if not size_of(partial):
        return {}
    origin = read_json(origin_file(partial)) if os.path.exists(origin_file(partial)) else {}
    headers = {"Range": f"bytes={size_of(partial)}-"}
    if origin.get("url") == url and origin.get("validator"):
        headers["If-Range"] = origin["validator"]
    return headers


def _connections(url: str) -> urllib3.PoolManager:
    """Direct, or through the proxy that the environment names as for curl, perhaps with user and password.

    The variables are ``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy``.
    """
    from urllib.request import getproxies, proxy_bypass

    import urllib3

    address, proxies = urlsplit(url), getproxies()
    proxy = proxies.get(address.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(address.hostname or ""):
        return urllib3.PoolManager()
    scheme, _, rest = proxy.rpartition("://")
    login, _, host = rest.partition("/")[0].rpartition("@")
    headers = {}
    if login:
        user_and_password = unquote_to_bytes(login if ":" in login else f"{login}:")
        headers["Proxy-Authorization"] = f"Basic {b64encode(user_and_password).decode()}"
    return urllib3.ProxyManager(f"{scheme or 'http'}://{host}", proxy_headers=headers)


def _receive(response: urllib3.BaseHTTPResponse, url: str, partial: str, *, num_bytes: int | None):
    begin, total = _extent(response, partial, num_bytes=num_bytes)
    if response.status == 416:  # nothing is left to send
        return
    if num_bytes is not None and total not in (None, num_bytes):
        raise TransferError(f"has {total:,} bytes there, expected {num_bytes:,}")
    check_room((total or num_bytes or 0) - begin)
    chunks = response.stream(CHUNK_BYTES, decode_content=False)
    first = next(chunks, b"")
    if begin == 0 and first.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        raise TransferError("answered with an HTML page, expected the file")
    progress = Progress(partial.removesuffix(".partial"), done=begin, total=total or num_bytes)
    with open(partial, "ab" if begin else "wb") as file:
        write_json(origin_file(partial), {"url": url, "validator": _validator(response)})
        file.write(first)
        for chunk in chunks:
            file.write(chunk)
            progress.update(file.tell())
    expected = total or num_bytes
    if expected is not None and size_of(partial) != expected:
        raise TransferError(f"ended after {size_of(partial):,} of {expected:,} bytes", again=True)


def _extent(response: urllib3.BaseHTTPResponse, partial: str, *, num_bytes: int | None) -> tuple[int, int | None]:
    """Where the bytes of the response begin, and the length of the whole file, None if the server does not name it."""
    status, have = response.status, size_of(partial)
    content_range = _RANGE.match(response.headers.get("Content-Range", ""))
    total = int(content_range[2]) if content_range and content_range[2] != "*" else None
    if status == 416 and total == have:
        return have, total
    if status == 416:
        if num_bytes is None:  # otherwise the server's file is too short, not ours too long
            discard(partial)
        raise TransferError(f"HTTP status 416, asked for the bytes from {have:,}", again=num_bytes is None and have > 0)
    if status not in (200, 206):
        raise TransferError(f"HTTP status {status} {response.reason}", again=status in PASSING_STATUS)
    if response.headers.get("Content-Type", "").lower().startswith("text/html"):
        raise TransferError("answered with an HTML page, expected the file")
    if status == 200:
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() else None
    if not content_range or content_range[1] != str(have):
        raise TransferError(f"sent {response.headers.get('Content-Range')!r}, expected the bytes from {have}")
    return have, total


def _validator(response: urllib3.BaseHTTPResponse) -> str | None:
    """What ``If-Range`` may hold: a strong entity tag, or the date of the last change (RFC 9110, section 13.1.5)."""
    tag = response.headers.get("ETag")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")


def check_room(needed: int):
    free = shutil.disk_usage(".").free
    if needed > free:
        raise DiskFullError(f"{os.getcwd()}: {needed:,} bytes are needed, {free:,} are free; make room, then run again")
