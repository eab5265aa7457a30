"""How synthetic speech is delivered and recorded. Graphs load this module, so it imports nothing heavy."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Acoustics:
    """The ranges from which an utterance's recording conditions are drawn uniformly.

    Attributes:
        reverberation_s: time in which the room's echo decays by 60 dB
        direct_to_reverberant_db: level of the direct sound over the echo
        snr_db: level of the speech over the noise
        noise_slope: noise power falls with frequency to this power (0: white, 1: pink, 2: brown)
        channel_db: largest gain or loss of the microphone at some frequency
        peak_db: the recording's peak below full scale
    """

    reverberation_s: tuple[float, float] = (0.1, 0.5)
    direct_to_reverberant_db: tuple[float, float] = (2.0, 12.0)
    snr_db: tuple[float, float] = (8.0, 25.0)
    noise_slope: tuple[float, float] = (0.0, 2.0)
    channel_db: float = 6.0
    peak_db: tuple[float, float] = (-20.0, -2.0)


@dataclass(frozen=True)
class Pauses:
    """Silence in an utterance, which makes most of the blank frames of real recordings.

    Attributes:
        edge_s: range of the silence before a sentence, and of the silence after it, both drawn uniformly
        word_share: share of the words inside a sentence that a short pause (about 0.2 s) follows
    """

    edge_s: tuple[float, float] = (0.1, 0.5)
    word_share: float = 0.15
