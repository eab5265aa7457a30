"""``RETRY_RULES`` of the settings: a task whose log ends in a known error is run again, up to a number of times.

The logs of failed tries, ``log.<task>.<id>.error.NN``, record what happened so far, so it survives a restart.
"""

import fnmatch
import logging
import os
import re

from .. import global_settings as gs
from ..base import layout
from ..base.layout import earlier_logs
from ..base.refusal import ConfigError
from ..base.role import running_in_manager
from ..base.words import tail

LINES = 100  # at the end of a log that are searched
_DEFAULTS = {"pattern": None, "times": 1, "job": "*", "multiply": {}, "exclude_node": False}
_HOST = r"Uname: (?:uname_result\(.*?node='|\S+ )([^\s']+)"  # of upstream's worker, and of ours
_decided = {}  # error file -> time of it, for failures that no rule helps


def rules():
    """The rules, complete and checked. Raises `ConfigError`."""
    return [_checked(rule, f"RETRY_RULES[{i}] of the settings") for i, rule in enumerate(gs.RETRY_RULES)]


def _checked(given, name):
    if not isinstance(given, dict) or "pattern" not in given or set(given) - set(_DEFAULTS):
        raise ConfigError(f"{name} should be a dict with 'pattern' and some of {sorted(_DEFAULTS)}, not {given!r}")
    rule = {**_DEFAULTS, **given}
    try:
        re.compile(rule["pattern"])
    except (re.error, TypeError) as e:
        raise ConfigError(f"{name}: the pattern {rule['pattern']!r} is no regular expression ({e})") from None
    if not isinstance(rule["times"], int) or rule["times"] < 1:
        raise ConfigError(f"{name}: times should be a whole number above 0, not {rule['times']!r}")
    if not all(isinstance(factor, (int, float)) and factor > 1 for factor in rule["multiply"].values()):
        raise ConfigError(f"{name}: multiply should be like {{'mem': 2}}, factors above 1, not {rule['multiply']!r}")
    return rule


def is_wanted(task, task_id, log, error_file):
    """Whether a rule says that the failed id runs again; only the manager decides that."""
    if not gs.RETRY_RULES or not running_in_manager():
        return False
    failed = os.stat(error_file).st_mtime_ns
    if _decided.get(error_file) == failed:
        return False
    for rule in rules():
        line = _matching_line(rule, task, log)
        used = sum(_matching_line(rule, task, earlier) is not None for earlier in earlier_logs(log)) if line else 0
        if line and used < rule["times"]:
            name = f"{task.job._sis_id()} task {task.name()} {task_id}"
            logging.warning("again: %s, retry %i of %i, because of: %s", name, used + 1, rule["times"], line)
            return True
    _decided[error_file] = failed
    return False


def _matching_line(rule, task, log):
    """The last line in the end of ``log`` that the rule is about, else None."""
    if not fnmatch.fnmatchcase(task.job._sis_id(), f"*{rule['job']}*"):
        return None
    text = "\n".join(tail(log, LINES))
    found = [match.start() for match in re.finditer(rule["pattern"], text, re.M)]
    return text[text.rfind("\n", 0, found[-1]) + 1 :].partition("\n")[0] if found else None


def raised(rqmt, recipe, task, task_id):
    """``rqmt`` of the next submission, raised from the requirements of the ``recipe`` as the rules say after failures.

    Hosts to avoid go into ``exclude_nodes``, for engines that have several.
    """
    log = task.path(layout.LOG, task_id)
    if not gs.RETRY_RULES or not (earlier := earlier_logs(log)):
        return rqmt
    rqmt, factors, hosts = dict(rqmt), {}, set()
    for name in earlier:
        rule = next((rule for rule in rules() if _matching_line(rule, task, name) is not None), None)
        for key, factor in rule["multiply"].items() if rule else ():
            factors[key] = factors.get(key, 1) * factor
        if rule and rule["exclude_node"]:
            hosts.update(_host(name))
    for key, factor in factors.items():
        if key in recipe:
            rqmt[key] = max(rqmt.get(key, 0), recipe[key] * factor)
    return {**rqmt, "exclude_nodes": sorted(hosts)} if hosts else rqmt


def _host(log):
    """The host of a try, from its log, as a tuple of one; empty if the log does not name it."""
    with open(log, encoding="utf-8", errors="replace") as f:
        *_, match = None, *filter(None, (re.match(_HOST, line) for line in f))  # a resumed task goes on with its log
    return (match[1].partition(".")[0],) if match else ()  # schedulers know nodes without their domain
