import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
import torch
from sisyphus import tk

from ctc_kd.corpus.cuts import segment_cut, whole_recording_cut, write_cuts
from ctc_kd.corpus.librispeech import ReadLibriSpeechAudioJob
from ctc_kd.corpus.ogg_zip import OggZipJob, bounded_map
from ctc_kd.corpus.problems import CorpusError
from ctc_kd.nn.config import LogMelConfig
from ctc_kd.nn.features import LogMel
from ctc_kd.training.datasets import utterance_durations


def archive_of(run_here, folder, **options):
    cuts = run_here(ReadLibriSpeechAudioJob(corpus_dir=folder.path, part=folder.part)).out_cuts
    return OggZipJob(cuts=cuts, **options)


def dataset(path, **audio):
    from returnn.datasets.audio import OggZipDataset

    data = OggZipDataset(path, targets=None, audio={"features": "raw", "sample_rate": 16000, **audio})
    data.initialize()
    data.init_seq_order(epoch=1)
    return data


def read_all(data):
    """Sequence tag -> samples ``[N, 1]``"""
    sequences = {}
    index = 0
    while data.is_less_than_num_seqs(index):
        data.load_seqs(index, index + 1)
        sequences[data.get_tag(index)] = data.get_data(index, "data")
        index += 1
    return sequences


def test_returnn_reads_ids_and_samples(run_here, librispeech):
    path = run_here(archive_of(run_here, librispeech)).out_ogg_zip.get_path()
    sequences = read_all(dataset(path, peak_normalization=False))
    assert list(sequences) == ["19-198-0000", "19-198-0001", "26-495-0000", "26-496-0003"]
    for utterance, samples in sequences.items():
        expected, _ = soundfile.read(librispeech.audio(utterance), dtype="float32")
        assert samples.dtype == np.float32
        np.testing.assert_array_equal(samples[:, 0], expected)


def test_whole_files_are_copied_and_archives_are_equal_byte_by_byte(run_here, librispeech):
    job = run_here(archive_of(run_here, librispeech))
    path = job.out_ogg_zip.get_path()
    with zipfile.ZipFile(path) as archive:
        for utterance in ("19-198-0000", "26-496-0003"):
            assert archive.read(f"audio/{utterance}.flac") == librispeech.audio(utterance).read_bytes()
        assert "NORTHANGER" not in archive.read("audio.txt").decode()
    with open(path, "rb") as file:
        first = file.read()
    run_here(job)
    with open(path, "rb") as file:
        assert file.read() == first


def test_returnn_reads_vorbis(run_here, librispeech):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(40000) / 16000)
    librispeech.write_audio("19-198-0001", tone)
    path = run_here(archive_of(run_here, librispeech, audio_format="vorbis")).out_ogg_zip.get_path()
    with zipfile.ZipFile(path) as archive:
        assert archive.read("audio/19-198-0001.ogg")[:4] == b"OggS"
    sequences = read_all(dataset(path, peak_normalization=False))
    assert {utterance: len(samples) for utterance, samples in sequences.items()} == {
        "19-198-0000": 8000,
        "19-198-0001": 40000,
        "26-495-0000": 8200,
        "26-496-0003": 8300,
    }
    assert np.abs(sequences["19-198-0001"][:, 0] - tone).mean() < 0.01


def test_features_of_vorbis_differ_by_less_than_2_db(run_here, librispeech):
    path = run_here(archive_of(run_here, librispeech, audio_format="vorbis")).out_ogg_zip.get_path()
    for utterance, decoded in read_all(dataset(path, peak_normalization=False)).items():
        original, _ = soundfile.read(librispeech.audio(utterance), dtype="float32")
        before, after = log_mel(original), log_mel(decoded[:, 0])
        assert 0 < (before - after).abs().mean() < 0.2  # log10 of the power


def log_mel(samples):
    features, _ = LogMel(LogMelConfig())(torch.from_numpy(samples)[None], torch.tensor([len(samples)]))
    return features


def test_returnn_reads_a_perturbed_archive_beside_the_plain_one(run_here, librispeech):
    cuts = run_here(ReadLibriSpeechAudioJob(corpus_dir=librispeech.path, part=librispeech.part)).out_cuts
    paths = [run_here(OggZipJob(cuts=cuts, length_factor=factor)).out_ogg_zip.get_path() for factor in (0.9, 1.0, 1.1)]
    sequences = read_all(dataset(paths, peak_normalization=False))
    durations = utterance_durations(paths)
    assert list(durations) == list(sequences)
    assert {utterance: len(samples) for utterance, samples in sequences.items() if utterance.startswith("26-495")} == {
        "26-495-0000-sp0.9": 7380,
        "26-495-0000": 8200,
        "26-495-0000-sp1.1": 9020,
    }
    assert all(durations[utterance] == len(samples) / 16000 for utterance, samples in sequences.items())
    assert len(sequences) == 12


