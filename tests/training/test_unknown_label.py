"""A model with the label that is never a target: what a training makes likelier, and what is refused.

From its dump to its search: tests/end_to_end/test_paper_grid.py.
"""

import numpy as np
import pytest
import torch
from sisyphus import tk

from cpu_jobs import on_cpu
from ctc_kd.corpus.transcripts import write_transcripts
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.lexicon.label_sequences import LabelSequencesJob
from ctc_kd.store import HdfWriter
from ctc_kd.training.datasets import utterance_durations
from ctc_kd.training.train import TrainJob
from ctc_kd.training.training_config import TrainingConfig

CLASSES = phonemes(80).labels


@pytest.fixture
def wide(tiny):
    """The tiny student with 80 classes."""
    return {**tiny.student, "num_labels_with_blank": 80}


@pytest.fixture
def cat_labels(tiny, tmp_path):
    """``cat_labels(archive)``: label sequences of its utterances, each of which is the word CAT of ``lexicon.txt``."""
    (tmp_path / "lexicon.txt").write_text("CAT K AE T\n")

    def make(archive):
        path = f"{archive.get_path()}.transcripts"
        write_transcripts(path, dict.fromkeys(utterance_durations([archive.get_path()]), "CAT"))
        lexicon = tk.Path(str(tmp_path / "lexicon.txt"))
        return LabelSequencesJob(transcripts=tk.Path(path), lexicon=lexicon, unknown_label=True).out_hdf

    return make


def train_job(tiny, model, **inputs):
    training = TrainingConfig(learning_rates=(1e-3, 1e-3), partition_epoch=1, batch_seconds=4.0, keep_epochs=(1,))
    return on_cpu(TrainJob(model=model, training=training, audio=[tiny.train], dev_audio=tiny.dev, **inputs))


def test_a_training_makes_the_labels_of_its_words_likelier(run_jobs, tiny, wide, cat_labels):
    targets = {"labels": cat_labels(tiny.train), "dev_labels": cat_labels(tiny.dev)}
    ctc = train_job(tiny, wide, criterion={"kd_scale": 0.0}, **targets)
    run_jobs(ctc.out_curves)

    bias = [
        torch.load(ctc.checkpoint(epoch).get_path(), weights_only=True)["model"]["output.bias"][:-1] for epoch in (1, 2)
    ]
    rising = torch.topk(bias[1] - bias[0], 3).indices
    assert {CLASSES[index] for index in rising} == {"K", "AE", "T#"}


def write_store(path, names, array):
    with HdfWriter(path, labels=names, metadata={"frame_shift_s": 0.04}) as writer:
        writer.add("train-00", array)
    return tk.Path(str(path))


def test_a_dump_with_79_classes_does_not_fit_a_student_with_80(run_here, tiny, wide, tmp_path):
    logits = write_store(tmp_path / "logits.hdf", phonemes(79).labels, np.zeros((3, 79), "float16"))
    student = train_job(tiny, wide, criterion={"kd_scale": 1.0}, teacher_logits=logits)
    with pytest.raises(
        ValueError, match=r"teacher_logits .*logits.hdf: label 39 of 79 is AA#, .* is \[UNKNOWN\], of 80"
    ):
        run_here(student)


@pytest.mark.parametrize("misfit", ["labels", "dev_labels"])
def test_labels_of_the_other_inventory_are_refused(run_here, tiny, wide, tmp_path, misfit):
    stores = {
        name: write_store(tmp_path / f"{name}.hdf", phonemes(79 if name == misfit else 80).labels, np.zeros(3, "int32"))
        for name in ("labels", "dev_labels")
    }
    job = train_job(tiny, wide, criterion={"kd_scale": 0.0}, **stores)
    with pytest.raises(ValueError, match=rf"^{misfit} .*{misfit}.hdf: label 39 of 79 is AA#, but that of the model is"):
        run_here(job)
