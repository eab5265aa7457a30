"""What it costs a finished model to have its frames pooled to those of a student: label error rate before and after.

    python benchmarks/pooling.py MODEL AUDIO [--references LABELS] [--utterances 50]

MODEL is "hama" or a CTC model of transformers (a folder, or a name of the hub), AUDIO a folder with audio of 16 kHz.
Prints for each way of pooling the errors of the best path, in percent: of the labels that the model says without
pooling, and of those in LABELS, a store of label sequences, if there is one. The third column counts deletions among
the first: pooling may drop a label that the model says for one frame only.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import soundfile
import torch

from ctc_kd.corpus.audio_folder import audio_files
from ctc_kd.frames import SAMPLE_RATE_HZ, SUBSAMPLING
from ctc_kd.lexicon.finished_vocabulary import finished_inventory
from ctc_kd.nn.config import POOLS
from ctc_kd.scoring.alignment import Counts, align, count
from ctc_kd.scoring.label_errors import label_sequences
from ctc_kd.training.build import MODELS, build_model


def main():
    options = parsed()
    literal = {"class": "HamaCtc"} if options.model == "hama" else {"class": "TransformersCtc", "model": options.model}
    inventory = finished_inventory(literal)
    literal["num_labels_with_blank"] = len(inventory.labels)
    audio = read_audio(options.audio, options.utterances)
    references = dict(label_sequences(options.references, inventory)) if options.references else None
    own = logits_of(build_model({**literal, "subsampling": None}), audio)
    before = best_paths(own, inventory)
    print(f"{'pool':<14} {'against itself':>15} {'deletions':>10} {'against labels':>15}")
    show("none", before, before, references)
    for pool in MODELS[literal["class"]].config.pools:
        model = build_model({**literal, "subsampling": SUBSAMPLING, "pool": pool})
        logits = logits_of(model, audio) if pool == "hidden" else {u: model.pooled(x[None])[0] for u, x in own.items()}
        show(pool, best_paths(logits, inventory), before, references)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("audio", help=f"folder; the pools are {', '.join(POOLS)}")
    parser.add_argument("--references")
    parser.add_argument("--utterances", type=int, default=50, help="spread over the folder")
    return parser.parse_args()


def read_audio(folder: str, utterances: int) -> dict[str, torch.Tensor]:
    """Name -> samples ``[N]``."""
    files, _ = audio_files(folder)
    chosen = files[:: max(1, len(files) // utterances)][:utterances]
    audio = {}
    for name in chosen:
        samples, rate = soundfile.read(Path(folder, name), dtype="float32")
        if rate != SAMPLE_RATE_HZ:
            raise ValueError(f"{name}: {rate} Hz, expected {SAMPLE_RATE_HZ}")
        audio[Path(name).stem] = torch.from_numpy(samples)
    return audio


@torch.no_grad()
def logits_of(model, audio) -> dict[str, torch.Tensor]:
    """Utterance -> logits ``[T, C]``, each computed alone."""
    logits = {}
    for name, samples in audio.items():
        frames, lengths = model.eval()(samples[None], torch.tensor([len(samples)]))
        logits[name] = frames[0, : int(lengths[0])]
    return logits


def best_paths(logits, inventory) -> dict[str, list[int]]:
    unspoken = {inventory.labels.index(label) for label in inventory.unspoken}
    paths = {name: inventory.collapsed(frames.argmax(dim=-1).tolist()) for name, frames in logits.items()}
    return {name: [label for label in labels if label not in unspoken] for name, labels in paths.items()}


def show(pool, paths, own, references):
    itself = errors(paths, own)
    of_labels = f"{errors(paths, references).wer:15.2f}" if references else f"{'':>15}"
    print(f"{pool:<14} {itself.wer:15.2f} {100 * itself.deletions / itself.words:10.2f} {of_labels}", flush=True)


def errors(paths, references) -> Counts:
    counts = Counts()
    for name, labels in paths.items():
        if name in references:
            counts += count(align(references[name], labels))
    return counts


if __name__ == "__main__":
    main()