def test_the_id_of_a_plain_archive_stays():
    cuts = tk.Path("/cuts.jsonl.gz")
    ids = {
        OggZipJob(cuts=cuts, **options).job_id() for options in ({}, {"audio_format": "flac"}, {"length_factor": 1.0})
    }
    assert ids == {"ctc_kd/corpus/ogg_zip/OggZipJob.GyRWoQsVUA1Z"}
    others = [OggZipJob(cuts=cuts, audio_format="vorbis"), OggZipJob(cuts=cuts, length_factor=0.9)]
    assert len(ids | {job.job_id() for job in others}) == 3


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match=r"audio_format is 'mp3', expected one of \['flac', 'vorbis'\]"):
        OggZipJob(cuts=tk.Path("/cuts.jsonl.gz"), audio_format="mp3")


def segment(utterance, recording, start, duration, speaker="s"):
    start, num_samples = (round(16000 * seconds) for seconds in (start, duration))
    return segment_cut(utterance, recording=recording, start=start, num_samples=num_samples, speaker=speaker)


def recording_of(path, name="talk"):
    header = soundfile.info(path)
    whole = whole_recording_cut(
        name, audio=str(path), num_samples=header.frames, sample_rate_hz=header.samplerate, speaker=name
    )
    return whole.recording


@pytest.mark.parametrize("ending", ["flac", "wav"])
def test_utterances_within_a_recording_are_cut_losslessly(run_here, tmp_path, ending):
    samples = (2000 * np.random.default_rng(0).standard_normal(32000)).astype("int16")
    soundfile.write(tmp_path / f"talk.{ending}", samples, 16000, subtype="PCM_16")
    talk = recording_of(tmp_path / f"talk.{ending}")
    write_cuts(tmp_path / "cuts.jsonl.gz", [segment("talk-2", talk, 1.0, 0.5), segment("talk-1", talk, 0.25, 1.0)])
    path = run_here(OggZipJob(cuts=tk.Path(str(tmp_path / "cuts.jsonl.gz")))).out_ogg_zip.get_path()
    sequences = read_all(dataset(path, peak_normalization=False))
    assert list(sequences) == ["talk-2", "talk-1"]
    np.testing.assert_array_equal(sequences["talk-2"][:, 0] * 2**15, samples[16000:24000])
    np.testing.assert_array_equal(sequences["talk-1"][:, 0] * 2**15, samples[4000:20000])


def test_a_recording_is_decoded_once_for_all_its_utterances(run_here, tmp_path, monkeypatch):
    soundfile.write(tmp_path / "talk.wav", np.zeros(160000), 16000)
    talk = recording_of(tmp_path / "talk.wav")
    write_cuts(tmp_path / "cuts.jsonl.gz", [segment(f"talk-{i}", talk, i / 50, 0.25) for i in range(400)])
    decoded, read = [], soundfile.SoundFile.read
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda file, *a, **k: decoded.append(file) or read(file, *a, **k))
    path = run_here(OggZipJob(cuts=tk.Path(str(tmp_path / "cuts.jsonl.gz")))).out_ogg_zip.get_path()
    assert len(decoded) == 1
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 401


@pytest.mark.parametrize(
    ("rate", "shape", "problem"),
    [
        (8000, (8100, 1), "8000 Hz and 1 channel"),
        (16000, (8100, 2), "16000 Hz and 2 channel"),
        (16000, (0, 1), "cannot be decoded"),
        (None, None, "cannot be decoded"),
    ],
)
def test_audio_that_changed_after_it_was_listed_is_an_error(run_here, librispeech, rate, shape, problem):
    job = archive_of(run_here, librispeech)
    path = librispeech.audio("19-198-0001")
    path.unlink()
    if rate:
        soundfile.write(path, np.zeros(shape), rate)
    with pytest.raises(CorpusError, match=f"utterance 19-198-0001: .*19-198-0001.flac: {problem}"):
        run_here(job)


