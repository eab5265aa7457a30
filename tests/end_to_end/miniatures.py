"""LibriSpeech (also Mini) and TED-LIUM 2 in miniature: the public files in their genuine layouts, spoken in tones."""

import gzip
import tarfile

import numpy as np
import soundfile
from tones import SAMPLE_RATE_HZ, speak

LEXICON = """
A AH;AND AE N D;ANT AE N T;AT AE T;BAD B AE D;BAT B AE T;BED B EH D;BEE B IY;BEN B EH N;BET B EH T;BID B IH D;BIN B IH N
BIT B IH T;DAD D AE D;DEN D EH N;DID D IH D;DIN D IH N;END EH N D;IN IH N;IT IH T;IT'S IH T S;MAD M AE D;MAN M AE N
MAT M AE T;ME M IY;MEN M EH N;MET M EH T;MINT M IH N T;NED N EH D;NET N EH T;SAD S AE D;SAND S AE N D;SAT S AE T
SEE S IY;SEED S IY D;SEND S EH N D;SENT S EH N T;SET S EH T;SIN S IH N;SIT S IH T;TAN T AE N;TEN T EH N;TENT T EH N T
THE DH AH;TIN T IH N;'S Z;BAND B AE N D;BEND B EH N D;MEND M EH N D;TINT T IH N T
"""
LEXICON = {entry.split()[0]: entry.split()[1:] for entry in LEXICON.replace("\n", ";").split(";") if entry}
UNLISTED = ("BAND", "MEND", "TINT")
"""Words of the training sets that the published lexica lack."""

VARIANTS = {"A": ["EY"], "THE": ["DH", "IY"]}
LISTED = [word for word in LEXICON if word not in UNLISTED]
VOWELS = ("AH", "AE", "EH", "IH", "IY", "EY")

LIBRISPEECH = {
    "train-clean-100": 12,
    "train-clean-360": 12,
    "train-other-500": 12,
    "dev-clean": 4,
    "dev-other": 6,
    "test-clean": 4,
    "test-other": 6,
}
"""Part -> utterances."""

MINI_LIBRISPEECH = {"train-clean-5": 24, "dev-clean-2": 6}
"""The same."""

TEDLIUM = {"train": 36, "dev": 6, "test": 6}
SPEAKERS_IN_PART = 3
LM_TEXTS = (
    "commoncrawl-9pc",
    "europarl-v7-6pc",
    "giga-fren-4pc",
    "news-18pc",
    "news-commentary-v8-9pc",
    "yandex-1m-31pc",
)


