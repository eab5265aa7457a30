"""Audio of other sample rates and channels."""

import resource
from contextlib import contextmanager

import numpy as np
import pytest
import soundfile
from lhotse import CutSet, Recording
from sisyphus import tk

from ctc_kd.corpus import convert as convert_module
from ctc_kd.corpus.audio_folder import ReadAudioFolderJob
from ctc_kd.corpus.convert import ConvertAudioJob, convert
from ctc_kd.corpus.cuts import recording_of, segment_cut, write_cuts
from ctc_kd.corpus.ogg_zip import OggZipJob
from ctc_kd.corpus.problems import CorpusError
from ctc_kd.corpus.resampling import resampled

RNG = np.random.default_rng(0)


def write(path, num_samples, rate, channels=1, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * RNG.standard_normal((num_samples, channels)), rate, **options)
    return path


def converted(run_here, cuts):
    return list(CutSet.from_file(run_here(ConvertAudioJob(cuts=cuts)).out_cuts.get_path()))


def cuts_of_folder(run_here, folder, **options):
    return run_here(ReadAudioFolderJob(folder=tk.Path(str(folder)), convert=True, **options)).out_cuts


@pytest.mark.parametrize(("rate", "ending"), [(8000, "wav"), (44100, "flac"), (48000, "ogg"), (11025, "wav")])
def test_blocks_come_to_what_lhotse_makes_of_the_whole(run_here, tmp_path, monkeypatch, rate, ending):
    monkeypatch.setattr(convert_module, "BLOCK_S", 2)
    path = write(tmp_path / "in" / f"a.{ending}", 7 * rate + 123, rate)
    (cut,) = converted(run_here, cuts_of_folder(run_here, tmp_path / "in"))
    theirs = Recording.from_file(path).resample(16000).load_audio()[0]
    assert cut.num_samples == -(-(7 * rate + 123) * 16000 // rate)
    np.testing.assert_allclose(cut.load_audio()[0], theirs[: cut.num_samples], atol=2**-15)


def test_channels_are_mixed_without_resampling(run_here, tmp_path):
    path = write(tmp_path / "in" / "a.wav", 16000, 16000, channels=2)
    (cut,) = converted(run_here, cuts_of_folder(run_here, tmp_path / "in"))
    samples, _ = soundfile.read(path, dtype="int16")
    np.testing.assert_array_equal(cut.load_audio()[0] * 2**15, samples.astype(float).mean(axis=1).round())


def test_an_utterance_keeps_its_place_and_its_channel(run_here, tmp_path):
    path = write(tmp_path / "a.wav", 48000, 24000, channels=2)
    recording = recording_of("a", audio=str(path), num_samples=48000, sample_rate_hz=24000, channels=2)
    spans = [(12001, 11999, [0]), (30001, 17999, [0]), (12001, 11999, [1])]
    cuts = [
        segment_cut(str(number), recording=recording, start=start, num_samples=length, speaker="s", channels=channels)
        for number, (start, length, channels) in enumerate(spans)
    ]
    write_cuts(tmp_path / "cuts.jsonl.gz", cuts)
    first, second, other = converted(run_here, tk.Path(str(tmp_path / "cuts.jsonl.gz")))
    assert [(cut.id, round(cut.start * 16000), cut.num_samples) for cut in (first, second, other)] == [
        ("0", 8001, 7999),
        ("1", 20001, 11999),
        ("2", 8001, 7999),
    ]
    whole = Recording.from_file(path).resample(16000).load_audio()
    np.testing.assert_allclose(first.load_audio()[0], whole[0, 8001:16000], atol=2**-15)
    np.testing.assert_allclose(other.load_audio()[0], whole[1, 8001:16000], atol=2**-15)
    assert first.recording == second.recording != other.recording


def test_what_is_16_khz_mono_already_is_left_where_it_is(run_here, tmp_path):
    for name, rate in (("a", 16000), ("b", 8000)):
        write(tmp_path / "in" / f"{name}.flac", rate, rate)
    cuts = cuts_of_folder(run_here, tmp_path / "in")
    before, after = list(CutSet.from_file(cuts.get_path())), converted(run_here, cuts)
    assert after[0] == before[0]
    assert after[1].recording.sources[0].source.startswith(str(tmp_path / "work"))
    assert after[1].custom == {"converted_from": before[1].recording.sources[0].source, "channels": [0]}


def test_all_of_it_goes_into_an_archive(run_here, tmp_path):
    write(tmp_path / "in" / "a.wav", 30001, 8000, channels=2)
    write(tmp_path / "in" / "b.wav", 22050, 22050)
    cuts = cuts_of_folder(run_here, tmp_path / "in", max_seconds=1.0)
    run_here(OggZipJob(cuts=run_here(ConvertAudioJob(cuts=cuts)).out_cuts))


def test_a_killed_job_keeps_what_is_finished(run_here, tmp_path, monkeypatch):
    for name, num_samples in (("a", 8000), ("b", 8800), ("c", 9600)):
        write(tmp_path / "in" / f"{name}.wav", num_samples, 8000)
    job = ConvertAudioJob(cuts=cuts_of_folder(run_here, tmp_path / "in"))
    job.rqmt["cpu"] = 1
    opened, mended = [], convert_module.mended

    def kill_at_b(path):
        opened.append(path[-5])
        if opened == ["a", "b"]:
            raise KeyboardInterrupt
        return mended(path)

    monkeypatch.setattr(convert_module, "mended", kill_at_b)
    with pytest.raises(KeyboardInterrupt):
        run_here(job)
    assert not list(tmp_path.rglob("ConvertAudioJob*/output/cuts*"))
    opened.append("again")
    write(tmp_path / "in" / "0.wav", 4000, 8000)  # whose place in the manifest is that of a
    cuts_of_folder(run_here, tmp_path / "in")
    cuts = list(CutSet.from_file(run_here(job).out_cuts.get_path()))
    assert [(cut.id, cut.recording.duration) for cut in cuts] == [("0", 0.5), ("a", 1.0), ("b", 1.1), ("c", 1.2)]
    assert "a" not in opened[opened.index("again") :]


def spoil(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x55
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["b.flac", "b.ogg"])
def test_corrupt_audio_is_an_error_that_names_it_and_leaves_no_file(run_here, tmp_path, monkeypatch, name):
    monkeypatch.setattr(convert_module, "BLOCK_S", 2)
    write(tmp_path / "in" / "a.flac", 80000, 8000)
    spoil(write(tmp_path / "in" / name, 80000, 8000))
    with pytest.raises(CorpusError, match=f"(?s)1 problem.*{name}: cannot be decoded"):
        converted(run_here, cuts_of_folder(run_here, tmp_path / "in"))
    assert len(list(tmp_path.rglob("output/audio/*.flac"))) == 1


@contextmanager
def largest_file(size):
    """Writing behind it is an error, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_is_not_a_fault_of_the_recording(tmp_path):
    source = (str(write(tmp_path / "a.wav", 80000, 8000)), (0,))
    target, broken = tmp_path / "a.flac", tmp_path / "broken.flac"
    assert convert(source, str(target)) == 160000
    for size in (target.stat().st_size // 2, target.stat().st_size - 1):
        with largest_file(size), pytest.raises(OSError, match=r"broken.flac.partial: cannot be written .*disk full\?"):
            convert(source, str(broken))
        assert not broken.exists()


def test_a_sample_rate_that_would_fill_the_memory_is_refused():
    (block,) = resampled([np.zeros(44056, "float32")], 44056)
    assert len(block) == 16000
    with pytest.raises(CorpusError, match="31999 Hz takes too much memory to resample here; run ffmpeg"):
        next(resampled([np.zeros(31999, "float32")], 31999))
