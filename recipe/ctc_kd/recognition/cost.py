"""What a student's folder costs to run: its size, and the time and memory that recognition takes.

    OMP_NUM_THREADS=1 python -m ctc_kd.recognition.cost FOLDER RECORDING ...

prints the :class:`Cost` as JSON. Peak memory is that of a process, so each number of threads has a process of its own.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ctc_kd.files import read_json
from ctc_kd.frames import SAMPLE_RATE_HZ
from ctc_kd.machine import processor
from ctc_kd.recognition import folder
from ctc_kd.recognition.recogniser import Recogniser
from ctc_kd.training.build import MODELS

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

ROUNDS = 3
"""How often the recordings are recognised; the fastest time counts."""

NOISE_S = 10
"""Seconds of noise that a model hears alone."""


@dataclass(frozen=True)
class Run:
    """Recognition of some recordings, one after the other, by a process of its own.

    On one thread time is the processor's, so that other programs do not count; on several it is that of the clock.

    Attributes:
        threads: of the acoustic model; the search has one
        model_rtf: seconds of the acoustic model for a second of audio, features included
        rtf: the same of everything: reading the file, acoustic model and search
        peak_mib: the most memory that the process had
        libraries_mib: what Python and the libraries of the model had of it before the folder was read
        waited: share of the time in which the process waited for a core that other programs had
    """

    threads: int
    model_rtf: float
    rtf: float
    peak_mib: float
    libraries_mib: float
    waited: float


@dataclass(frozen=True)
class Cost:
    """
    Attributes:
        parameters: of the model
        megabytes: its weights as exported
        recordings: how many were recognised
        audio_s: their length, in seconds
        runs: of each number of threads, one
        processor: its name
        versions: of what it ran with: program -> version
    """

    parameters: int
    megabytes: float
    recordings: int
    audio_s: float
    runs: tuple[Run, ...]
    processor: str
    versions: dict[str, str]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Cost:
        """What became of ``dataclasses.asdict`` and JSON."""
        return cls(**{**data, "runs": tuple(Run(**run) for run in data["runs"])})


def costs(paths: Mapping[str, str], recordings: Sequence[str], *, threads: Sequence[int]) -> dict[str, Cost]:
    """Starts one process after the other, in rounds where the models take turns, so that a slow moment hits no model
    alone.

    :param paths: name -> folder of a student
    :param recordings: audio files
    :param threads: how many a process has, one number or more
    :return: name -> cost, of each number of threads the fastest round
    :raises subprocess.CalledProcessError: a process failed; its error is on standard error
    """
    turns = [(name, number) for number in threads for name in paths] * ROUNDS
    runs: dict[str, dict[int, Run]] = {name: {} for name in paths}
    found = {}
    for name, number in turns:
        found[name] = _cost_of_a_process(paths[name], recordings, number)
        run, best = found[name].runs[0], runs[name].get(number)
        if best is None or run.rtf < best.rtf:
            runs[name][number] = run
    return {name: replace(cost, runs=tuple(runs[name].values())) for name, cost in found.items()}


def _cost_of_a_process(path: str, recordings: Sequence[str], threads: int) -> Cost:
    number = {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **number}
    command = [sys.executable, "-m", __name__, path, *recordings]
    return Cost.from_json(json.loads(subprocess.check_output(command, env=environment)))


class TimedRecogniser(Recogniser):
    """Adds up the seconds of its acoustic model.

    :param clock: what time it is, in seconds
    """

    def __init__(self, student: folder.Student, clock: Callable[[], float]):
        super().__init__(student)
        self.clock = clock
        self.model_s = 0.0

    def log_posteriors(self, samples: np.ndarray) -> np.ndarray:
        start = self.clock()
        found = super().log_posteriors(samples)
        self.model_s += self.clock() - start
        return found

    def seconds(self, recording: str) -> tuple[float, float]:
        """What the acoustic model takes, and everything."""
        self.model_s, start = 0.0, self.clock()
        for _ in self.transcribe_file(recording):
            pass
        return self.model_s, self.clock() - start


def cost_of_this_process(path: str, recordings: Sequence[str]) -> Cost:
    """A single run, on as many threads as torch has.

    :param path: folder of a student
    :param recordings: audio files
    :raises FileNotFoundError: there is no such folder, or a file is missing
    :raises ValueError: the folder is damaged, or a recording is no audio
    """
    import numpy as np
    import soundfile
    import torch

    literal = read_json(os.path.join(path, folder.CONFIG))["model"]
    import_module(MODELS[literal["class"]].module)
    libraries_mib, threads = peak_mib(), torch.get_num_threads()
    clock = time.process_time if threads == 1 else time.perf_counter
    recogniser = TimedRecogniser(folder.read(path), clock)
    recogniser.seconds(recordings[0])  # the first call of everything takes longer
    start, waited = time.perf_counter(), waited_s()
    seconds = np.array([recogniser.seconds(recording) for recording in recordings])
    waited = (waited_s() - waited) / (time.perf_counter() - start)
    audio_s = sum(soundfile.info(recording).duration for recording in recordings)
    model_rtf, rtf = (seconds.sum(axis=0) / audio_s).tolist()
    run = Run(threads, model_rtf, rtf, peak_mib(), libraries_mib, waited)
    return Cost(
        parameters=sum(parameter.numel() for parameter in recogniser.student.model.parameters()),
        megabytes=os.path.getsize(os.path.join(path, folder.WEIGHTS)) / 1e6,
        recordings=len(recordings),
        audio_s=audio_s,
        runs=(run,),
        processor=processor(),
        versions={"Python": platform.python_version(), "torch": torch.__version__},
    )


def model_rtf(model: nn.Module) -> float:
    """Processor time of an acoustic model on one thread, in seconds for a second of audio; the best of ``ROUNDS``.

    :param model: in eval mode: 16 kHz samples ``[1, N]``, their number ``[1]`` -> what it says
    """
    import torch

    samples, threads, found = torch.randn(1, NOISE_S * SAMPLE_RATE_HZ), torch.get_num_threads(), []
    torch.set_num_threads(1)
    with torch.inference_mode():
        for _ in range(ROUNDS):
            start = time.process_time()
            model(samples, torch.tensor([samples.shape[1]]))
            found.append(time.process_time() - start)
    torch.set_num_threads(threads)
    return min(found) / NOISE_S


def peak_mib() -> float:
    """The most memory that this process had until now. What ``getrusage`` says may be that of its parent."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:")) / 1024


def waited_s() -> float:
    """For how long the main thread was ready, but had no core."""
    with open("/proc/self/schedstat", encoding="ascii") as file:
        return int(file.read().split()[1]) / 1e9


def main():
    out = sys.stdout
    with redirect_stdout(sys.stderr):  # for what decoders print
        found = cost_of_this_process(sys.argv[1], sys.argv[2:])
    json.dump(asdict(found), out)


if __name__ == "__main__":
    main()
