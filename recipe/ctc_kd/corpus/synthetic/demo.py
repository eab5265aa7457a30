"""The embedded demo corpus: synthetic speech in the layout of LibriSpeech."""

from __future__ import annotations

import math
import os

from sisyphus import Job, Task

from ctc_kd.corpus.synthetic.acoustics import Acoustics, Pauses
from ctc_kd.files import complete_folder, write_lines, write_text

UNTRANSCRIBED = "untranscribed"
MINUTES = {"train": 16.0, "dev": 8.0, "test": 15.0, UNTRANSCRIBED: 16.0}


class SynthesiseDemoCorpusJob(Job):
    """Makes sentences about a village, spoken by eSpeak NG in different voices for each part, in noisy rooms.

    Speakers and sentences of the parts are disjoint, and no sentence of the parts is in the language model's text.
    On machines of one kind, equal arguments give equal files, bit by bit.

    :param minutes: part (``train``, ``dev``, ``test``, ``untranscribed``) -> minutes of audio that it has at least;
        speakers share them equally
    :param lm_words: words that the language model's text has at least
    :param acoustics: recording conditions
    :param pauses: silence around and inside of sentences
    :param seed: of all random choices
    :param pause_factor: makes all pauses so many times as long, in the same recordings of the same speech; ``minutes``
        and ``pauses`` are those at 1
    :param transcribe_all: write transcripts of the untranscribed part, too, to measure what they would be worth
    """

    __sis_hash_exclude__ = {"pause_factor": 1.0, "transcribe_all": False}

    def __init__(
        self,
        *,
        minutes: dict[str, float] = MINUTES,
        lm_words: int = 40000,
        acoustics: Acoustics = Acoustics(),
        pauses: Pauses = Pauses(),
        seed: int = 1,
        pause_factor: float = 1.0,
        transcribe_all: bool = False,
    ):
        unknown = set(minutes) - set(MINUTES)
        if unknown:
            raise ValueError(f"the demo corpus has the parts {list(MINUTES)}, not {sorted(unknown)}")
        if not 0 <= pause_factor < math.inf:
            raise ValueError(f"pause_factor {pause_factor}, expected 0 or more")
        self.minutes = dict(minutes)
        self.lm_words = lm_words
        self.acoustics = acoustics
        self.pauses = pauses
        self.seed = seed
        self.pause_factor = pause_factor
        self.transcribe_all = transcribe_all
        self.out_corpus = self.output_path("corpus", directory=True)
        self.out_lm_text = self.output_path("lm_text.txt")
        self.rqmt = {"cpu": 1, "mem": 1, "time": 1}

    def tasks(self):
        parts = list(self.minutes)
        yield Task("synthesise", resume="synthesise", args=parts, parallel=len(parts), rqmt=self.rqmt)
        yield Task("write_texts", resume="write_texts", mini_task=True, rqmt=self.rqmt)

    def synthesise(self, part: str):
        from ctc_kd.corpus.synthetic.espeak import in_fresh_process
        from ctc_kd.corpus.synthetic.part import write_part
        from ctc_kd.corpus.synthetic.speakers import plan

        folder = os.path.join(self.out_corpus.get_path(), part)
        if os.path.isdir(folder):
            print(f"{part}: complete already")
            return
        speakers = plan(self.minutes, self.seed)[part]
        seconds = self.minutes[part] * 60 / len(speakers)
        transcribed = self.transcribe_all or part != UNTRANSCRIBED
        recording = self.acoustics, self.pauses, transcribed, self.seed, self.pause_factor
        with complete_folder(folder) as partial:
            rows = in_fresh_process(write_part, partial, speakers, seconds, *recording)
            speaker_lines = [
                f"{number:<5}| {sex} | {part:<16} |{length:6.2f} | {name}" for number, sex, length, name in rows
            ]
            write_lines(f"{part}.speakers", speaker_lines)
        print(f"{part}: {sum(length for _, _, length, _ in rows):.1f} minutes of {len(rows)} speakers", flush=True)

    def write_texts(self):
        """Writes the language model's text, and SPEAKERS.TXT in the format of LibriSpeech."""
        from ctc_kd.corpus.synthetic.speakers import lm_sentences

        speakers = ";ID  |SEX| SUBSET           |MINUTES| NAME\n"
        for part in self.minutes:
            with open(f"{part}.speakers", encoding="utf-8") as file:
                speakers += file.read()
        write_text(os.path.join(self.out_corpus.get_path(), "SPEAKERS.TXT"), speakers)
        write_lines(self.out_lm_text.get_path(), lm_sentences(self.minutes, self.lm_words, self.seed))
