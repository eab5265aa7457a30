"""How well a language model predicts transcripts."""

from __future__ import annotations

from sisyphus import Job, Task, tk


class LmStatisticsJob(Job):
    """Measures perplexity and out-of-vocabulary rate of a KenLM model on transcripts.

    ``out_perplexity``: ``10 ** (-sum(log10 p) / n)`` over all n predicted words, sentence ends included. Words unknown
    to the model are left out of sum and count, but remain, as ``<unk>``, in the history of the following words. A model
    that knows no word fails the job.

    ``out_oov_rate``: percentage of the transcripts' words (sentence ends not counted) that the model does not know.
    """

    def __init__(self, *, lm: tk.Path, transcripts: tk.Path):
        self.lm = lm
        self.transcripts = transcripts
        self.out_perplexity = self.output_var("perplexity")
        self.out_oov_rate = self.output_var("oov_rate")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        import kenlm

        from ctc_kd.corpus.transcripts import read_transcripts

        sentences = read_transcripts(self.transcripts.get_path()).values()
        perplexity, oov_rate = statistics(kenlm.Model(self.lm.get_path()), sentences)
        if oov_rate == 100:
            raise knows_no_word(self.lm.get_path())
        print(f"perplexity {perplexity:.2f}, out-of-vocabulary rate {oov_rate:.3f} %")
        self.out_perplexity.set(perplexity)
        self.out_oov_rate.set(oov_rate)


def statistics(model, sentences) -> tuple[float, float]:
    """Perplexity and out-of-vocabulary rate (percent), defined above.

    :param model: ``kenlm.Model``
    :param sentences: strings of words separated by spaces
    """
    log10_sum, predicted, words, unknown = 0.0, 0, 0, 0
    for sentence in sentences:
        words += len(sentence.split())
        for log10_probability, _, is_unknown in model.full_scores(sentence, bos=True, eos=True):
            if is_unknown:
                unknown += 1
            else:
                log10_sum += log10_probability
                predicted += 1
    if not words:
        raise ValueError("the transcripts have no words")
    return 10 ** (-log10_sum / predicted), 100 * unknown / words


def knows_no_word(lm: str) -> ValueError:
    return ValueError(
        f"{lm}: knows none of the words of the transcripts; expected a model of a text in their language and spelling, "
        "in upper case or as the inventory is written (LmTextJob writes it so)"
    )
