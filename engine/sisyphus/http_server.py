"""Values as HTML. The status page itself is in `web`."""

import html

from .job_path import AbstractPath


def object_to_html(obj):
    """HTML of a parameter, for a recipe's ``html()`` method: tables for collections, links to jobs, else its text."""
    if isinstance(obj, dict):
        return _table(sorted((object_to_html(key), object_to_html(value)) for key, value in obj.items()))
    if isinstance(obj, (list, tuple, set, frozenset)):
        cells = [object_to_html(value) for value in obj]
        return _table((cell,) for cell in (cells if isinstance(obj, (list, tuple)) else sorted(cells)))
    if isinstance(obj, AbstractPath):
        path = html.escape(obj.path)
        return f"{path} : {object_to_html(obj.creator)}" if obj.creator else path
    if hasattr(obj, "_sis_id"):
        job_id = html.escape(obj._sis_id())
        return f'<a href="/job/{job_id}">{job_id}</a>'
    if callable(getattr(obj, "html", None)):
        return obj.html()
    return html.escape(repr(obj) if isinstance(obj, str) else str(obj)).replace("\n", "<br/>")


def _table(rows):
    cells = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"