@pytest.mark.parametrize(("first", "second"), [("talk-1", "talk-1"), ("talk/1", "talk_1")])
def test_ids_that_are_not_unique_in_an_archive_are_an_error(run_here, tmp_path, first, second):
    soundfile.write(tmp_path / "talk.flac", np.zeros(16000), 16000)
    talk = recording_of(tmp_path / "talk.flac")
    write_cuts(tmp_path / "cuts.jsonl.gz", [segment(first, talk, 0.0, 0.5), segment(second, talk, 0.5, 0.5)])
    with pytest.raises(CorpusError, match=rf"(?s)2 problem.*utterance {first}: .*utterance {second}: .*not unique"):
        run_here(OggZipJob(cuts=tk.Path(str(tmp_path / "cuts.jsonl.gz"))))


def test_a_manifest_without_utterances_is_an_error(run_here, tmp_path):
    write_cuts(tmp_path / "cuts.jsonl.gz", [])
    with pytest.raises(CorpusError, match="cuts.jsonl.gz: 1 problem.*\n  no utterances"):
        run_here(OggZipJob(cuts=tk.Path(str(tmp_path / "cuts.jsonl.gz"))))


def test_an_utterance_beyond_the_recording_is_an_error(run_here, tmp_path):
    soundfile.write(tmp_path / "talk.flac", np.zeros(16000), 16000)
    talk = recording_of(tmp_path / "talk.flac")
    write_cuts(tmp_path / "cuts.jsonl.gz", [segment("talk-1", talk, 0.0, 1.0)])
    soundfile.write(tmp_path / "talk.flac", np.zeros(8000), 16000)
    with pytest.raises(CorpusError, match=r"talk-1: .*talk.flac: samples 0 to 16000 .* recording's 8000"):
        run_here(OggZipJob(cuts=tk.Path(str(tmp_path / "cuts.jsonl.gz"))))


@pytest.mark.parametrize(("container", "subtype"), [("WAV", "FLOAT"), ("WAV", "PCM_24"), ("OGG", "VORBIS")])
def test_samples_of_other_kinds_are_rounded_and_clipped(run_here, tmp_path, container, subtype):
    path = tmp_path / "talk"
    square = 0.99 * np.sign(np.sin(np.arange(32000) / 6)).astype("float32")
    soundfile.write(path, square, 16000, format=container, subtype=subtype)
    decoded, _ = soundfile.read(path, dtype="float32")  # Vorbis goes beyond 1
    write_cuts(tmp_path / "cuts.jsonl.gz", [segment("talk-1", recording_of(path), 0.25, 1.0)])
    archive = run_here(OggZipJob(cuts=tk.Path(str(tmp_path / "cuts.jsonl.gz")))).out_ogg_zip.get_path()
    samples = read_all(dataset(archive, peak_normalization=False))["talk-1"][:, 0]
    np.testing.assert_allclose(samples, decoded[4000:20000].clip(-1, 1), atol=2**-15)


def test_an_utterance_that_becomes_too_short_is_an_error(run_here, librispeech):
    librispeech.write_audio("19-198-0001", np.zeros(900))
    run_here(archive_of(run_here, librispeech))
    with pytest.raises(CorpusError, match=r"utterance 19-198-0001: .*0001.flac: too short: 810 samples"):
        run_here(archive_of(run_here, librispeech, length_factor=0.9))


def flip(content):
    content[len(content) // 2] ^= 0x55  # the header is fine


def truncate(content):
    del content[len(content) // 2 :]


def count_fewer(content):
    content[24:26] = (4000).to_bytes(2, "big")  # of the 8200 samples


@pytest.mark.parametrize("spoil", [flip, truncate, count_fewer])
def test_corrupt_audio_is_an_error_that_names_it_and_leaves_no_archive(run_here, librispeech, spoil):
    bad = librispeech.audio("26-495-0000")
    content = bytearray(bad.read_bytes())
    spoil(content)
    bad.write_bytes(content)
    job = archive_of(run_here, librispeech)
    with pytest.raises(CorpusError, match=r"utterance 26-495-0000: .*26-495-0000.flac: cannot be decoded"):
        run_here(job)
    assert not list(librispeech.root.parent.rglob("audio.zip"))


def test_bounded_map_keeps_order_and_few_results():
    running, most = set(), 0
    lock = threading.Lock()

    def work(item):
        with lock:
            running.add(item)
        return item * item

    results = []
    with ThreadPoolExecutor(4) as pool:
        for result in bounded_map(pool, work, range(50), window=6):
            results.append(result)
            most = max(most, len(running) - len(results))
    assert results == [item * item for item in range(50)]
    assert most <= 6
