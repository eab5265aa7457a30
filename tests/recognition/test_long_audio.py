"""Long recordings go through the model in windows; nothing is lost, said twice or misheard where they meet."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ctc_kd.decoding.found import found_by_labels
from ctc_kd.recognition import long_audio
from ctc_kd.recognition.long_audio import cut_out, longest_run, one_thread, speech_spans, windows_of
from ctc_kd.recognition.recogniser import Recogniser
from ctc_kd.recognition.sound import of_samples
from levels import FRAME, INVENTORY, RATE, Loudness, spoken, student


@pytest.fixture(autouse=True)
def by_loudness(monkeypatch):
    monkeypatch.setattr("silero_vad.load_silero_vad", Loudness)


def words(segments):
    return [(word.text, round(word.start_s, 3), round(word.end_s, 3)) for segment in segments for word in segment.words]


def speech(seconds, seed=0):
    """Random words without a longer pause, which lie anywhere in a window."""
    rng = np.random.default_rng(seed)
    text = "_" * 20
    while len(text) * FRAME < seconds * RATE:
        word = [str(letter) + "_" * rng.integers(1, 3) for letter in rng.choice(list("ABCD"), rng.integers(1, 5))]
        text += "".join(word) + "|" + "_" * rng.integers(0, 6)
    return spoken(text + "_" * 20)


def undivided(monkeypatch):
    monkeypatch.setattr(long_audio, "windows_of", lambda span, step: [span])


@pytest.mark.parametrize("seconds", [31, 57, 100])
def test_words_where_pieces_meet_are_those_of_the_undivided_recording(seconds, monkeypatch):
    samples, reader = speech(seconds), student(edge=24)
    divided = words(Recogniser(reader).transcribe(samples))
    assert reader.model.longest_s <= 30.1
    undivided(monkeypatch)
    whole = words(Recogniser(reader).transcribe(samples))
    # at its own start and end the model errs in both
    assert divided == whole and len(whole) > 2 * seconds and reader.model.longest_s > 30.1


def test_a_word_at_the_join_is_neither_lost_nor_said_twice(monkeypatch):
    """Without a blank in which windows could be joined."""
    monkeypatch.setattr(long_audio, "WINDOW_S", 4)
    monkeypatch.setattr(long_audio, "OVERLAP_S", 2)
    text = "_" * 20 + "AAAAAABBBBBB" * 30 + "_" * 20
    (segment,) = Recogniser(student()).transcribe(spoken(text))
    assert segment.text.strip("E") == "AB" * 30


def test_pauses_divide_and_times_are_those_of_the_recording():
    part = "_" * 20 + "|A_B|" + "_" * 19
    found = Recogniser(student()).transcribe(spoken(part + "_" * 700 + part))
    named = [word for word in words(found) if "A" in word[0]]
    assert len(found) == 2 and [word[0] for word in named] == ["AB", "AB"]
    shift = len(part + "_" * 700) * 0.04
    assert named[1][1:] == pytest.approx([time + shift for time in named[0][1:]])
    assert named[0][1:] == pytest.approx((21 * 0.04, 24 * 0.04))


def test_a_long_stretch_is_searched_in_parts_between_words(monkeypatch):
    samples, recogniser = speech(90), Recogniser(student())
    whole = words(recogniser.transcribe(samples))
    monkeypatch.setattr(long_audio, "LONGEST_SEARCH_S", 20)
    parts = recogniser.transcribe(samples)
    longest = max(part.words[-1].end_s - part.words[0].start_s for part in parts)
    assert words(parts) == whole and 5 <= len(parts) <= 7 and longest <= 20


def test_the_detector_of_speech_has_one_thread_and_the_model_keeps_its_own(monkeypatch):
    threads = []

    def detector():
        threads.append(torch.get_num_threads())
        return Loudness()

    monkeypatch.setattr("silero_vad.load_silero_vad", detector)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        Recogniser(student()).transcribe(speech(31))
        assert (threads, torch.get_num_threads()) == ([1], 2)
    finally:
        torch.set_num_threads(before)


def test_callers_in_several_threads_leave_the_number_of_threads_as_it_was():
    before, (first, second) = torch.get_num_threads(), (one_thread(), one_thread())
    torch.set_num_threads(2)
    try:
        with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other, ThreadPoolExecutor(1) as third:
            one.submit(first.__enter__).result()
            other.submit(second.__enter__).result()
            one.submit(first.__exit__, None, None, None).result()
            other.submit(second.__exit__, None, None, None).result()
            assert [pool.submit(torch.get_num_threads).result() for pool in (one, other, third)] == [2, 2, 2]
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("scale", [1e-3, 1e-30])
def test_quiet_speech_is_found_where_loud_speech_is(scale):
    samples = spoken("_" * 400 + "D" * 30 + "_" * 400)
    loud, quiet = (speech_spans(of_samples(level * samples, RATE)) for level in (1, scale))
    assert len(loud) == 1 and quiet == loud


def test_words_come_before_the_recording_is_read():
    read = []

    def blocks():
        for number in range(40):
            read.append(number)
            yield speech(60, seed=number)[: 60 * RATE]

    first = next(Recogniser(student()).segments(blocks))
    assert first.words and 40 < len(read) < 50  # the detector has read all, the model only the first minutes


@given(start=st.integers(0, 10**6), length=st.integers(1, 10**7), step=st.sampled_from([160, 640, 960, 1280]))
def test_windows_cover_a_span_and_overlap(start, length, step):
    windows = windows_of((start, start + length), step=step)
    assert windows[0][0] == start and windows[-1][1] == start + length
    assert all((begin - start) % step == 0 for begin, _ in windows)
    assert all(end - begin <= 30 * RATE + step for begin, end in windows)
    assert all(a_end - b_begin == 4 * RATE for (_, a_end), (b_begin, _) in zip(windows, windows[1:], strict=False))
    assert all(end - begin > 4 * RATE for begin, end in windows if len(windows) > 1)


@given(
    sizes=st.lists(st.integers(1, 50), max_size=8),
    cuts=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 60)), max_size=6),
)
def test_cut_out_is_slicing(sizes, cuts):
    signal = np.arange(sum(sizes), dtype="float32")
    blocks = np.split(signal, np.cumsum(sizes)[:-1]) if sizes else []
    starts = np.cumsum([step for step, _ in cuts]).tolist()
    ends = np.maximum.accumulate([start + size for start, (_, size) in zip(starts, cuts, strict=True)] or [0]).tolist()
    spans = list(zip(starts, ends, strict=False))
    for (start, end), piece in zip(spans, cut_out(blocks, spans), strict=True):
        np.testing.assert_array_equal(piece, signal[start:end])


@given(st.lists(st.booleans(), max_size=30))
def test_longest_run(marked):
    runs = [(end - start, -start, end) for start in range(31) for end in range(start, 31) if all(marked[start:end])]
    size, start, _ = max((run for run in runs if run[2] <= len(marked)), default=(0, 0, 0))
    assert longest_run(np.array(marked, bool)) == ((-start + -start + size) // 2 if size else 0)


def test_times_of_found_labels():
    path = [INVENTORY.labels.index(name) for name in "_AA_AB|_|C_"]
    found = found_by_labels(path, INVENTORY)
    assert found.text == "AAB C"
    assert found.words == [("AAB", 1, 6), ("C", 9, 10)]
    assert [label.text for label in found.labels] == ["A", "A", "B", "|", "|", "C"]
