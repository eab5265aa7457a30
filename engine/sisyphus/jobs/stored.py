"""Loads jobs as they were stored when their folders were made, which is what a worker runs."""

import gzip
import os
import pickle

from .. import global_constants as gc
from .. import global_settings as gs


def load_job(path):
    """The job stored in the folder ``path`` (its ``job.save``, also inside the archive of a cleaned job)."""
    path = os.path.join(gs.BASE_DIR, path)
    if os.path.isfile(path):
        path = os.path.dirname(path)
    save = os.path.join(path, gc.JOB_SAVE)
    archive = os.path.join(path, gc.JOB_FINISHED_ARCHIVE)
    if not os.path.exists(save) and os.path.exists(archive):
        import tarfile

        with tarfile.open(archive) as tar:
            return pickle.loads(gzip.decompress(tar.extractfile(gc.JOB_SAVE).read()))
    with gzip.open(save, "rb") as f:
        return pickle.load(f)
