"""Serves the status page from threads of the manager, which must not suffer, whoever connects and whatever is sent."""

import contextlib
import io
import logging
import math
import socket
import threading
import time

from werkzeug.exceptions import ServiceUnavailable
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from . import AddressError
from .app import make_app

LOOPBACK = "127.0.0.1"
CONNECTIONS = 32  # at once, and no more threads
REQUEST_TIME = 10  # seconds from the connection to the end of the request
ANSWER_TIME = 300  # seconds from there until the answer has been taken
REQUEST_SIZE = 100_000  # bytes of a request that are read
PAUSE = 0.05  # seconds between connections while there are too many


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
        port, app = self._socket.getsockname()[1], one_at_a_time(make_app(manager, self._host))
        self._server = _Server(self._host, port, app, _Handler, fd=self._socket.fileno())
        threading.Thread(target=self._serve, name="status page", daemon=True).start()
        logging.info("Status page: %s", self.url)

    def _serve(self):
        try:
            self._server.serve_forever(0.2)
        except Exception:
            logging.exception("the status page has ended, the run goes on")

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


def one_at_a_time(app):
    """The WSGI application ``app`` that makes one page after the other, so most of the interpreter is the manager's."""
    turn = threading.Lock()

    def answer(environ, start_response):
        if not turn.acquire(timeout=REQUEST_TIME):
            return ServiceUnavailable()(environ, start_response)
        try:
            return app(environ, start_response)
        finally:
            turn.release()

    return answer


class _Server(ThreadedWSGIServer):
    """Ends connections that take too long. Where there are too many, it ends the one that came first, and rather one
    that keeps its request back than one that is answered."""

    def __init__(self, *args, **options):
        self._open = {}  # connection -> (whether its request has come, when that or the connection came)
        self._lock = threading.Lock()
        super().__init__(*args, **options)

    def get_request(self):
        try:
            return super().get_request()
        except OSError:  # no file can be opened: `serve_forever` would try again at once
            time.sleep(PAUSE)
            raise

    def process_request(self, request, client_address):
        while len(self._open) >= CONNECTIONS:
            with self._lock:
                for oldest in sorted(self._open, key=self._open.get)[:1]:
                    self._end(oldest)
            time.sleep(PAUSE)  # its thread notices; nobody gets more of the manager's time by connecting faster
        with self._lock:
            self._open[request] = False, time.monotonic()
        super().process_request(request, client_address)

    def has_come(self, request):
        """The request of a connection is there."""
        with self._lock:
            if request in self._open:
                self._open[request] = True, time.monotonic()

    def service_actions(self):
        now = time.monotonic()
        with self._lock:
            for request, (has_come, since) in list(self._open.items()):
                if now - since > (ANSWER_TIME if has_come else REQUEST_TIME):
                    self._end(request)

    def _end(self, request):
        """What waits for the connection in its thread fails now, and the thread closes it."""
        self._open[request] = True, math.inf
        with contextlib.suppress(OSError):  # the other side has just ended it
            request.shutdown(socket.SHUT_RDWR)

    def shutdown_request(self, request):
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        logging.debug("the status page could not answer %s", client_address, exc_info=True)


class _Handler(WSGIRequestHandler):
    timeout = 30  # seconds without a byte

    def setup(self):
        super().setup()
        self.rfile = io.BufferedReader(_FirstBytes(self.connection))

    def parse_request(self):
        complete = super().parse_request()
        self.server.has_come(self.connection)
        return complete

    def log(self, *_args):
        """The manager's output is for the run."""


class _FirstBytes(io.RawIOBase):
    """A connection as a file that ends after ``REQUEST_SIZE`` bytes."""

    def __init__(self, connection):
        self._connection = connection
        self._left = REQUEST_SIZE

    def readable(self):
        return True

    def readinto(self, buffer):
        count = self._connection.recv_into(memoryview(buffer)[: self._left])
        self._left -= count
        return count
