"""The first page: how many jobs are in which state, and the jobs that matter most."""

import collections
import heapq
import time

from ..reading.failure import failure
from ..reading.folder import JobFolder
from ..reading.usage import run_time
from ..run.graph_states import FAILED
from .snapshot import GROUPS, group_of

GROUP_ROWS = 30  # of each state, where all states are shown
PAGE_ROWS = 200  # where one state is shown
TARGET_ROWS = 100


def overview(snapshot, text="", only=None, page=1):
    """Everything the template shows. ``text``: words that a job's id, alias or name must have; ``only``: one group."""
    found = collections.defaultdict(list)
    total = collections.Counter()
    kinds = collections.defaultdict(collections.Counter)
    words = text.lower().split()
    for job, state in snapshot.states.items():
        group = group_of(state)
        total[group] += 1
        kinds[_kind(job)][group] += 1
        if is_called(job, words):
            found[group].append(job)
    names = [only] if only else [name for name in GROUPS if found[name]]
    pages = max(1, -(-len(found[only]) // PAGE_ROWS)) if only else 1
    page = min(max(page, 1), pages)
    return {
        "total": total,
        "kinds": sorted(kinds.items()),
        "groups": [(name, len(found[name]), _rows(snapshot, found[name], only, page)) for name in names],
        "page": page,
        "pages": pages,
        **_targets(snapshot, words),
    }


def _kind(job):
    return job._sis_id().rpartition(".")[0]


def is_called(job, words):
    """Whether all the ``words`` (small letters) are in the job's id, aliases or name."""
    names = "\n".join((job._sis_id(), *job.get_aliases(), job.get_vis_name() or "")).lower()
    return all(word in names for word in words)


def _rows(snapshot, jobs, only, page):
    count = page * PAGE_ROWS if only else GROUP_ROWS
    first = heapq.nsmallest(count, jobs, key=lambda job: job._sis_id())
    return [_row(snapshot, job) for job in first[(page - 1) * PAGE_ROWS :]]


def _row(snapshot, job):
    state = snapshot.states[job]
    row = {"job": job, "state": state, "alias": job.get_one_alias() or job.get_vis_name()}
    if state in FAILED:
        row["text"] = failure(job, snapshot.states[job], refused=snapshot.refused.get(job))[0]
    elif group_of(state) == "running":
        row["fraction"], row["text"] = progress(job)
        row["seconds"] = run_time(JobFolder(job._sis_path(abspath=True)), time.time())
    return row


def progress(job):
    """``(done 0..1 or None, what the job says of itself)``; the recipe's code may do anything."""
    try:
        fraction, info = job.completed_fraction(), job.info()
        return None if fraction is None else min(max(float(fraction), 0.0), 1.0), "" if info is None else str(info)
    except Exception as e:
        return None, f"info() or completed_fraction() failed: {e!r}"


def _targets(snapshot, words):
    matching = [t for t in snapshot.targets if all(word in t.name.lower() for word in words)]
    matching.sort(key=lambda t: (t.is_done(), t.name))
    rows = []
    for target in matching[:TARGET_ROWS]:
        creators = {p.creator for p in target.required_full_list if hasattr(p.creator, "_sis_id")}
        rows.append((target, sorted(creators)[:3]))
    done = sum(target.is_done() for target in snapshot.targets)
    return {"targets": rows, "targets_found": len(matching), "targets_done": done, "targets_all": len(snapshot.targets)}
