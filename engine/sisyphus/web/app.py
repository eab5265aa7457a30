"""Addresses of the status page. They only read, and they check file names against those of the job."""

import contextlib
import ipaddress
import logging
import socket
import time

from flask import Flask, Response, abort, render_template, request
from werkzeug.exceptions import HTTPException

from .. import global_settings as gs
from ..base.layout import log_file
from ..base.words import duration, in_bytes, printable
from ..reading.folder import JobFolder, is_text, open_output
from ..reading.usage import request_as_text
from .chain import HEIGHT, NODES, WIDTH, chain
from .details import details
from .gantt import gantt
from .overview import PAGE_ROWS, overview
from .snapshot import GROUPS, Snapshot
from .timeline import Timeline

REFRESH = 3  # seconds between two looks of the browser
REFRESH_FINISHED = 30  # of a job that hardly changes any more
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def make_app(manager, host="127.0.0.1"):
    """The Flask application; ``host``: where it listens, also a name by which browsers may call this machine."""
    app = Flask(__name__)
    names = {"localhost", host, socket.gethostname(), socket.getfqdn()}
    app.jinja_env.filters.update(
        size=in_bytes, duration=duration, rqmt=request_as_text, clock=_clock, name=lambda path: path.rpartition("/")[2]
    )
    app.jinja_env.globals.update(setup=gs.BASE_DIR, machine=socket.gethostname(), now=time.time)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    @app.before_request
    def _refuse_foreign_names():
        """A page of another site whose name was made to point here (DNS rebinding) must not read this one."""
        if not _is_own(request.host, names):
            own = "localhost, the machine's name, or an address that --http was given"
            abort(403, f"unknown host name {request.host}: call this page by {own}")

    @app.after_request
    def _add_headers(response):
        response.headers.update(HEADERS)
        return response

    @app.errorhandler(Exception)
    def _error(e):
        if not isinstance(e, HTTPException):  # of the recipe, the file system, or the graph that changes meanwhile
            logging.debug("the status page failed", exc_info=e)
            return _page("error.html", title="No page", text=f"{type(e).__name__}: {e}"), 500
        return _page("error.html", title=e.name, text=e.description), e.code

    _add_pages(app, manager)
    _add_files(app, manager)
    return app


def _page(template, refresh=REFRESH, **values):
    return printable(render_template(template, refresh=refresh, **values))


def _job(snapshot, job_id):
    job = snapshot.job(job_id)
    if job is None:
        abort(404, f"this run has no job {job_id}")
    return job


def _add_pages(app, manager):
    @app.get("/")
    def index():
        snapshot = Snapshot(manager)
        text, only = request.args.get("q", ""), request.args.get("state")
        page = request.args.get("page", 1, type=int)
        if only is not None and only not in GROUPS:
            abort(404, f"there is no state {only}, only {', '.join(GROUPS)}")
        content = overview(snapshot, text, only, page)
        configs = manager.configs.loaded
        return _page("overview.html", q=text, only=only, per_page=PAGE_ROWS, configs=configs, **content)

    @app.get("/job/<path:job_id>")
    def job_page(job_id):
        snapshot = Snapshot(manager)
        job = _job(snapshot, job_id)
        content = details(snapshot, job, request.args.get("log"))
        refresh = REFRESH_FINISHED if snapshot.group(job) == "finished" else REFRESH
        return _page("job.html", refresh, view=snapshot, **content)

    timeline = Timeline()

    @app.get("/timeline")
    def timeline_page():
        text = request.args.get("q", "")
        worked, left, hidden = timeline.worked(Snapshot(manager), text)
        refresh = REFRESH if left else REFRESH_FINISHED
        picture = gantt(worked) if worked else None
        return _page("timeline.html", refresh, q=text, left=left, hidden=hidden, picture=picture)

    @app.get("/chain/<path:job_id>")
    def chain_page(job_id):
        snapshot = Snapshot(manager)
        job = _job(snapshot, job_id)
        sizes = {"box_width": WIDTH, "box_height": HEIGHT, "nodes": NODES}
        return _page("chain.html", view=snapshot, job=job, **sizes, **chain(snapshot, job))


def _add_files(app, manager):
    @app.get("/log/<path:job_id>")
    def log(job_id):
        job, name = _job(Snapshot(manager), job_id), request.args.get("name", "")
        folder = JobFolder(job._sis_path(abspath=True))
        if name not in folder.entries or not (log_file(name) or name.startswith("engine/")):
            abort(404, f"{job_id} has no log {name}")
        return Response(_parts(folder.open(name)), mimetype="text/plain")

    @app.get("/output/<path:job_id>")
    def output(job_id):
        name = request.args.get("name", "")
        try:
            file = open_output(_job(Snapshot(manager), job_id), name)
        except OSError:
            abort(404, f"{job_id} has no output {name}")
        if not is_text(file.peek(2000)[:2000]):
            file.close()
            abort(415, f"{name} of {job_id} is no text")
        return Response(_parts(file), mimetype="text/plain")


def _parts(opened):
    with opened as file:
        while part := file.read(1 << 16):
            yield part


def _is_own(host, names):
    """Whether the Host of a request is one of ``names`` or a loopback address.

    Some of ``names`` may be addresses; that of all interfaces stands for every address.
    """
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    name = name.removeprefix("[").removesuffix("]").lower()
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name in {n.lower() for n in names}
    return address.is_loopback or any(address == own or own.is_unspecified for own in _addresses(names))


def _addresses(names):
    for name in names:
        with contextlib.suppress(ValueError):
            yield ipaddress.ip_address(name)


def _clock(when):
    """Time of today, else with its date."""
    then = time.localtime(when)
    return time.strftime("%H:%M:%S" if then[:3] == time.localtime()[:3] else "%d %b %H:%M", then)
