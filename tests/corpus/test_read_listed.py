"""Tables, Kaldi folders and lhotse's manifests of one small corpus come to the same."""

import gzip
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from lhotse import CutSet
from lhotse.kaldi import load_kaldi_data_dir
from sisyphus import tk

import own_corpora
from ctc_kd.corpus.hold_out import HoldOutJob
from ctc_kd.corpus.librispeech import ReadLibriSpeechAudioJob, ReadLibriSpeechTranscriptsJob
from ctc_kd.corpus.ogg_zip import OggZipJob, read_segments
from ctc_kd.corpus.problems import CorpusError
from ctc_kd.corpus.read_listed import ReadListedAudioJob, ReadListedTranscriptsJob
from ctc_kd.corpus.transcripts import read_texts, read_transcripts


def jobs(layout, files, **options):
    """The two readers of a list."""
    inputs = [tk.Path(str(path)) for path in files]
    audio = ReadListedAudioJob(layout=layout, files=inputs, **options)
    return audio, ReadListedTranscriptsJob(layout=layout, files=inputs, cuts=audio.out_cuts)


def cuts_of(run_here, layout, files, **options):
    return list(CutSet.from_file(run_here(jobs(layout, files, **options)[0]).out_cuts.get_path()))


def texts_of(run_here, layout, files):
    audio, transcripts = jobs(layout, files)
    run_here(audio)
    return read_texts(run_here(transcripts).out_transcripts.get_path())


@pytest.mark.parametrize("name", own_corpora.LAYOUTS)
def test_all_layouts_give_the_files_of_librispeechs(run_here, librispeech, tmp_path, name):
    """What follows sees no layout: audio, its order, what is held out, and transcripts are equal."""
    ours = ReadLibriSpeechAudioJob(corpus_dir=librispeech.path, part=librispeech.part)
    our_texts = ReadLibriSpeechTranscriptsJob(corpus_dir=librispeech.path, part=librispeech.part, cuts=ours.out_cuts)
    layout, write = own_corpora.LAYOUTS[name]
    theirs, their_texts = jobs(layout, write(librispeech, tmp_path / "other"))
    segments = [read_segments(run_here(job).out_cuts.get_path()) for job in (ours, theirs)]
    assert segments[0] == segments[1]
    assert len(segments[0]) == 4
    texts = [read_transcripts(run_here(job).out_transcripts.get_path()) for job in (our_texts, their_texts)]
    assert list(texts[0].items()) == list(texts[1].items())
    assert len(texts[0]) == 4
    splits = [run_here(HoldOutJob(cuts=job.out_cuts, share=0.3)) for job in (ours, theirs)]
    for first, second in zip(*([split.out_train, split.out_held_out] for split in splits), strict=True):
        assert files_of(run_here, first) == files_of(run_here, second)


def files_of(run_here, cuts):
    """Name -> content of the files of an archive."""
    with zipfile.ZipFile(run_here(OggZipJob(cuts=cuts)).out_ogg_zip.get_path()) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("name", own_corpora.LAYOUTS)
def test_manifests_know_no_text(run_here, librispeech, tmp_path, name):
    layout, write = own_corpora.LAYOUTS[name]
    cuts = run_here(jobs(layout, write(librispeech, tmp_path / "other"))[0]).out_cuts.get_path()
    with gzip.open(cuts, "rt") as file:
        assert not any("text" in json.loads(line)["supervisions"][0] for line in file)


def write_audio(path, seconds=1.0, rate=16000, channels=1):
    samples = 0.1 * np.random.default_rng(0).standard_normal((round(seconds * rate), channels))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)
    return path


