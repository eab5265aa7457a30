"""Variants of corpora: at several speeds, with untranscribed audio, small ones of real speech."""

from dataclasses import replace
from pathlib import Path

import pytest
from sisyphus import gs, tk

from ctc_kd.corpus.librispeech import ReadLibriSpeechAudioJob
from ctc_kd.corpus.public_files import resource
from ctc_kd.experiments.corpora import folder_and_part, on_disk, with_untranscribed
from ctc_kd.experiments.demo import DEMO, demo_corpus, demo_untranscribed
from ctc_kd.experiments.distillation import Distillation
from ctc_kd.experiments.librispeech import librispeech_clean, librispeech_other
from ctc_kd.experiments.mini_librispeech import held_out, mini_librispeech
from ctc_kd.experiments.mini_presets import mini, mini_on_cpu
from ctc_kd.experiments.paper_presets import PAPER, PUBLISHED
from ctc_kd.experiments.rows import BASELINE, TEACHER, Row
from ctc_kd.lm.text import LmTextJob


def test_students_with_speed_perturbation_learn_from_three_archives_and_their_teacher_from_one():
    preset = PUBLISHED["librispeech-other"]
    grid = Distillation(librispeech_other(preset), preset)
    student, baseline = grid.student(Row("all", 0.9)), grid.student(BASELINE)
    factors = [path.creator.length_factor for path in student.audio]
    assert factors == [0.9, 1.0, 1.1]
    assert baseline.audio == student.audio
    assert [path.creator.length_factor for path in grid.teacher_training.audio] == [1.0]
    assert {*student.audio, student.dev_audio} == set(grid.teacher_dump.audio)


def test_all_audio_can_be_vorbis():
    preset = replace(PUBLISHED["librispeech-other"], audio_format="vorbis")
    corpus = librispeech_other(preset)
    archives = [*corpus.audio.values(), *corpus.student_audio]
    archives.append(with_untranscribed(preset, corpus, corpus.cuts["dev-other"])[1].student_audio[0])
    assert {path.creator.audio_format for path in archives} == {"vorbis"}


@pytest.mark.parametrize("presets", [PAPER, PUBLISHED], ids=["paper", "published"])
def test_the_tables_of_librispeech_share_all_trainings(presets):
    """The teacher, too, and with it every student: one set chooses among its checkpoints. Scales are each table's."""
    preset = presets["librispeech-other"]
    other, clean = (Distillation(corpus(preset), preset) for corpus in (librispeech_other, librispeech_clean))
    assert clean.teacher_dump.job_id() == other.teacher_dump.job_id()
    for row in (TEACHER, BASELINE, Row("all", 0.9), Row("prior", 1.0, 0.5)):
        theirs, ours = clean.trained(row), other.trained(row)
        assert theirs.training.job_id() == ours.training.job_id()
        assert theirs.posteriors.job_id() == ours.posteriors.job_id()
        assert theirs.scales.transcripts == clean.corpus.transcripts["dev-clean"]
        assert ours.scales.transcripts == other.corpus.transcripts["dev-other"]


def test_untranscribed_audio_joins_or_replaces_that_of_train():
    corpus = demo_corpus(DEMO)
    row = Row("symmetric", 1.0, 1)
    plain = Distillation(corpus, DEMO)
    added, only = (Distillation(variant, DEMO) for variant in with_untranscribed(DEMO, corpus, demo_untranscribed()))
    (untranscribed,) = only.student(row).audio
    assert untranscribed.creator.cuts.creator.part == "untranscribed"
    assert added.student(row).audio == [corpus.audio["train"], untranscribed]
    assert untranscribed in added.teacher_dump.audio
    assert corpus.audio["train"] not in only.teacher_dump.audio
    assert plain.teacher_checkpoint == added.teacher_checkpoint == only.teacher_checkpoint


def test_sets_of_mini_librispeech_can_be_others(monkeypatch):
    preset = mini("some/encoder")
    monkeypatch.setattr(gs, "MINI_SETS", {"train": ("librispeech", "train-clean-100")}, raising=False)
    corpus = mini_librispeech(preset)
    assert {name: cuts.creator.part for name, cuts in corpus.cuts.items()} == {
        "train": "train-clean-100",
        "dev": "dev-clean-2",
        "test": "test-clean",
    }
    assert [note.creator.part for note in corpus.checks] == ["train-clean-100", "test-clean"]


