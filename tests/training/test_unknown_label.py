"""A model with the label that is never a target: training, dump, posteriors, search; and what is refused."""

import numpy as np
import pytest
import torch
from sisyphus import tk

from ctc_kd.corpus.transcripts import read_transcripts, write_transcripts
from ctc_kd.decoding.search import SearchConfig
from ctc_kd.decoding.search_job import SearchJob
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.lexicon.label_sequences import LabelSequencesJob
from ctc_kd.store import HdfWriter, read_hdf, read_labels
from ctc_kd.training.datasets import utterance_durations
from ctc_kd.training.dump import DumpLogitsJob
from ctc_kd.training.posteriors import PosteriorsJob
from ctc_kd.training.train import TrainJob
from ctc_kd.training.training_config import TrainingConfig

CLASSES = phonemes(80).labels
ARPA = """\\data\\
ngram 1=4
ngram 2=1

\\1-grams:
-2.0\t<unk>
-99\t<s>\t-0.3
-0.5\t</s>
-0.5\tCAT\t-0.3

\\2-grams:
-0.3\t<s> CAT

\\end\\
"""


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


def on_cpu(job):
    job.rqmt.update(cpu=1, gpu=0)
    return job


def test_chain(run_jobs, tiny, wide, cat_labels, tmp_path):
    targets = {"labels": cat_labels(tiny.train), "dev_labels": cat_labels(tiny.dev)}
    ctc = train_job(tiny, wide, criterion={"kd_scale": 0.0}, **targets)
    dump = on_cpu(DumpLogitsJob(model=wide, checkpoint=ctc.checkpoint(), audio=[tiny.dev]))
    posteriors = on_cpu(
        PosteriorsJob(model=wide, checkpoint=ctc.checkpoint(), audio={"dev": tiny.dev}, prior_audio=tiny.train)
    )
    (tmp_path / "lm.arpa").write_text(ARPA)
    search = SearchJob(
        posteriors=posteriors.out_posteriors["dev"],
        prior=posteriors.out_prior,
        lexicon=tk.Path(str(tmp_path / "lexicon.txt")),
        lm=tk.Path(str(tmp_path / "lm.arpa")),
        lm_scale=1.0,
        prior_scale=0.5,
        search=SearchConfig(beam_size=16),
    )
    run_jobs(dump.out_logits, search.out_hypotheses)

    bias = [
        torch.load(ctc.checkpoint(epoch).get_path(), weights_only=True)["model"]["output.bias"][:-1] for epoch in (1, 2)
    ]
    rising = torch.topk(bias[1] - bias[0], 3).indices
    assert {CLASSES[index] for index in rising} == {"K", "AE", "T#"}

    for store in (dump.out_logits, posteriors.out_posteriors["dev"]):
        assert read_labels(store.get_path()) == list(CLASSES)
        assert {array.shape[1] for _, array in read_hdf(store.get_path())} == {80}
    assert np.loadtxt(posteriors.out_prior.get_path()).shape == (80,)
    hypotheses = read_transcripts(search.out_hypotheses.get_path())
    assert len(hypotheses) == 5
    assert {word for words in hypotheses.values() for word in words.split()} <= {"CAT"}


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
