"""A smaller version of a CTC model of one's own, from audio alone: docs/distil_your_model.md.

    sis manager -r "config.distil.py('facebook/hubert-large-ls960-ft', '/data/podcasts')"

Five students learn what the teacher says of every frame, of no blank frame, or of frames near labels. They are compared
with their teacher on held-out audio. With transcribed `dev` and `test` they have error rates, too; with `labelled`
audio there are a CTC baseline and students that learn from both; with a `text`, words are found by a language model.

    sis manager -r config.distil.demo    # or `make demo-distil`: a stranger's model on the embedded corpus
"""

from ctc_kd.experiments.corpora import last_name, on_disk
from ctc_kd.experiments.demo_stranger import demo_sources, demo_stranger
from ctc_kd.experiments.distil import Sources, distil
from ctc_kd.experiments.distil_sizes import SIZES, preset_of
from ctc_kd.experiments.finished import own_teacher
from ctc_kd.experiments.sources import own_lexicon, own_part


def py(
    teacher,
    audio,
    dev=None,
    test=None,
    labelled=None,
    text=None,
    lexicon=None,
    unit="words",
    size="small",
    subsampling=4,
    convert=False,
    name=None,
):
    """
    :param teacher: a CTC model of transformers, by folder or by name of the Hugging Face hub, or "hama"
    :param audio: a folder, Kaldi folder, table, lhotse manifest or LibriSpeech part, as are dev, test and labelled
    :param text: one sentence per line
    :param lexicon: words and the teacher's labels that spell them, which phonemes need; "cmudict" has English in IPA
    :param unit: errors on dev and test are those of words (WER), or of "characters" (CER)
    :param size: of the students: tiny, small or large (1, 12 or 43 million parameters)
    :param subsampling: windows of 10 ms per frame of the students; 8 for teachers with frames of 80 ms (Parakeet)
    :param convert: make 16 kHz mono of other audio, which is refused without
    :param name: of the folder in `output/distil/`, by default the last part of the teacher's. What is distilled under
        the same name takes its place
    """
    parts = {"audio": audio, "dev": dev, "test": test, "labelled": labelled}
    parts = {name: own_part(source, convert=convert) for name, source in parts.items() if source}
    text = text and on_disk(text)
    lexicon = lexicon and own_lexicon(lexicon, text=text, labelled=parts.get("labelled"))
    name = name or last_name(teacher)
    teacher = {**own_teacher(teacher), "subsampling": subsampling}
    preset = preset_of(size, subsampling=subsampling)
    distil(teacher, Sources(**parts, text=text, lexicon=lexicon, unit=unit), preset, name=name)


def demo():
    distil(demo_stranger(), demo_sources(), SIZES["tiny"], name="demo")