def test_sets_of_mini_librispeech_can_be_folders(monkeypatch):
    monkeypatch.setattr(gs, "MINI_SETS", {name: f"/data/my-{name}" for name in ("train", "dev", "test")}, raising=False)
    corpus = mini_librispeech(mini("some/encoder"))
    readers = {name: cuts.creator for name, cuts in corpus.cuts.items()}
    assert {name: reader.part for name, reader in readers.items()} == {name: f"my-{name}" for name in readers}
    assert {reader.corpus_dir.get_path() for reader in readers.values()} == {"/data"}
    assert corpus.checks == ()


def reader_of(path):
    folder, part = folder_and_part(path)
    return ReadLibriSpeechAudioJob(corpus_dir=folder, part=part)


def test_sources_in_two_places_are_two_whatever_their_last_names():
    paths = ["/disk1/corpus/train", "/disk2/corpus/train", "corpus/train", "old/corpus/train"]
    assert len({reader_of(path).job_id() for path in paths}) == 4
    assert LmTextJob(texts=[on_disk("/a/text")]).job_id() != LmTextJob(texts=[on_disk("/b/text")]).job_id()


@pytest.mark.parametrize("path", ["corpus/train/", "./corpus//train", "corpus/old/../train"])
def test_spellings_of_one_path_are_one_source(path):
    assert reader_of(path).job_id() == reader_of("corpus/train").job_id()


def test_a_link_in_the_setup_folder_is_a_name_that_stays_when_the_data_moves(created, monkeypatch, tmp_path):
    ids = set()
    for setup in ("here", "there"):
        (tmp_path / setup).mkdir()
        (tmp_path / f"data-{setup}" / "train").mkdir(parents=True)
        (tmp_path / setup / "corpus").symlink_to(tmp_path / f"data-{setup}")
        monkeypatch.setattr(gs, "BASE_DIR", str(tmp_path / setup))
        created.clear()
        reader = reader_of("corpus/train")
        assert (Path(reader.corpus_dir.get_path()) / "train").is_dir()
        ids.add(reader.job_id())
    assert len(ids) == 1


def test_an_unknown_set_in_the_settings_is_an_error(monkeypatch):
    monkeypatch.setattr(gs, "MINI_SETS", {"trian": "/data/train"}, raising=False)
    with pytest.raises(ValueError, match="settings.py: MINI_SETS has trian; expected one of train, dev, test"):
        mini_librispeech(mini("some/encoder"))


def test_a_folder_with_held_out_speakers():
    preset = mini_on_cpu("some/encoder")
    corpus = held_out(preset, "small", tk.Path("corpus"), "part", speakers=3, texts=[tk.Path("text")])
    split = corpus.cuts["train"].creator
    assert (split.dev_speakers, split.test_speakers) == (3, 3)
    assert corpus.cuts == {"train": split.out_train, "dev": split.out_dev, "test": split.out_test}


def test_parts_of_more_speech_keep_the_number_of_updates():
    whole, eighths = mini_on_cpu("some/encoder"), mini_on_cpu("some/encoder", parts=8)
    for one, other in zip(
        (whole.teacher_training, whole.student_training),
        (eighths.teacher_training, eighths.student_training),
        strict=True,
    ):
        assert (one.partition_epoch, other.partition_epoch) == (1, 8)
        assert one == replace(other, partition_epoch=1)


def lm_text_of(corpus):
    """The job that the language model's text comes from."""
    return corpus.lm.creator.arpa.creator.text.creator


def test_lexicon_and_lm_of_mini_librispeech_are_those_of_librispeech_or_made_of_cmudict_and_texts():
    preset = mini("some/encoder")
    official, own = mini_librispeech(preset), mini_librispeech(preset, texts=[])
    assert official.lexicon.creator.dictionary == resource("librispeech-lexicon.txt")
    assert official.lm.creator.arpa == resource("4-gram.arpa.gz")
    spoken = own.transcripts["train"]
    assert own.lexicon.creator.words == [spoken]
    assert (lm_text_of(own).texts, lm_text_of(own).transcripts) == ([], [spoken])
    text = tk.Path("text")
    more = mini_librispeech(preset, texts=[text])
    assert more.lexicon.creator.words == [text, spoken]
    assert (lm_text_of(more).texts, lm_text_of(more).transcripts) == ([text], [spoken])
    assert official.name != own.name  # both may be in one output folder
