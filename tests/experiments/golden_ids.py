"""Prints the job ids of config/kd_blank.py: those of every row by name, all of them as digests.

python tests/experiments/golden_ids.py > tests/experiments/golden_ids.txt
"""

import hashlib
import os
import sys
from pathlib import Path

os.environ["SIS_GLOBAL_SETTINGS_FILE"] = ""
sys.path.insert(0, str(Path(__file__).parents[2]))

from config import kd_blank  # noqa: E402
from sisyphus.job import created_jobs  # noqa: E402

from ctc_kd.report.record import RecordJob  # noqa: E402

SHOWN = ("training", "teacher logits")


def jobs_of(experiment):
    created_jobs.clear()
    experiment()
    return dict(created_jobs)


def lines_of(jobs):
    """``<corpus>/<row> <kind> <id>``; the dump, which all rows of a corpus share, once."""
    for job in jobs.values():
        if isinstance(job, RecordJob):
            corpus, row = job.row["corpus"], job.row["row"]
            yield f"{corpus}/{row} record {job.job_id()}"
            for kind in SHOWN:
                if kind in job.job_ids:
                    yield f"{corpus}{'' if kind == 'teacher logits' else f'/{row}'} {kind} {job.job_ids[kind]}"


def main():
    for name in ("py", "paper"):
        jobs = jobs_of(getattr(kd_blank, name))
        digest = hashlib.sha256("\n".join(sorted(jobs)).encode()).hexdigest()
        print(f"config.kd_blank.{name} {len(jobs)} jobs sha256:{digest}")
        if name == "py":
            print(*sorted(set(lines_of(jobs))), sep="\n")


if __name__ == "__main__":
    main()
