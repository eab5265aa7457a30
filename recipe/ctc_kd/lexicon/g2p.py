"""Jobs that pronounce unknown words with grapheme-to-phoneme models of Sequitur (paper section 3)."""

from __future__ import annotations

import os

from sisyphus import Job, Task, tk

from ctc_kd.corpus.problems import refuse
from ctc_kd.corpus.transcripts import fault_of_words, read_transcripts
from ctc_kd.corpus.word_lists import read_words
from ctc_kd.files import complete_file, write_lines
from ctc_kd.lexicon.pronunciations import read_lexicon, write_lexicon

SIZE_CONSTRAINTS = (0, 1, 0, 1)
MIN_ITERATIONS = 1


class OovWordsJob(Job):
    """Lists the words of ``transcripts`` that ``lexicon`` does not have, one per line, sorted.

    A word that G2P can never pronounce, with other characters than letters and apostrophes or without a letter, fails
    the job; the error names the utterance.
    """

    def __init__(self, *, transcripts: tk.Path, lexicon: tk.Path):
        self.transcripts = transcripts
        self.lexicon = lexicon
        self.out_words = self.output_path("words.txt")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        transcripts = read_transcripts(self.transcripts.get_path())
        faults = {utterance: fault_of_words(text) for utterance, text in transcripts.items()}
        refuse(
            [f"utterance {utterance}: {fault}" for utterance, fault in faults.items() if fault],
            where=self.transcripts.get_path(),
            remedy="Correct these transcripts, then run the job again.",
        )
        spoken = {word for text in transcripts.values() for word in text.split()}
        unknown = sorted(spoken - read_lexicon(self.lexicon.get_path()).keys())
        write_lines(self.out_words.get_path(), unknown)
        print(f"{len(unknown)} of {len(spoken)} words are not in the lexicon")


class TrainG2PJob(Job):
    """Trains joint-sequence models of order 1 to ``ramp_ups + 1``, each from the one before, and outputs the best one.

    They learn from the first pronunciation of every word. The best model makes the fewest symbol errors on held-out
    words. A killed job resumes after the last finished model. The defaults are the paper's; they take hours for a
    lexicon of 100,000 words and about 20 s for 2,000.

    :param lexicon: what to learn from
    :param ramp_ups: how often the order is raised
    :param max_iterations: largest number of iterations for each model
    :param devel_share: the share of the words held out
    :param seed: draws the words held out
    """

    def __init__(
        self, *, lexicon: tk.Path, ramp_ups: int = 4, max_iterations: int = 60, devel_share: float = 0.05, seed: int = 0
    ):
        if max_iterations <= MIN_ITERATIONS:
            raise ValueError(f"max_iterations: {max_iterations}, expected more than {MIN_ITERATIONS}")
        self.lexicon = lexicon
        self.ramp_ups = ramp_ups
        self.max_iterations = max_iterations
        self.devel_share = devel_share
        self.seed = seed
        self.out_model = self.output_path("model.pickle")
        self.rqmt = {"cpu": 1, "mem": 8, "time": 48}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.lexicon.joint_sequence import split_sample

        lexicon = read_lexicon(self.lexicon.get_path())
        train, devel = split_sample(lexicon, devel_share=self.devel_share, seed=self.seed)
        if not devel:
            raise ValueError(
                f"{self.lexicon}: {len(lexicon)} words are too few to hold out {self.devel_share:.0%} of them"
            )
        print(f"{len(train)} words to train on, {len(devel)} held out")
        stages = [self.stage(order, train, devel) for order in range(1, self.ramp_ups + 2)]
        best = min(stages, key=lambda name: load(name)["symbol_errors"])
        print(f"the best is {best}")
        dump(load(best)["model"], self.out_model.get_path())

    def stage(self, order: int, train, devel) -> str:
        """Trains one model unless its file exists; returns the name of the file, which also holds the errors."""
        from ctc_kd.lexicon import joint_sequence

        name = f"order-{order}.pickle"
        if not os.path.exists(name):
            # always read from the file, so that an interruption of the job does not change the numbers
            initial = None if order == 1 else load(f"order-{order - 1}.pickle")["model"]
            print(f"order {order}: log-likelihood of the held-out words", flush=True)
            model = joint_sequence.train_stage(
                initial,
                train,
                devel,
                size_constraints=SIZE_CONSTRAINTS,
                min_iterations=MIN_ITERATIONS,
                max_iterations=self.max_iterations,
                log=f"order-{order}.log",
            )
            errors, symbols = joint_sequence.symbol_errors(model, devel)
            dump({"model": model, "symbol_errors": errors, "symbols": symbols}, name)
        done = load(name)
        print(
            f"order {order}: {done['symbol_errors']} of {done['symbols']} phonemes wrong in held-out words", flush=True
        )
        return name


class ApplyG2PJob(Job):
    """Writes the most probable pronunciation of each word; a word that has none is an error.

    :param words: a word list; of a line with several fields only the first one counts
    """

    def __init__(self, *, model: tk.Path, words: tk.Path):
        self.model = model
        self.words = words
        self.out_lexicon = self.output_path("lexicon.txt")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.lexicon.joint_sequence import translate

        words = read_words(self.words.get_path())
        lexicon, failed = translate(load(self.model.get_path()), words)
        if failed:
            raise ValueError(
                f"{len(failed)} of {len(words)} words of {self.words} cannot be pronounced by {self.model}: "
                f"{' '.join(failed[:50])}. Their letters may not occur in the lexicon that G2P was trained on: "
                "correct the transcripts, or add the words to the lexicon by hand (MergeLexiconJob)."
            )
        write_lexicon(self.out_lexicon.get_path(), lexicon)


def load(path: str):
    import pickle

    import ctc_kd.lexicon.joint_sequence  # noqa: F401  the pickled classes need sequitur as set up there

    with open(path, "rb") as file:
        return pickle.load(file)


def dump(content, path: str):
    import pickle

    with complete_file(path) as partial, open(partial, "wb") as file:
        pickle.dump(content, file, pickle.HIGHEST_PROTOCOL)
