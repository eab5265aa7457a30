"""Long recordings made of short utterances, with what lies between them in real ones; their transcripts stay known."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sisyphus import Job, Task, tk

from ctc_kd.corpus.cut_samples import samples_of
from ctc_kd.corpus.cuts import Cut, read_cuts, recording_of, segment_cut, whole_recording_cut, write_cuts
from ctc_kd.corpus.listed import id_of
from ctc_kd.corpus.transcripts import read_texts, write_transcripts
from ctc_kd.frames import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    import numpy as np

BETWEEN = {"pause": 12, "silence": 2, "music": 2, "murmur": 1}
"""What may lie between two utterances -> how often."""


NOISES = ("hiss", "music", "voice")


@dataclass(frozen=True)
class Noise:
    """What is heard together with speech: hiss, chords, or somebody else, who is in no transcript.

    :param share: of the utterances that it lies over
    :param snr_db: levels of the speech above it, from which each utterance's is drawn uniformly. Somebody else is never
        louder than the speaker: all models would write down what that voice says
    """

    share: float
    snr_db: tuple[float, float]

    def __post_init__(self):
        if not 0 <= self.share <= 1 or not self.snr_db[0] <= self.snr_db[1]:
            raise ValueError(f"{self}: expected a share from 0 to 1, and two levels, the lower one first")


class JoinUtterancesJob(Job):
    """Joins the utterances of each speaker to recordings of ``minutes`` or a little more; the last may be shorter.

    Between utterances lie pauses of up to 1.5 s, silence or chords of up to 15 s, or the murmured end of an utterance
    by somebody else, whose words are in no transcript.

    :param cuts: of 16 kHz mono
    :param transcripts: of the same utterances
    :param noise: over some of the utterances, which makes them hard to recognise; None leaves the recordings as
        clear as the utterances

    ``out_cuts``: the recordings. ``out_reference_cuts``, ``out_transcripts``: the utterances within them.
    """

    __sis_hash_exclude__ = {"noise": None}

    def __init__(
        self, *, cuts: tk.Path, transcripts: tk.Path, minutes: float, seed: int = 1, noise: Noise | None = None
    ):
        self.cuts = cuts
        self.transcripts = transcripts
        self.minutes = minutes
        self.seed = seed
        self.noise = noise
        self.out_audio = self.output_path("audio", directory=True)
        self.out_cuts = self.output_path("cuts.jsonl.gz")
        self.out_reference_cuts = self.output_path("reference_cuts.jsonl.gz")
        self.out_transcripts = self.output_path("transcripts.txt")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        os.makedirs(self.out_audio.get_path(), exist_ok=True)
        chance = random.Random(self.seed)
        cuts = list(read_cuts(self.cuts.get_path()))
        recordings, utterances = [], []
        for speaker in dict.fromkeys(cut.speaker for cut in cuts):
            for held, samples in self.joined(speaker, cuts, chance):
                name = f"{id_of(str(speaker)).replace('/', '_')}-{len(recordings):04d}"
                audio = self.write(name, samples)
                whole = {"audio": audio, "num_samples": len(samples), "sample_rate_hz": SAMPLE_RATE_HZ}
                recordings.append(whole_recording_cut(name, speaker=speaker, **whole))
                of = recording_of(name, **whole)
                utterances += [
                    segment_cut(cut.id, recording=of, start=start, num_samples=cut.num_samples, speaker=speaker)
                    for cut, start in held
                ]
        texts = read_texts(self.transcripts.get_path())
        write_cuts(self.out_cuts.get_path(), recordings)
        write_cuts(self.out_reference_cuts.get_path(), utterances)
        write_transcripts(self.out_transcripts.get_path(), {cut.id: texts[cut.id] for cut in utterances})
        hours = sum(cut.duration for cut in recordings) / 3600
        print(f"{len(recordings)} recordings, {hours:.3f} hours, {len(utterances)} utterances")

    def joined(
        self, speaker: str, cuts: list[Cut], chance: random.Random
    ) -> Iterator[tuple[list[tuple[Cut, int]], np.ndarray]]:
        """Each recording of a speaker: its utterances, with the samples at which they start, and all samples."""
        import numpy as np

        own = [cut for cut in cuts if cut.speaker == speaker]
        others = [cut for cut in cuts if cut.speaker != speaker]
        held, parts, length = [], [], 0
        for cut in own:
            gap = between(chance, others)
            held.append((cut, length + len(gap)))
            parts += [gap, self.heard(cut, others, chance)]
            length += len(gap) + cut.num_samples
            if length >= 60 * self.minutes * SAMPLE_RATE_HZ or cut is own[-1]:
                yield held, np.concatenate(parts)
                held, parts, length = [], [], 0

    def heard(self, cut: Cut, others: list[Cut], chance: random.Random) -> np.ndarray:
        """An utterance as it is in the recording, float32 ``[N]``."""
        samples = samples_of(cut)
        if self.noise is None or chance.random() >= self.noise.share:
            return samples
        kind = chance.choice(NOISES if others else NOISES[:-1])
        snr_db = chance.uniform(*self.noise.snr_db)
        return mixed(
            samples, masker(kind, chance, len(samples), others), max(0.0, snr_db) if kind == "voice" else snr_db
        )

    def write(self, name: str, samples: np.ndarray) -> str:
        import soundfile

        path = os.path.join(self.out_audio.get_path(), f"{name}.flac")
        soundfile.write(path, samples, SAMPLE_RATE_HZ, subtype="PCM_16")
        return path


def between(chance: random.Random, others: list[Cut]) -> np.ndarray:
    """What lies before an utterance, float32 ``[N]``; a little noise is everywhere.

    :param others: utterances of other speakers
    """
    import numpy as np

    kind = chance.choices(list(BETWEEN), BETWEEN.values())[0]
    seconds = chance.uniform(0.2, 1.5) if kind == "pause" else chance.uniform(3, 15)
    noise = np.random.default_rng(chance.getrandbits(32))
    gap = 3e-4 * noise.standard_normal(round(seconds * SAMPLE_RATE_HZ))
    if kind == "music":
        gap += chords(chance, len(gap))
    elif kind == "murmur" and others:
        tail = samples_of(chance.choice(others))[-len(gap) :]
        gap[: len(tail)] += 0.15 * tail
    return gap.astype("float32")


def chords(chance: random.Random, num_samples: int) -> np.ndarray:
    """Plucked chords, two in a second, ``[N]``."""
    import numpy as np

    time = np.arange(num_samples) / SAMPLE_RATE_HZ
    beat = time % 0.5
    root = 110 * 2 ** (np.array([chance.randrange(12) for _ in range(int(time[-1] / 0.5) + 1)]) / 12)
    frequency = root[(time / 0.5).astype(int)]
    tones = sum(np.sin(2 * np.pi * ratio * frequency * beat) for ratio in (1, 1.26, 1.498, 2, 3))
    return 0.04 * np.exp(-4 * beat) * tones


def masker(kind: str, chance: random.Random, num_samples: int, others: list[Cut]) -> np.ndarray:
    """What speech is hard to hear in, ``[N]``.

    :param kind: one of :data:`NOISES`
    :param others: utterances of other speakers
    """
    import numpy as np

    if kind == "hiss":
        return np.random.default_rng(chance.getrandbits(32)).standard_normal(num_samples)
    return chords(chance, num_samples) if kind == "music" else np.resize(samples_of(chance.choice(others)), num_samples)


def mixed(speech: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Speech with noise that is ``snr_db`` below it, float32 ``[N]``; both softer where the sum would be clipped."""
    import numpy as np

    energy = max(float(np.mean(np.square(noise, dtype="float64"))), 1e-12)
    gain = 10 ** (-snr_db / 20) * (float(np.mean(np.square(speech, dtype="float64"))) / energy) ** 0.5
    both = speech + gain * noise
    return (both / max(1.0, float(np.abs(both).max()))).astype("float32")