def write_table(folder, text, name="table.tsv"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return [folder / name]


def test_segments_speakers_and_languages_of_a_table(run_here, tmp_path):
    write_audio(tmp_path / "talks" / "my talk.flac", 2.0)
    files = write_table(
        tmp_path,
        "path\tstart\tend\ttext\tlanguage\tspeaker\n"
        'talks/my talk.flac\t0.25\t1\t"Grüß \u3000 Gott",  sagt sie\tde\tAnn\n\n'
        "talks/my talk.flac\t1\t\t去 office 开会\tzh\t\n",
    )
    cuts = cuts_of(run_here, "table", files)
    assert [(cut.id, cut.start, cut.duration) for cut in cuts] == [
        ("talks-my_talk-00000250", 0.25, 0.75),
        ("talks-my_talk-00001000", 1.0, 1.0),
    ]
    assert [(cut.supervisions[0].speaker, cut.supervisions[0].language) for cut in cuts] == [
        ("Ann", "de"),
        ("talks-my_talk", "zh"),
    ]
    assert list(texts_of(run_here, "table", files).values()) == ['"Grüß Gott", sagt sie', "去 office 开会"]


def test_texts_become_nfc_and_csv_may_have_line_breaks(run_here, tmp_path):
    write_audio(tmp_path / "a.wav")
    files = write_table(tmp_path, '\ufeffpath,text\r\na.wav,"Cafe\u0301,\r\nna ja"\r\n', "table.csv")
    assert texts_of(run_here, "table", files) == {"a": "Café, na ja"}


def test_a_table_without_texts_is_audio(run_here, tmp_path):
    write_audio(tmp_path / "a.wav")
    assert [cut.id for cut in cuts_of(run_here, "table", write_table(tmp_path, "path\na.wav\n"))] == ["a"]


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ("path\ttxt\na.wav\tX\n", r"table.tsv:1: unknown column\(s\) \['txt'\], expected some of path, text, id"),
        ("text\nX\n", r"table.tsv:1: the columns \['text'\], expected path"),
        ("path\tpath\na.wav\ta.wav\n", r"table.tsv:1: the columns"),
        ("", r"table.tsv:1: the columns \[\]"),
        ("path\n", "no utterances"),
        ("path\ttext\na.wav\n", r"table.tsv:2: 1 fields, expected 2: path, text"),
        ("path\tstart\n\t1\n", "table.tsv:2: no path"),
        ("path\ngone.wav\n", r"table.tsv:2: .*gone.wav: cannot be read as audio \(.*No such file"),
        ("path\na.wav\na.wav\n", r"(?s)table.tsv:2: utterance a: the id is listed 2 times.*table.tsv:3: utterance a"),
        ("path\tid\na.wav\t;;x\n", "table.tsv:2: utterance ;;x: the id ';;x'"),
        ("path\tstart\na.wav\tone\n", "table.tsv:2: start 'one', expected seconds"),
        ("path\tstart\na.wav\tinf\n", "table.tsv:2: start 'inf', expected seconds"),
        ("path\tend\na.wav\tnan\n", "table.tsv:2: end 'nan', expected seconds"),
        ("path\tstart\na.wav\t-1\n", "utterance a--0001000: start -1 s, expected 0 or more"),
        ("path\tstart\tend\na.wav\t0.6\t0.5\n", "utterance a-00000600: start 0.6 s is not before end 0.5 s"),
        ("path\tend\na.wav\t1.5\n", "utterance a: 0 to 1.5 s, but .*a.wav has 1 s"),
        ("path\tstart\na.wav\t1\n", "utterance a-00001000: 1 to 1 s, but .*a.wav has 1 s"),
        ("path\tend\na.wav\t0.01\n", "utterance a: too short: 160 samples"),
    ],
)
def test_what_is_wrong_with_a_table_is_an_error_that_names_it(run_here, tmp_path, table, fault):
    write_audio(tmp_path / "a.wav")
    with pytest.raises(CorpusError, match=fault):
        cuts_of(run_here, "table", write_table(tmp_path, table))
    assert not list(tmp_path.rglob("cuts.jsonl.gz"))


def test_a_quotation_mark_that_is_not_closed_is_named(run_here, tmp_path):
    write_audio(tmp_path / "a.wav")
    with pytest.raises(CorpusError, match=r"table.csv:2: is no line of a table \(unexpected end of data\)"):
        cuts_of(run_here, "table", write_table(tmp_path, 'path,text\na.wav,"X\n', "table.csv"))


@pytest.mark.parametrize("text", ["", " \u3000 "])
def test_a_missing_text_is_named(run_here, tmp_path, text):
    write_audio(tmp_path / "a.wav")
    with pytest.raises(CorpusError, match="utterance a: .*table.tsv:2: an empty transcript"):
        texts_of(run_here, "table", write_table(tmp_path, f"path\ttext\na.wav\t{text}\n"))


