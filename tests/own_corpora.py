"""A small corpus of noise in LibriSpeech's layout, and the same in the layouts that one's own corpus may have."""

import csv
from pathlib import Path

import numpy as np
import soundfile
from lhotse import CutSet, RecordingSet, SupervisionSet
from lhotse.kaldi import export_to_kaldi
from lhotse.recipes import prepare_librispeech
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


def prepared(folder, output: Path) -> tuple[RecordingSet, SupervisionSet]:
    """Manifests by lhotse's own recipe."""
    found = prepare_librispeech(str(folder.root), dataset_parts=folder.part, output_dir=str(output))[folder.part]
    return found["recordings"], found["supervisions"]


def as_manifests(folder, output: Path) -> list[Path]:
    prepared(folder, output)
    return [output / f"librispeech_{kind}_{folder.part}.jsonl.gz" for kind in ("recordings", "supervisions")]


def as_cuts(folder, output: Path) -> list[Path]:
    recordings, supervisions = prepared(folder, output)
    path = output / "cuts.jsonl.gz"
    CutSet.from_manifests(recordings, supervisions).to_file(path)
    return [path]


def as_kaldi(folder, output: Path) -> list[Path]:
    """By lhotse, too, but for ``wav.scp``, in which it writes pipes for FLAC files."""
    recordings, supervisions = prepared(folder, output / "manifests")
    export_to_kaldi(recordings, supervisions, output / "kaldi")
    lines = [f"{recording.id} {recording.sources[0].source}\n" for recording in recordings]
    (output / "kaldi" / "wav.scp").write_text("".join(lines))
    return [output / "kaldi"]


def as_table(folder, output: Path, ending="tsv") -> list[Path]:
    """With paths relative to the table's folder, which is the part's."""
    part = folder.root / folder.part
    path = part / f"table.{ending}"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t" if ending == "tsv" else ",")
        writer.writerow(["id", "speaker", "path", "text"])
        for transcripts in sorted(part.rglob("*.trans.txt")):
            for line in transcripts.read_text().splitlines():
                utterance, _, text = line.partition(" ")
                audio = transcripts.with_name(f"{utterance}.flac").relative_to(part)
                writer.writerow([utterance, utterance.split("-")[0], audio, text])
    return [path]


def as_csv(folder, output: Path) -> list[Path]:
    return as_table(folder, output, ending="csv")


LAYOUTS = {
    "manifests": ("lhotse", as_manifests),
    "cuts": ("lhotse", as_cuts),
    "kaldi": ("kaldi", as_kaldi),
    "tsv": ("table", as_table),
    "csv": ("table", as_csv),
}
