"""Links from the alias folder to the folders of jobs. The manager itself is `run.manager`."""

import logging
import os

from . import global_settings as gs
from .graph import make_folder_of


def create_aliases(jobs):
    """Make ``alias/<alias>`` a link to the job's folder, for all aliases of ``jobs``; what cannot be made is logged."""
    for link, job in alias_links(jobs):
        link_alias(link, job)


def alias_links(jobs):
    """Yields ``(absolute name of the link, job)``."""
    return ((os.path.join(gs.BASE_DIR, name), job) for job in jobs for name in alias_names(job))


def alias_names(job):
    """The names of the links to a job's folder, relative to the setup folder."""
    aliases, prefixes = sorted(job.get_aliases()), sorted(job._sis_alias_prefixes)
    return [os.path.join(gs.ALIAS_DIR, prefix, alias) for alias in aliases for prefix in prefixes]


def link_alias(link, job):
    target = os.path.realpath(job._sis_path(abspath=True))
    try:
        if os.path.islink(link):
            if os.readlink(link) == target:
                return
            os.unlink(link)
        make_folder_of(link, gs.ALIAS_DIR)
        os.symlink(target, link)
    except OSError as e:
        logging.warning("cannot make the alias %s: %s", link, e)