def test_an_end_shortly_after_that_of_the_recording_is_cut_off(run_here, tmp_path):
    write_audio(tmp_path / "a.wav")
    (cut,) = cuts_of(run_here, "table", write_table(tmp_path, "path\tstart\tend\na.wav\t0.5\t1.4\n"))
    assert (cut.start, cut.num_samples) == (0.5, 8000)


def test_a_mixture_of_sample_rates_names_the_files(run_here, tmp_path):
    write_audio(tmp_path / "a.wav")
    write_audio(tmp_path / "b.wav", rate=8000)
    write_audio(tmp_path / "c.wav", rate=44100, channels=2)
    files = write_table(tmp_path, "path\na.wav\nb.wav\nc.wav\n")
    with pytest.raises(CorpusError, match=r"(?s)2 problem.*b.wav: 8000 Hz and 1 .*c.wav: 44100 Hz and 2 .*convert=T"):
        cuts_of(run_here, "table", files)
    cuts = cuts_of(run_here, "table", files, convert=True)
    assert [(cut.sampling_rate, cut.channel) for cut in cuts] == [(16000, 0), (8000, 0), (44100, [0, 1])]


def write_kaldi(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    write_audio(folder / "a.wav", 2.00001)  # not a whole number of milliseconds
    for name, content in {"wav.scp": "rec-a a.wav\n", **files}.items():
        (folder / name.replace("wav_scp", "wav.scp")).write_text(content, encoding="utf-8")
    return [folder]


SEGMENTS = "ann-1 rec-a 0.25 1\nbob-2 rec-a 1.0 -1\n"


def test_segments_of_a_kaldi_folder_are_those_that_lhotse_reads(run_here, tmp_path):
    (folder,) = files = write_kaldi(
        tmp_path,
        wav_scp=f"rec-a {tmp_path}/a.wav\n",
        segments=SEGMENTS,
        utt2spk="ann-1 Ann\nbob-2 Bob\n",
        utt2lang="ann-1 de\nbob-2 en\n",
        text="ann-1 Grüß  Gott\nbob-2 hello\n",
    )
    _, supervisions, _ = load_kaldi_data_dir(folder, sampling_rate=16000)
    cuts = cuts_of(run_here, "kaldi", files)
    assert [cut.id for cut in cuts] == [supervision.id for supervision in supervisions] == ["ann-1", "bob-2"]
    for cut, theirs in zip(cuts, supervisions, strict=True):
        ours = cut.supervisions[0]
        assert (cut.start, ours.speaker, ours.language) == (theirs.start, theirs.speaker, theirs.language)
        assert cut.duration == pytest.approx(theirs.duration, abs=0.001)  # lhotse rounds to milliseconds
    assert cuts[1].num_samples == soundfile.info(tmp_path / "a.wav").frames - 16000
    assert texts_of(run_here, "kaldi", files) == {"ann-1": "Grüß Gott", "bob-2": "hello"}


def test_without_segments_the_recordings_of_a_kaldi_folder_are_the_utterances(run_here, tmp_path):
    (cut,) = cuts_of(run_here, "kaldi", write_kaldi(tmp_path))
    assert (cut.id, cut.supervisions[0].speaker, cut.num_samples) == ("rec-a", "rec-a", 32000)


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"wav_scp": "a sph2pipe -f wav a.sph |\n"}, r"wav.scp:1: recording a: a pipe \(sph2pipe.*write its output to"),
        ({"wav_scp": "a gone.wav\n"}, "wav.scp:1: .*gone.wav: cannot be read as audio"),
        ({"wav_scp": "a a.wav\na a.wav\n"}, "wav.scp:2: a is listed a second time"),
        ({"segments": "x rec-b 0 1\n"}, "segments:1: utterance x: no audio, its recording rec-b is not in wav.scp"),
        ({"segments": ""}, "no utterances"),
        ({"segments": "x rec-a 0\n"}, "segments:1: utterance x: 'rec-a 0', expected a recording, a start and an end"),
        ({"segments": "x rec-a 0 2.5\n"}, "segments:1: utterance x: 0 to 2.5 s, but .*a.wav has 2 s"),
        ({"segments": SEGMENTS + "ann-1 rec-a 0 1\n"}, "segments:3: ann-1 is listed a second time"),
        ({"utt2spk": "rec-a A\nrec-b B\n"}, "utt2spk:2: utterance rec-b: no audio, it is not in wav.scp"),
        (
            {"utt2spk": "ann-1 A\nx B\n", "segments": SEGMENTS},
            "utt2spk:2: utterance x: no audio, it is not in segments",
        ),
    ],
)
def test_what_is_wrong_with_a_kaldi_folder_is_an_error_that_names_it(run_here, tmp_path, files, fault):
    with pytest.raises(CorpusError, match=fault):
        cuts_of(run_here, "kaldi", write_kaldi(tmp_path, **files))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("ann-1 A\n", "utterance bob-2: .*a.wav has no transcript"),
        ("ann-1 A\nbob-2\n", "utterance bob-2: .*text:2: an empty transcript"),
        ("ann-1 A\nbob-2 B\ncy-3 C\n", "utterance cy-3: .*text:3: a transcript, but no audio"),
        ("ann-1 A\nbob-2 B\nann-1 C\n", "utterance ann-1: .*text:3: a second transcript"),
    ],
)
def test_what_is_wrong_with_the_texts_of_a_kaldi_folder_is_named(run_here, tmp_path, text, fault):
    with pytest.raises(CorpusError, match=fault):
        texts_of(run_here, "kaldi", write_kaldi(tmp_path, segments=SEGMENTS, text=text))


