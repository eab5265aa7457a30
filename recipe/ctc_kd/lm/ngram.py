"""N-gram language models: estimation with KenLM, and the binary that the decoder maps into memory."""

import gzip
import os
import shutil
import subprocess
import zlib

from sisyphus import Job, Task, tk

from ctc_kd.corpus.word_lists import read_words
from ctc_kd.files import complete_file, open_unpacked, write_lines


class NgramLmJob(Job):
    """Estimates an unpruned, interpolated, modified Kneser-Ney n-gram model.

    :param text: one sentence per line (optionally ``.gz``), words separated by spaces, in the lexicon's spelling
    :param order: n
    :param kenlm_tools: directory with ``lmplz``
    :param vocabulary: a file such as a lexicon, read in upper case; the first words of its lines are the only words of
        the model. N-grams with other words are not in it; as neighbours these words still count, in the numbers of
        different contexts and in the discounts. ``<unk>`` has the probability of any one word that the text lacks:
        with it for each such word of the vocabulary and for ``<unk>`` itself, the probabilities of the vocabulary,
        ``</s>`` and ``<unk>`` sum to one after each context. With None, the words are those of the text, and ``<unk>``.

    ``out_arpa``: the model in ARPA format. Words of the vocabulary that the text lacks are not listed.

    Small texts may lack the counts from which the discounts are estimated; such an order takes KenLM's fallback
    discounts, and the log says so.
    """

    def __init__(self, *, text: tk.Path, order: int = 4, kenlm_tools: tk.Path, vocabulary: tk.Path | None = None):
        self.text = text
        self.order = order
        self.kenlm_tools = kenlm_tools
        self.vocabulary = vocabulary
        self.out_arpa = self.output_path("lm.arpa")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.lm.arpa import ArpaReader

        sorting_memory = f"{int(600 * self.rqmt['mem'])}M"  # leaves room for the vocabulary
        command = [os.path.join(self.kenlm_tools.get_path(), "lmplz"), "--order", str(self.order)]
        command += ["--memory", sorting_memory, "--temp_prefix", os.path.join(os.getcwd(), "lmplz.")]
        command += ["--discount_fallback", "0.5", "1", "1.5"]
        if self.vocabulary is not None:
            command += limit_vocabulary(self.vocabulary.get_path(), "vocabulary.txt")
        command.append("--arpa")
        with complete_file(self.out_arpa.get_path()) as partial:
            print("running", " ".join([*command, partial]), flush=True)
            feed([*command, partial], self.text.get_path())
            if self.vocabulary is not None and ArpaReader(partial).counts[0] <= len(("<unk>", "<s>", "</s>")):
                raise ValueError(
                    f"{self.text.get_path()}: none of its words is in {self.vocabulary.get_path()}, whose words are "
                    "read in upper case; expected a text in upper case"
                )


def limit_vocabulary(source: str, path: str) -> list[str]:
    """Writes the words of the list or lexicon ``source`` to ``path``; returns lmplz's options to use them."""
    words = read_words(source)
    if not words:
        raise ValueError(f"{source}: no words, expected a word list or a lexicon")
    write_lines(path, words)
    # the size of the vocabulary with </s> and <unk>: lmplz divides the probability of unseen words by it
    return ["--limit_vocab_file", path, "--vocab_pad", str(len(words) + 2)]


def feed(command: list[str], text: str):
    """Run a command with a text, unpacked if need be, on its standard input."""
    with open_unpacked(text) as file, subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        try:
            with process.stdin:
                shutil.copyfileobj(file, process.stdin, 1 << 20)
        except BrokenPipeError:
            pass  # the command ended early; its exit status is checked below
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{text}: {error}; expected a complete .gz") from error
        finally:
            status = process.wait()
    if status != 0:
        raise RuntimeError(f"{command[0]} failed with exit status {status} on {text}; its message is in this log")


class KenLmBinaryJob(Job):
    """Converts an ARPA model (optionally ``.gz``) to KenLM's memory-mapped probing format.

    ``out_binary``: loads in milliseconds and is shared between processes.
    """

    def __init__(self, *, arpa: tk.Path, kenlm_tools: tk.Path):
        self.arpa = arpa
        self.kenlm_tools = kenlm_tools
        self.out_binary = self.output_path("lm.bin")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        program = os.path.join(self.kenlm_tools.get_path(), "build_binary")
        with complete_file(self.out_binary.get_path()) as partial:
            feed([program, "/dev/stdin", partial], self.arpa.get_path())
