"""Open questions of arXiv 2506.01503, one function each; docs/findings.md has the answers.

    sis manager -r config.findings.prior            # is selection a blank prior?
    sis manager -r config.findings.normalisation    # is plain KD only weighed too little?
    sis manager -r config.findings.matched          # the same, with a weight by the ratio of losses
    sis manager -r config.findings.untranscribed    # how many hours replace a transcribed one?
    sis manager -r config.findings.silence          # do rules that choose by themselves bear other pauses?

On the demo corpus, with three seeds: 45 students for the first, hours on two cores. Arguments choose less, other labels
or other speech: a folder in LibriSpeech's layout, Mini LibriSpeech or what `MINI_SETS` names, or a finished teacher.

    sis manager -r "config.findings.prior(weights=[1.0], seeds=[42])"
    sis manager -r "config.findings.prior(units='pieces')"
    sis manager "config.findings.folder('prior', '/data/LibriSpeech/train-clean-5', '/data/whisper', parts=8)"
    sis manager "config.findings.mini('prior', '/data/whisper', weights=[1.0], units='characters')"
    sis manager "config.findings.finished('untranscribed', 'hama', 'train', 'dev', 'test', 'text.txt', 'cmudict')"
"""

from dataclasses import replace

from config.mini_librispeech import local, text_files
from ctc_kd.experiments.beside import regret
from ctc_kd.experiments.corpora import folder_and_part
from ctc_kd.experiments.demo import DEMO, DEMO_FOR_HOURS, demo_corpus, demo_hours
from ctc_kd.experiments.distillation import Distillation
from ctc_kd.experiments.hours import BUDGETS, worth_of_hours
from ctc_kd.experiments.matched import matched_weights
from ctc_kd.experiments.mini_librispeech import held_out, mini_librispeech
from ctc_kd.experiments.mini_presets import mini_on_cpu
from ctc_kd.experiments.row_analysis import analysed
from ctc_kd.experiments.rows import BASELINE, Row, with_seeds
from ctc_kd.experiments.speech import Speech, demo_speech, finished_speech, in_units

SEEDS = (42, 43, 44)
TEMPERATURES = (1.0, 2.0)
HOURS = (0.5, 1.0, 2.0, 4.0)


def py():
    prior()
    normalisation()


def prior(weights=(0.25, 1.0), seeds=SEEDS, units="phonemes", speech=None):
    """Every row under decoders without and with a prior: what selection gains, a prior scale may gain, too."""
    speech = in_units(speech or demo_speech(), units)
    methods = [("all", None), ("eliminate", None), *(("symmetric", n) for n in (1, 2, 3, 4)), ("soft", None)]
    rows = [BASELINE, *(Row(method, weight, value) for weight in weights for method, value in methods)]
    chain, folder = Distillation(speech.corpus, speech.preset), f"findings/prior/{speech.corpus.name}"
    analysed(chain, [*speech.teacher, *with_seeds(rows, seeds)], folder=folder, labels=speech.labels)


def normalisation(weights=(0.25, 0.9), seeds=SEEDS, speech=None):
    """Plain KD and symmetric selection, normalised as published or all alike, at temperatures 1 and 2."""
    corpus, preset, *_ = speech = speech or demo_speech()
    rows = [Row(method, weight, n) for weight in weights for method, n in (("all", None), ("symmetric", 1))]
    for temperature in TEMPERATURES:
        for plain in ("batch_times_labels", "selected_frames"):
            arm = f"{plain}-T{temperature:g}"
            changed = replace(preset, name=f"{preset.name}-{arm}", temperature=temperature, plain_normalisation=plain)
            chain, folder = Distillation(corpus, changed), f"findings/normalisation/{arm}/{corpus.name}"
            analysed(chain, [*speech.teacher, *with_seeds(rows, seeds)], folder=folder, labels=speech.labels)


async def matched(weights=(0.25, 0.9), seeds=SEEDS, speech=None):
    """Plain KD with the weight at which its loss counts as much beside CTC as that of symmetric selection."""
    corpus, preset, *_ = speech = speech or demo_speech()
    alike = replace(preset, plain_normalisation=preset.normalisation)
    presets = {
        f"T{value:g}": replace(alike, name=f"{preset.name}-T{value:g}", temperature=value) for value in TEMPERATURES
    }
    await matched_weights(
        corpus,
        presets,
        weights=weights,
        seeds=seeds,
        name="findings/matched",
        teacher=speech.teacher,
        labels=speech.labels,
    )


def untranscribed(hours=HOURS, seeds=SEEDS, budgets=BUDGETS, speech=None):
    """Frame-level KD, CTC on the teacher's best path, and both, on hours whose transcripts nobody reads.

    Fewer hours are samples of the same four. Their students are those of the whole question if the fewest are among
    them: with equal updates, these say how often the others are heard.
    """
    audio = speech.train if speech else demo_hours(DEMO, max(*HOURS, *hours))
    corpus, preset, *_ = speech or demo_speech(DEMO_FOR_HOURS)
    worth_of_hours(corpus, preset, audio, hours=hours, seeds=seeds, budgets=budgets, name="findings/untranscribed")


def silence(factors=(0.5, 1.0, 2.0, 4.0), weight=1.0, seeds=SEEDS):
    """The demo's speech with its pauses made shorter or longer: rules without n against the best n on dev."""
    rules = [Row("soft", weight), Row("blank_share", weight, 0.5), Row("neighbour", weight, 0.1)]
    rows = [*(Row("symmetric", weight, n) for n in (1, 2, 3, 4)), *rules]
    chains = {f"pauses × {factor:g}": Distillation(demo_corpus(DEMO, pause_factor=factor), DEMO) for factor in factors}
    regret(chains, rows, seeds=seeds, name="findings/silence")


# All but silence, which needs the synthesiser.
QUESTIONS = {"prior": prior, "normalisation": normalisation, "matched": matched, "untranscribed": untranscribed}


def ask(question, speech, options):
    if question not in QUESTIONS:
        raise ValueError(f"there is no question {question!r} on other speech; expected one of {', '.join(QUESTIONS)}")
    return QUESTIONS[question](speech=speech, **options)


def folder(question, part, encoder, text=None, speakers=4, parts=1, **options):
    """
    :param speakers: how many are held out for dev, and how many for test
    :param parts: of train; a sub-epoch hears one of them
    """
    corpus_dir, part = folder_and_part(part)
    preset, texts = mini_on_cpu(local(encoder), parts=parts), text_files(text)
    corpus = held_out(preset, part, corpus_dir, part, speakers=speakers, texts=texts)
    return ask(question, Speech(corpus, preset, tuple(texts)), options)


def mini(question, encoder, text=None, parts=8, **options):
    """Mini LibriSpeech and test-clean, or the sets that `MINI_SETS` names, with students of two cores.

    :param parts: of train; a sub-epoch hears one of them
    """
    preset, texts = mini_on_cpu(local(encoder), parts=parts), text_files(text)
    return ask(question, Speech(mini_librispeech(preset, texts=texts), preset, tuple(texts)), options)


def finished(
    question,
    teacher,
    audio,
    dev,
    test,
    text,
    lexicon=None,
    size="tiny",
    subsampling=4,
    convert=False,
    **options,
):
    """The arguments are those of `config/distil.py`; all three parts have transcripts."""
    speech = finished_speech(
        teacher,
        audio=audio,
        dev=dev,
        test=test,
        text=text,
        lexicon=lexicon,
        size=size,
        subsampling=subsampling,
        convert=convert,
    )
    return ask(question, speech, options)