def write_manifest(path, *entries):
    path.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))
    return path


def recording(**changes):
    source = {"type": "file", "channels": [0], "source": "a.wav"}
    entry = {"id": "rec", "sources": [source], "sampling_rate": 16000, "num_samples": 16000, "duration": 1.0}
    return {**entry, **changes}


def supervision(**changes):
    return {"id": "utt", "recording_id": "rec", "start": 0.0, "duration": 1.0, "channel": 0, "text": "X", **changes}


def cut(**changes):
    entry = {"id": "cut", "start": 0.25, "duration": 0.5, "channel": 0, "type": "MonoCut", "recording": recording()}
    return {**entry, "supervisions": [], **changes}


def test_supervisions_lie_in_their_cuts_and_cuts_without_are_utterances(run_here, tmp_path):
    write_audio(tmp_path / "a.wav")
    two = [supervision(start=0.0, duration=0.2), supervision(id="v w", start=0.25, duration=0.25, text="Y")]
    path = write_manifest(tmp_path / "cuts.jsonl", cut(), cut(id="other", supervisions=two))
    cuts = cuts_of(run_here, "lhotse", [path])
    assert [(item.id, item.start, item.duration) for item in cuts] == [
        ("cut", 0.25, 0.5),
        ("utt", 0.25, 0.2),
        ("v_w", 0.5, 0.25),
    ]


def test_recordings_alone_are_audio(run_here, tmp_path):
    write_audio(tmp_path / "a.wav")
    (only,) = cuts_of(run_here, "lhotse", [write_manifest(tmp_path / "recordings.jsonl", recording())])
    assert (only.id, only.num_samples) == ("rec", 16000)


def test_a_manifest_chooses_channels(run_here, tmp_path):
    write_audio(tmp_path / "a.wav", channels=2)
    sources = [{"type": "file", "channels": [0, 3], "source": "a.wav"}]
    files = [
        write_manifest(tmp_path / "recordings.jsonl", recording(sources=sources)),
        write_manifest(tmp_path / "supervisions.jsonl", supervision(channel=3), supervision(id="all", channel=[0, 3])),
    ]
    assert {item.id: item.channel for item in cuts_of(run_here, "lhotse", files, convert=True)} == {
        "utt": 1,
        "all": [0, 1],
    }


def resampled_by_lhotse():
    return recording(
        transforms=[{"name": "Resample", "kwargs": {"source_sampling_rate": 8, "target_sampling_rate": 16}}]
    )


