"""A small corpus in LibriSpeech layout, of noise."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from sisyphus import tk

TRANSCRIPTS = {
    "19-198-0000": "NORTHANGER ABBEY",
    "19-198-0001": "THIS LITTLE WORK",
    "26-495-0000": "it was  o'clock",
    "26-496-0003": "A B",
}


class LibriSpeechFolder:
    """``root/<part>``; tests spoil it, then read it."""

    part = "train-tiny"

    def __init__(self, root: Path):
        self.root = root
        self.path = tk.Path(str(root))
        rng = np.random.default_rng(0)
        for number, utterance in enumerate(TRANSCRIPTS):
            self.write_audio(utterance, 0.1 * rng.standard_normal(8000 + 100 * number))
        for chapter in {utterance.rsplit("-", 1)[0] for utterance in TRANSCRIPTS}:
            lines = [f"{name} {text}" for name, text in TRANSCRIPTS.items() if name.startswith(f"{chapter}-")]
            self.write_transcripts(chapter, lines)

    def audio(self, utterance: str) -> Path:
        speaker, chapter, _ = utterance.split("-")
        return self.root / self.part / speaker / chapter / f"{utterance}.flac"

    def transcripts(self, chapter: str) -> Path:
        return self.root / self.part / chapter.replace("-", "/") / f"{chapter}.trans.txt"

    def write_audio(self, utterance: str, samples, sample_rate: int = 16000):
        path = self.audio(utterance)
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, sample_rate)

    def write_transcripts(self, chapter: str, lines: list[str]):
        self.transcripts(chapter).write_text("\n".join(lines) + "\n")


@pytest.fixture
def librispeech(tmp_path):
    return LibriSpeechFolder(tmp_path / "corpus")
