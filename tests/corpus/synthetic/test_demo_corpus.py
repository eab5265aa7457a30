"""The embedded corpus: its grammar, its speakers, and the files it writes."""

import hashlib
import os
import re

import numpy as np
import pytest
from sisyphus import gs
from sisyphus import job as sisyphus_job

from ctc_kd.corpus.synthetic.demo import MINUTES, SynthesiseDemoCorpusJob
from ctc_kd.corpus.synthetic.part import with_commas
from ctc_kd.corpus.synthetic.sentences import RULES, WORDS, Grammar, vocabulary
from ctc_kd.corpus.synthetic.speakers import lm_sentences, plan

SMALL = {"train": 1.0, "dev": 0.5}


def test_vocabulary():
    words = vocabulary()
    assert len(words) >= 400
    assert all(re.fullmatch("[A-Z]+", word) for word in words)


def test_every_symbol_of_the_grammar_has_a_rule():
    symbols = {name for rule in RULES.values() for right in rule for name in re.findall("<(.*?)>", right)}
    assert symbols <= set(RULES) | set(WORDS)


def test_sentences_are_new_and_of_bearable_length():
    seen = {"TOLD BEFORE"}
    sentences = [next(drawn) for drawn in [Grammar(3).distinct(seen)] for _ in range(300)]
    assert len(set(sentences)) == 300
    assert seen == {"TOLD BEFORE", *sentences}
    assert {len(sentence.split()) for sentence in sentences} <= set(range(5, 14))
    assert {word for sentence in sentences for word in sentence.split()} <= set(vocabulary())
    again = Grammar(3).distinct(set())
    assert sentences == [next(again) for _ in range(300)]


def test_parts_share_neither_speakers_nor_voices_nor_sentences_nor_the_text():
    speakers = [speaker for part in plan(MINUTES, seed=1).values() for speaker in part]
    assert len({speaker.number for speaker in speakers}) == len({speaker.voice.variant for speaker in speakers})
    assert len({speaker.number for speaker in speakers}) == len(speakers) >= 40
    sentences = [sentence for speaker in speakers for sentence in speaker.sentences]
    assert len(set(sentences)) == len(sentences)
    text = list(lm_sentences(MINUTES, 5000, seed=1))
    assert 5000 <= sum(len(sentence.split()) for sentence in text) < 5020
    assert not set(text) & set(sentences)


def test_pauses_inside_of_sentences_follow_the_asked_share_of_words():
    rng = np.random.default_rng(0)
    spoken = [with_commas("ONE TWO THREE FOUR FIVE", 0.25, rng) for _ in range(500)]
    assert {text.replace(",", "") for text in spoken} == {"ONE TWO THREE FOUR FIVE"}
    assert not any(text.endswith(",") for text in spoken)
    assert sum(text.count(",") for text in spoken) / 2000 == pytest.approx(0.25, abs=0.03)
    assert with_commas("ALONE", 1.0, rng) == "ALONE"


def checksums(folder):
    found = {}
    for path, _, files in os.walk(folder):
        for file in files:
            with open(os.path.join(path, file), "rb") as opened:
                name = os.path.relpath(os.path.join(path, file), folder)
                found[name] = hashlib.sha256(opened.read()).hexdigest()
    return found


def test_files_are_librispeechs_and_follow_from_the_arguments(run_jobs, tmp_path, monkeypatch):
    from ctc_kd.corpus.cuts import read_cuts
    from ctc_kd.corpus.librispeech import ReadLibriSpeechAudioJob, ReadLibriSpeechTranscriptsJob

    job = SynthesiseDemoCorpusJob(minutes={**SMALL, "untranscribed": 0.5}, lm_words=200)
    readers = {}
    for part in SMALL:
        audio = ReadLibriSpeechAudioJob(corpus_dir=job.out_corpus, part=part)
        texts = ReadLibriSpeechTranscriptsJob(corpus_dir=job.out_corpus, part=part, cuts=audio.out_cuts)
        readers[part] = audio.out_cuts
        run_jobs(texts.out_transcripts)
    for part, cuts in readers.items():
        seconds = sum(cut.duration for cut in read_cuts(cuts.get_path()))
        assert SMALL[part] * 60 <= seconds < SMALL[part] * 60 + 18 * 5
    first = checksums(job.out_corpus.get_path())
    assert not [name for name in first if name.startswith("untranscribed") and name.endswith(".txt")]
    assert len([name for name in first if name.endswith(".flac")]) > 30
    with open(os.path.join(job.out_corpus.get_path(), "SPEAKERS.TXT")) as file:
        rows = [line.split("|") for line in file if not line.startswith(";")]
    assert {int(row[0]) for row in rows} == {int(name.split(os.sep)[1]) for name in first if os.sep in name}

    again = tmp_path / "again"
    (again / "work").mkdir(parents=True)
    monkeypatch.chdir(again)
    monkeypatch.setattr(gs, "BASE_DIR", str(again))
    monkeypatch.setattr(sisyphus_job, "created_jobs", {})
    second = SynthesiseDemoCorpusJob(minutes=job.minutes, lm_words=job.lm_words)
    run_jobs(second.out_lm_text)
    assert str(again) in second.out_corpus.get_path()
    assert checksums(second.out_corpus.get_path()) == first


def test_transcripts_of_the_untranscribed_part_on_demand(run_jobs):
    job = SynthesiseDemoCorpusJob(minutes={"untranscribed": 0.01}, lm_words=10, transcribe_all=True)
    run_jobs(job.out_lm_text)
    names = list(checksums(job.out_corpus.get_path()))
    assert len([name for name in names if name.endswith(".trans.txt")]) == 14  # one of each speaker


def test_a_pause_of_negative_length_is_refused():
    with pytest.raises(ValueError, match="pause_factor -1, expected 0 or more"):
        SynthesiseDemoCorpusJob(pause_factor=-1)


def test_an_unknown_part_is_refused():
    with pytest.raises(ValueError, match="nonsense"):
        SynthesiseDemoCorpusJob(minutes={"nonsense": 1.0})
