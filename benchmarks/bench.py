"""Runs benchmarks one after the other, and writes what they print, with machine and versions: `output/bench.md`.

    make bench                                             # all, at a size for two cores: less than 15 minutes
    python benchmarks/bench.py [--smallest] [--only kd_loss.py] [--demo FOLDER] [--whisper WEIGHTS]
    benchmarks/gpu.sh [--device cpu]                       # those of a GPU: `output/bench_gpu.md`

One that has no rival here, or that needs the demo's work folder (``--demo``: the folder with its ``work/``), is listed
as not run, and the others go on. docs/performance.md has the figures of larger sizes and of quiet machines; a person
compares them. ``--smallest`` only tries whether every script starts and ends. The exit status is 1 if one fails.
"""

from __future__ import annotations

import argparse
import glob
import importlib.util
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
PACKAGES = ("torch", "numpy", "returnn", "h5py", "flashlight-text", "onnxruntime", "i6-models", "faster-whisper")


class Bench(NamedTuple):
    """
    :param script: file in this folder
    :param arguments: for ``--smallest`` and otherwise; ``{name}`` is filled in, see :func:`places`
    :param limit_s: when it is killed
    :param rival: module that it cannot do without
    """

    script: str
    smallest: str
    arguments: str
    limit_s: float = 120
    rival: str | None = None


CPU = (
    Bench(
        "student_step.py",
        "--threads 1 --batch 1 --seconds 1 --repetitions 1",
        "--threads 1 --batch 2 --seconds 8 --repetitions 3",
        rival="i6_models",
    ),
    Bench("kd_loss.py", "--repetitions 1", "--repetitions 4"),
    Bench(
        "training_speed.py",
        "--batch-seconds 16 --hours 0.002 --repetitions 1 --cpus 1",
        "--batch-seconds 60 --hours 0.01 --repetitions 2",
    ),
    Bench("resumed_training.py", "--hours 0.003 --batch-seconds 16 --cpus 1", "--hours 0.005"),
    Bench(
        "grid_cost.py",
        "--threads 1 --batch 1 --seconds 1 --repetitions 1",
        "--threads 1 --batch 2 --seconds 5 --repetitions 2",
    ),
    Bench("scale_tuning.py", "--seconds 1 --beam 64", "--seconds 3", limit_s=240),
    Bench("search_memory.py", "--words 100 --seconds 1 --beam 64 --workers 2", ""),
    Bench("two_heads.py", "--steps 1", "--steps 8"),
    Bench("padding.py", "--utterances 100", ""),
    Bench("compiled_shapes.py", "--utterances 2 --repetitions 1", "--utterances 60 --repetitions 1"),
    Bench("data_preparation.py", "--hours 0.002 --utterances 100", "--hours 0.1 --utterances 10000"),
    Bench("scale.py", "", ""),
    Bench("many_utterances.py", "--utterances 2000", "--utterances 50000"),
    Bench("long_recording.py", "--hours 0.02", "--hours 0.5"),
    Bench("transcribe.py", "{student} {recordings} --minutes 0.2", "{student} {recordings} --minutes 5"),
    Bench(
        "exported_clients.py",
        "{student} {audio} --recordings 1",
        "{student} {audio} --recordings 20",
        rival="sherpa_onnx",
    ),
    Bench(
        "recognition.py",
        "{audio} {exported} {whisper} --recordings 1 --rounds 1",
        "{audio} {exported} {whisper} --recordings 8 --rounds 1",
    ),
    Bench(
        "engine.py",
        "--jobs 100 --parts looks --repeats 1",
        "--jobs 2000 --parts looks run --run 300 --run-upstream 20 --repeats 2",
    ),
    Bench(
        "engine_stress.py",
        "--parts kills --jobs 6 --kills 2 --seconds 0.1",
        "--jobs 24 --kills 10 --fan 200 --half-open 300 --repeats 1",
    ),
    Bench("rooms.py", "engine/sisyphus", "recipe/ctc_kd"),
)
GPU = (
    Bench(
        "student_step.py",
        "--device {device} --threads 1 --batch 1 --seconds 1 --repetitions 1",
        "--device {device} --bf16 --batch 32 --seconds 15 --repetitions 20",
        limit_s=80,
        rival="i6_models",
    ),
    Bench("kd_loss.py", "--device {device} --repetitions 1", "--device {device}", limit_s=60),
    Bench(
        "training_speed.py",
        "--device {device} --batch-seconds 16 --hours 0.002 --repetitions 1 --cpus 1",
        "--device {device} --batch-seconds 1200 --hours 20",
        limit_s=180,
    ),
    Bench(
        "resumed_training.py",
        "--device {device} --batch-seconds 16 --hours 0.003 --cpus 1",
        "--device {device} --batch-seconds 600 --hours 5",
        limit_s=150,
    ),
)
SUITES = {"cpu": CPU, "gpu": GPU}
NOT_HERE = {
    "kill_and_resume.py": "it runs the whole demo once more",
    "climb.py": "it is started where the demo has run, and takes a minute for each row",
    "blank_collapse.py": "it reads posteriors and scales that a person names",
    "pooling.py": "it reads a finished model that a person names",
}


