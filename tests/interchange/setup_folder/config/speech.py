"""A small part of the pipeline, from speech to labels and language model statistics: quick jobs of all its kinds."""

from sisyphus import tk

from ctc_kd.corpus.demo import SynthesiseDemoCorpusJob
from ctc_kd.experiments.corpora import archive, label_sequences, librispeech_part, lm_statistics, with_g2p
from ctc_kd.experiments.presets import DEMO
from ctc_kd.lexicon.lexica import CmuLexiconJob


def py():
    speech = DEMO.place(SynthesiseDemoCorpusJob(minutes={"train": 0.5, "dev": 0.2}, lm_words=500))
    parts = {name: librispeech_part(DEMO, speech.out_corpus, name) for name in ("train", "dev")}
    spoken = {name: part.transcripts for name, part in parts.items()}
    lexicon = DEMO.place(CmuLexiconJob(words=list(spoken.values()), withhold=0.2, withhold_from=spoken["train"]))
    complete = with_g2p(DEMO, lexicon.out_lexicon, spoken["train"], learn_from=lexicon.out_lexicon, max_iterations=2)
    for name, labels in label_sequences(DEMO, complete, spoken).items():
        labels.creator.add_alias(f"speech/{name}/labels")
        tk.register_output(f"speech/{name}/labels.hdf", labels)
        tk.register_output(f"speech/{name}/audio.zip", archive(DEMO, parts[name].cuts))
    for name, value in lm_statistics(DEMO, tk.Path("data/lm.arpa"), spoken).items():
        tk.register_output(f"speech/{name}", value)
