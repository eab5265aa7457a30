"""The job ids of the paper's experiments do not change by accident."""

import difflib
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SHOWN = 20
REMEDY = """
{number} lines of tests/experiments/golden_ids.txt differ. A job whose id changes, and everything behind it, is computed
again by everybody who has it: days of a GPU for each training.

Not meant? Put a new parameter of a job into its __sis_hash_exclude__ with the value that stands for the old behaviour,
keep what has no influence on the result out of hash(), and keep the names of the module and the class.
Meant? Say so in the commit message, and:
    python tests/experiments/golden_ids.py > tests/experiments/golden_ids.txt

{changes}"""


def printed_ids():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, HERE / "golden_ids.py"]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def test_ids_are_those_that_have_landed():
    landed, now = (HERE / "golden_ids.txt").read_text().splitlines(), printed_ids().splitlines()
    changes = [line for line in difflib.ndiff(landed, now) if line[0] in "+-"]
    more = [f"and {len(changes) - SHOWN} more"] if len(changes) > SHOWN else []
    assert not changes, REMEDY.format(number=len(changes), changes="\n".join([*changes[:SHOWN], *more]))


def test_every_row_of_both_corpora_has_its_ids_in_the_file():
    lines = [line.rsplit(" ", 1)[0] for line in (HERE / "golden_ids.txt").read_text().splitlines()]
    assert len(lines) == len(set(lines)) == 2 + 2 * (1 + 2 * 47)
    for name in ("tedlium2/teacher training", "tedlium2/symmetric-n5-l0.25 record", "librispeech-other teacher logits"):
        assert name in lines
