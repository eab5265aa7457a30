"""Serves the status page from a thread of the manager."""

import logging
import socket
import threading

from werkzeug.serving import WSGIRequestHandler, make_server

from . import AddressError
from .app import make_app

LOOPBACK = "127.0.0.1"


class StatusServer:
    """Takes ``[HOST:]PORT`` at once, raises `AddressError` if it cannot, and answers from `show` to `close`."""

    def __init__(self, address):
        self._host, port = parse_address(address)
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            self._socket = socket.create_server((self._host, port), family=family)
        except OSError as e:
            raise AddressError(f"cannot show the status page on --http {address}: {e.strerror}") from e
        self._server = None

    @property
    def url(self):
        host = socket.gethostname() if self._host in ("0.0.0.0", "::") else self._host
        return f"http://{f'[{host}]' if ':' in host else host}:{self._socket.getsockname()[1]}/"

    def show(self, manager):
        port, app = self._socket.getsockname()[1], make_app(manager, self._host)
        self._server = make_server(
            self._host, port, app, threaded=True, request_handler=_Handler, fd=self._socket.fileno()
        )
        serve = threading.Thread(target=self._server.serve_forever, args=(0.2,), name="status page", daemon=True)
        serve.start()
        logging.info("Status page: %s", self.url)

    def close(self):
        if self._server is not None:
            self._server.shutdown()
        self._socket.close()


def parse_address(text):
    """``8000``, ``0.0.0.0:8000`` or ``[::1]:8000`` -> (host, port); without a host this machine only."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise AddressError(f"--http {text!r} should be a port, 0 to 65535, or HOST:PORT")
    return host.removeprefix("[").removesuffix("]") or LOOPBACK, int(port)


class _Handler(WSGIRequestHandler):
    timeout = 30  # seconds a silent client may keep its thread

    def log(self, *_args):
        """The manager's output is for the run."""