def write_public_files(folder):
    """All files that the configs download, by their names."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number, (part, size) in enumerate({**LIBRISPEECH, **MINI_LIBRISPEECH}.items(), 1):
        tree = folder.parent / "trees" / part / "LibriSpeech"
        write_librispeech_part(
            tree, part, sentences(rng, size, with_unlisted=part.startswith("train")), 100 * number, rng
        )
        pack(tree, folder / f"{part}.tar.gz")
    tree = folder.parent / "trees" / "TEDLIUM_release2"
    for part, size in TEDLIUM.items():
        texts = sentences(rng, size, with_unlisted=part == "train")
        write_tedlium_part(tree / part, part, [[*text, "IT", "'S"] for text in texts], rng)
    write_lm_texts(tree / "LM", rng)
    (tree / "TEDLIUM.152k.dic").write_text(tedlium_dictionary())
    pack(tree, folder / "TEDLIUM_release2.tar.gz")
    (folder / "librispeech-lexicon.txt").write_text(librispeech_lexicon())
    with gzip.open(folder / "4-gram.arpa.gz", "wt") as file:
        file.write(arpa([word for word in LISTED if word != "'S"], likely="SEND ME"))


def sentences(rng, size, *, with_unlisted=False):
    words = [word for word in LISTED if "'" not in word]
    texts = [list(rng.choice(words, rng.integers(1, 4))) for _ in range(size)]
    for text, word in zip(texts, UNLISTED if with_unlisted else (), strict=False):
        text.append(word)
    return texts


def pronounced(text):
    return [phoneme for word in text for phoneme in LEXICON[word]]


def pack(tree, archive):
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tree, tree.name)


def write_librispeech_part(tree, part, texts, first_speaker, rng):
    tree.mkdir(parents=True)
    for name in ("BOOKS", "CHAPTERS", "LICENSE", "README", "SPEAKERS"):
        (tree / f"{name}.TXT").write_text(f"; the {name.lower()} of LibriSpeech\n")
    for speaker in range(first_speaker, first_speaker + SPEAKERS_IN_PART):
        chapter = f"{speaker}-{1000 + speaker}"
        folder = tree / part / chapter.replace("-", "/")
        folder.mkdir(parents=True)
        lines = ""
        for number, text in enumerate(texts[speaker - first_speaker :: SPEAKERS_IN_PART]):
            soundfile.write(folder / f"{chapter}-{number:04d}.flac", speak(pronounced(text), rng), SAMPLE_RATE_HZ)
            lines += f"{chapter}-{number:04d} {' '.join(text)}\n"
        (folder / f"{chapter}.trans.txt").write_text(lines)


def write_tedlium_part(folder, part, texts, rng):
    for kind in ("sph", "stm"):
        (folder / kind).mkdir(parents=True)
    for speaker in range(SPEAKERS_IN_PART):
        talk = f"{part.title()}Speaker{speaker}_2010"
        lines, samples = [";;", ';; CATEGORY "0" "" ""'], [np.zeros(8000)]
        lines.append(f"{talk} 1 inter_segment_gap 0 0.50 <o,,unknown> ignore_time_segment_in_scoring")
        for text in texts[speaker::SPEAKERS_IN_PART]:
            start_s = sum(map(len, samples)) / SAMPLE_RATE_HZ
            samples += [speak(pronounced(text), rng), np.zeros(8000)]
            end_s = start_s + len(samples[-2]) / SAMPLE_RATE_HZ
            label = "<NA>" if part == "train" else "<o,f0,male>"
            lines.append(f"{talk} 1 {talk} {start_s:.2f} {end_s:.2f} {label} {' '.join(text).lower()} ")
        audio = np.concatenate(samples) + 1e-3
        soundfile.write(folder / "sph" / f"{talk}.sph", audio, SAMPLE_RATE_HZ, format="NIST", subtype="PCM_16")
        (folder / "stm" / f"{talk}.stm").write_text("\n".join([*lines, ""]))


def write_lm_texts(folder, rng):
    folder.mkdir()
    for name in LM_TEXTS:
        with gzip.open(folder / f"{name}.en.gz", "wt") as file:
            file.writelines(f"{' '.join(text).lower()} it 's 10 </s>\n" for text in sentences(rng, 60))


def librispeech_lexicon():
    """Stress digits, and a line of its own for each variant."""
    lines = []
    for word in LISTED:
        for phonemes in (LEXICON[word], VARIANTS.get(word)):
            if phonemes:
                lines.append(f"{word}\t{' '.join(phoneme + '1' * (phoneme in VOWELS) for phoneme in phonemes)}\n")
    return "".join(sorted(lines))


def tedlium_dictionary():
    lines = [f"{word.lower()} {' '.join(LEXICON[word])}\n" for word in LISTED if word != "IT'S"]
    return "".join(lines + [f"{word.lower()}(2) {' '.join(phonemes)}\n" for word, phonemes in VARIANTS.items()])


def arpa(words, likely):
    """A 4-gram: all words alike, but the sentence of the two words ``likely`` is probable."""
    likely = f"<s> {likely} </s>".split()
    sections = [["<unk>", "<s>", "</s>", *words]]
    sections += [[" ".join(likely[first : first + order]) for first in range(5 - order)] for order in (2, 3, 4)]
    lines = ["\\data\\", *(f"ngram {order}={len(ngrams)}" for order, ngrams in enumerate(sections, 1))]
    for order, ngrams in enumerate(sections, 1):
        lines += ["", f"\\{order}-grams:"]
        lines += [f"{-0.5 if order > 1 else -1.7}\t{ngram}" + "\t-0.1" * (order < 4) for ngram in ngrams]
    return "\n".join([*lines, "", "\\end\\", ""])