@pytest.mark.parametrize(
    ("recordings", "supervisions", "fault"),
    [
        ([recording()], [supervision(recording_id="b")], "s.jsonl:1: utterance utt: no recording b"),
        ([recording()], [supervision(), supervision()], "s.jsonl:2: utterance utt: the id is listed 2 times"),
        ([recording()], [supervision(duration=2.0)], "s.jsonl:1: utterance utt: 0 to 2 s, but .*a.wav has 1 s"),
        ([recording()], [supervision(channel=1)], r"s.jsonl:1: recording rec: no file has the channel\(s\) \[1\]"),
        ([recording(), recording()], [supervision()], "r.jsonl:2: recording rec: the id is listed a second time"),
        ([recording()], ["no object"], "s.jsonl:1: no entry of a lhotse manifest, expected a JSON object"),
        ([recording()], [supervision(id=5)], "s.jsonl:1: no entry of a lhotse manifest"),
        ([recording()], [{"id": "a", "recording_id": "rec"}], r"s.jsonl:1: no entry of a lhotse manifest \(KeyError"),
        ([resampled_by_lhotse()], [supervision()], "recording rec: lhotse would change its audio on the way"),
        (
            [recording(sources=[{"type": "file", "channels": [0], "source": "gone.wav"}])],
            [supervision()],
            "s.jsonl:1: .*gone.wav: cannot be read as audio",
        ),
        (
            [recording(sources=[{"type": "command", "channels": [0], "source": "cat a.wav"}])],
            [supervision()],
            r"recording rec: its audio is no file but a command \('cat a.wav'\)",
        ),
    ],
)
def test_what_is_wrong_with_manifests_is_an_error_that_names_it(run_here, tmp_path, recordings, supervisions, fault):
    write_audio(tmp_path / "a.wav")
    files = [write_manifest(tmp_path / "r.jsonl", *recordings), write_manifest(tmp_path / "s.jsonl", *supervisions)]
    with pytest.raises(CorpusError, match=fault):
        cuts_of(run_here, "lhotse", files)


def test_a_cut_without_audio_of_its_own_is_named(run_here, tmp_path):
    entries = [cut(type="MixedCut", tracks=[]), cut()]
    del entries[1]["recording"]
    with pytest.raises(CorpusError, match="(?s)2 problem.*:1: cut cut: a MixedCut without .*:2: cut cut: a MonoCut wi"):
        cuts_of(run_here, "lhotse", [write_manifest(tmp_path / "cuts.jsonl", *entries)])


def test_what_is_no_cut_is_named(run_here, tmp_path):
    entries = [cut(), cut(start="0"), cut(supervisions=["no object"]), cut()]
    del entries[3]["type"]
    with pytest.raises(CorpusError, match="(?s)3 problem.*jsonl:2: no entry.*jsonl:3: no entry.*jsonl:4: no entry"):
        cuts_of(run_here, "lhotse", [write_manifest(tmp_path / "cuts.jsonl", *entries)])


def test_a_supervision_without_text_is_named(run_here, tmp_path):
    write_audio(tmp_path / "a.wav")
    files = [
        write_manifest(tmp_path / "r.jsonl", recording()),
        write_manifest(
            tmp_path / "s.jsonl", supervision(), supervision(id="b", text=None), supervision(id="c\0", text="\0")
        ),
    ]
    with pytest.raises(
        CorpusError, match=r"(?s)2 problem.*the characters '\\x00', expected text.*b: .*no transcript.*\n.*both jobs"
    ):
        texts_of(run_here, "lhotse", files)


def test_samples_of_another_layout_are_those_of_librispeechs(run_here, librispeech, tmp_path):
    kaldi = jobs("kaldi", own_corpora.as_kaldi(librispeech, tmp_path / "other"))[0]
    archives = [
        Path(run_here(OggZipJob(cuts=run_here(job).out_cuts)).out_ogg_zip.get_path())
        for job in (ReadLibriSpeechAudioJob(corpus_dir=librispeech.path, part=librispeech.part), kaldi)
    ]
    assert archives[0].read_bytes() == archives[1].read_bytes()


def test_an_unknown_layout_is_refused():
    with pytest.raises(ValueError, match=r"layout is 'tabel', expected one of \['table', 'kaldi', 'lhotse'\]"):
        ReadListedAudioJob(layout="tabel", files=[])
