"""A stranger's model for the demo: a character CTC model of transformers, made of the demo's encoder and corpus."""

from __future__ import annotations

from dataclasses import replace

from ctc_kd.corpus.synthetic.demo import SynthesiseDemoCorpusJob
from ctc_kd.experiments.corpora import Part, archive, librispeech_part
from ctc_kd.experiments.demo import DEMO, demo_untranscribed
from ctc_kd.experiments.distil import Sources
from ctc_kd.experiments.labels import characters_of, for_other_labels
from ctc_kd.lexicon.spell import SpellTranscriptsJob
from ctc_kd.nn.schedules import one_cycle
from ctc_kd.training.save_ctc_model import SaveCtcModelJob
from ctc_kd.training.train import TrainJob


def demo_stranger() -> dict:
    """The model: a folder with a ``HubertForCTC`` of 50 Hz, its processor, and letters as labels."""
    speech = SynthesiseDemoCorpusJob().out_corpus
    parts = {name: librispeech_part(speech, name) for name in ("train", "dev")}
    inventory = characters_of(*(part.transcripts for part in parts.values()), case="upper").inventory
    labels = {
        name: SpellTranscriptsJob(transcripts=part.transcripts, inventory=inventory).out_hdf
        for name, part in parts.items()
    }
    model = for_other_labels(DEMO).teacher | {"pooling": 1, "waveform": "normalised", "train_convolutions": True}
    rates = tuple(one_cycle(10, peak=1e-3, start=1e-4))
    training = TrainJob(
        model=model,
        criterion={"kd_scale": 0.0},
        training=replace(DEMO.teacher_training, learning_rates=rates, keep_epochs=()),
        audio=[archive(DEMO, parts["train"].cuts)],
        dev_audio=archive(DEMO, parts["dev"].cuts),
        labels=labels["train"],
        dev_labels=labels["dev"],
        inventory=inventory,
    )
    training.add_alias("distil/demo/stranger/train")
    saved = SaveCtcModelJob(model=model, checkpoint=training.checkpoint(), inventory=inventory)
    return {"class": "TransformersCtc", "model": saved.out_model}


def demo_sources() -> Sources:
    """Audio that the model was not fine-tuned on, the demo's dev and test, and the text of its language model."""
    speech = SynthesiseDemoCorpusJob()
    dev, test = (librispeech_part(speech.out_corpus, name) for name in ("dev", "test"))
    return Sources(Part(demo_untranscribed(), None), dev=dev, test=test, text=speech.out_lm_text)
