"""A small part of the pipeline, from speech to labels and language model statistics: quick jobs of all its kinds."""

from sisyphus import tk

from ctc_kd.corpus.synthetic.demo import SynthesiseDemoCorpusJob
from ctc_kd.experiments.corpora import archive, label_sequences, librispeech_part, lm_statistics, with_g2p
from ctc_kd.experiments.demo import DEMO
from ctc_kd.experiments.requests import register_outputs
from ctc_kd.lexicon.lexica import CmuLexiconJob


def py():
    speech = SynthesiseDemoCorpusJob(minutes={"train": 0.5, "dev": 0.2}, lm_words=500)
    parts = {name: librispeech_part(speech.out_corpus, name) for name in ("train", "dev")}
    spoken = {name: part.transcripts for name, part in parts.items()}
    lexicon = CmuLexiconJob(words=list(spoken.values()), withhold=0.2, withhold_from=spoken["train"])
    complete = with_g2p(lexicon.out_lexicon, spoken["train"], learn_from=lexicon.out_lexicon, max_iterations=2)
    outputs = lm_statistics(tk.Path("data/lm.arpa"), spoken)
    for name, labels in label_sequences(DEMO, complete, spoken).items():
        labels.creator.add_alias(f"speech/{name}/labels")
        outputs |= {f"{name}/labels.hdf": labels, f"{name}/audio.zip": archive(DEMO, parts[name].cuts)}
    register_outputs({f"speech/{name}": output for name, output in outputs.items()}, requests=DEMO.requests)
