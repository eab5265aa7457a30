"""Commands of Slurm that say what a test wants them to say."""

import os
from pathlib import Path

SEPARATOR = "\x1f"
SCRIPT = """\
#!/bin/bash
name={name}; folder={folder}
printf '%s\\x1f' "$@" >> "$folder/$name.calls"; echo >> "$folder/$name.calls"
[ -e "$folder/$name.hangs" ] && exec sleep 60
if [ -e "$folder/$name.error" ]; then cat "$folder/$name.error" >&2; exit 1; fi
if [ $name = sbatch ]; then echo $(($(cat "$folder/sbatch.calls" | wc -l) + 100)); exit; fi
[ -e "$folder/$name.says" ] && cat "$folder/$name.says"
exit 0
"""


class FakeSlurm:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.bin = self.folder / "bin"
        self.bin.mkdir(parents=True)
        for name in ("sbatch", "squeue", "sacct", "scontrol"):
            script = self.bin / name
            script.write_text(SCRIPT.format(name=name, folder=folder))
            script.chmod(0o755)
        self.says("squeue", "")

    def says(self, command, text):
        (self.folder / f"{command}.says").write_text(text)

    def fails(self, command, text):
        (self.folder / f"{command}.error").write_text(text)

    def hangs(self, command):
        (self.folder / f"{command}.hangs").touch()

    def works(self, command):
        for how in ("error", "hangs"):
            (self.folder / f"{command}.{how}").unlink(missing_ok=True)

    def queue(self, *jobs, where=None):
        """``jobs``: (job, index, state, name) and, if need be, reason, raw wait status, comment."""
        lines = []
        for job, index, state, name, *rest in jobs:
            reason, status, comment = [*rest, *("None", 0, "(null)")[len(rest) :]]
            fields = (job, index, state, reason, status, "node7", comment, where or os.getcwd(), name)
            lines.append("".join(f"{field}{SEPARATOR}" for field in fields) + "\n")
        self.says("squeue", "".join(lines))

    def calls(self, command="sbatch"):
        """Arguments of each call so far."""
        file = self.folder / f"{command}.calls"
        text = file.read_text() if file.exists() else ""
        return [line.split(SEPARATOR)[:-1] for line in text.splitlines()]