class Result(NamedTuple):
    command: str
    state: str
    seconds: float
    text: str


def places(options: argparse.Namespace) -> dict[str, str]:
    """What stands for the names in braces; without the demo's files they are missing."""
    found = {"device": options.device}
    found["whisper"] = f"--whisper {shlex.quote(options.whisper)}" if options.whisper else ""
    corpora = glob.glob(
        f"{options.demo}/work/ctc_kd/corpus/synthetic/demo/SynthesiseDemoCorpusJob.*/output/corpus/test"
    )
    models = {}
    for folder in sorted(glob.glob(f"{options.demo}/work/ctc_kd/export/student/ExportStudentJob.*/output/student")):
        row = json.loads(Path(folder, "config.json").read_text())["facts"]["row"]
        models[row] = shlex.quote(folder)
    students = [folder for row, folder in models.items() if row != "teacher"]
    if corpora and students:
        recordings = sorted(glob.glob(f"{corpora[0]}/**/*.flac", recursive=True))[:3]
        found |= {
            "student": students[0],
            "exported": " ".join(models.values()),
            "audio": shlex.quote(corpora[0]),
            "recordings": shlex.join(recordings),
        }
    return found


def run(bench: Bench, known: dict[str, str], *, smallest: bool) -> Result:
    arguments = bench.smallest if smallest else bench.arguments
    shown = f"python benchmarks/{bench.script} {arguments}"
    if bench.rival and importlib.util.find_spec(bench.rival) is None:
        return Result(shown, f"not run: {bench.rival} is not installed, see the script", 0.0, "")
    try:
        shown = shown.format(**known)
    except KeyError as missing:
        return Result(shown, f"not run: no {missing} of a demo, see --demo", 0.0, "")
    begin = time.monotonic()
    state, text = output_of([sys.executable, *shlex.split(shown)[1:]], bench.limit_s * (20 if smallest else 1))
    return Result(shown, state, time.monotonic() - begin, text)


def output_of(command: list[str], limit_s: float) -> tuple[str, str]:
    """How a command ended, and what it printed: "ok", or a reason in words. It leads a group, all of which ends."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=HERE.parent,
        text=True,
        start_new_session=True,
    )
    try:
        text, errors = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        text, _ = process.communicate()
        return f"stopped after {limit_s:.0f} s", text
    if process.returncode:
        return f"failed with status {process.returncode}", f"{text}\n{errors[-2000:]}"
    return "ok", text


def machine() -> list[str]:
    import torch

    from ctc_kd.machine import cores, processor

    def installed(package):
        try:
            return f"{package} {version(package)}"
        except PackageNotFoundError:
            return f"{package} -"

    lines = [
        f"{cores()} cores of {processor()}, Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f} at start"
    ]
    if torch.cuda.is_available():
        lines.append(f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}")
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True)
    lines.append(f"{time.strftime('%Y-%m-%d')}, commit {commit.stdout.strip() or 'unknown'}")
    lines.append(", ".join(map(installed, PACKAGES)))
    return lines


def page(title: str, facts: list[str], results: list[Result]) -> str:
    """Markdown: machine, a row for each benchmark, then what each printed."""
    lines = [
        f"# {title}",
        "",
        *(f"- {fact}" for fact in facts),
        "",
        "| command | how it ended | seconds |",
        "| --- | --- | ---: |",
    ]
    lines += [f"| `{result.command}` | {result.state} | {result.seconds:.0f} |" for result in results]
    for result in results:
        if result.text.strip():
            lines += ["", f"## {shlex.split(result.command)[1]}", "", "```", result.text.strip(), "```"]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", nargs="?", choices=list(SUITES), default="cpu")
    parser.add_argument("--smallest", action="store_true")
    parser.add_argument("--only", nargs="+", metavar="SCRIPT")
    parser.add_argument("--device", help="of the suite gpu; without a GPU, cpu with the smallest sizes")
    parser.add_argument("--demo", default=".", help="folder in which the demo has run")
    parser.add_argument("--whisper", help="weights for faster-whisper, see recognition.py")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    options.demo = os.path.abspath(options.demo)  # the scripts run in the checkout
    if options.whisper and os.path.exists(options.whisper):
        options.whisper = os.path.abspath(options.whisper)
    options.device = options.device or ("cuda" if options.suite == "gpu" else "cpu")
    smallest = options.smallest or (options.suite == "gpu" and options.device == "cpu")
    output = options.output or HERE.parent / "output" / ("bench.md" if options.suite == "cpu" else "bench_gpu.md")
    facts, known, results = machine(), places(options), []
    for bench in SUITES[options.suite]:
        if options.only and bench.script not in options.only:
            continue
        results.append(run(bench, known, smallest=smallest))
        print(f"{results[-1].seconds:5.0f} s  {bench.script}: {results[-1].state}", flush=True)
    facts += [f"{script}: not in this suite, {why}" for script, why in NOT_HERE.items() if options.suite == "cpu"]
    title = f"Benchmarks, {options.device}" + (", smallest sizes: its figures mean nothing" if smallest else "")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(page(title, facts, results))
    print(f"written: {output}")
    sys.exit(any(result.state.startswith(("failed", "stopped")) for result in results))


if __name__ == "__main__":
    main()
