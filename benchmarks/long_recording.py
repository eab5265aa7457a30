"""Measures what a long recording costs that is converted to 16 kHz mono and cut at pauses: memory must be bounded.

    OMP_NUM_THREADS=1 python benchmarks/long_recording.py [--hours 2] [--rate 44100] [--channels 2]

The recording is noise in bursts. Time and memory do not depend on whether the detector takes it for speech.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time

import numpy as np
import silero_vad  # noqa: F401  so that it counts as a library
import soundfile
import torchaudio.functional  # noqa: F401

from ctc_kd.corpus.audio import AudioInfo
from ctc_kd.corpus.convert import convert
from ctc_kd.corpus.cuts import whole_recording_cut
from ctc_kd.corpus.pauses import speech_spans
from ctc_kd.frames import SAMPLE_RATE_HZ


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def write_recording(path: str, info: AudioInfo):
    rng = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", info.sample_rate_hz, info.channels, subtype="PCM_16") as file:
        while file.frames < info.num_samples:
            second = 0.1 * rng.random() * rng.standard_normal((info.sample_rate_hz, info.channels))
            file.write(second[: info.num_samples - file.frames])


def measured(what: str, work):
    start = time.process_time()
    result = work()
    print(f"{what}: {time.process_time() - start:.1f} s of processor time, peak {peak_mib():.0f} MiB", flush=True)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--rate", type=int, default=44100)
    parser.add_argument("--channels", type=int, default=2)
    options = parser.parse_args()
    info = AudioInfo(round(options.hours * 3600) * options.rate, options.rate, options.channels)
    with tempfile.TemporaryDirectory() as folder:
        source, mono = os.path.join(folder, "talk.wav"), os.path.join(folder, "talk.flac")
        write_recording(source, info)
        print(f"{options.hours:g} hours, {info.fault or '16 kHz mono'}; the libraries take {peak_mib():.0f} MiB")
        length = measured("conversion", lambda: convert((source, tuple(range(options.channels))), mono))
        cut = whole_recording_cut("talk", audio=mono, num_samples=length, sample_rate_hz=SAMPLE_RATE_HZ, speaker="talk")
        spans = measured("cutting at pauses", lambda: speech_spans(cut, max_seconds=30.0))
    print(f"{len(spans)} pieces")


if __name__ == "__main__":
    main()
