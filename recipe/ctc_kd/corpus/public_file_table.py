"""The public files that the experiments read: addresses, checksums, sizes, and which corpus they are archives of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PublicFile:
    """:param checksum, num_bytes: as in :class:`ctc_kd.corpus.download.DownloadJob`"""

    name: str
    urls: tuple[str, ...]
    checksum: str
    num_bytes: int | None


OPENSLR_MIRRORS = (
    "https://www.openslr.org",
    "https://openslr.trmal.net",
    "https://openslr.elda.org",
    "https://us.openslr.org",
    "https://openslr.magicdatatech.com",
)
TEDLIUM_URL = "https://projets-lium.univ-lemans.fr/wp-content/uploads/corpus/TED-LIUM/TEDLIUM_release2.tar.gz"


def openslr(number: int, name: str, checksum: str, num_bytes: int, *others: str) -> PublicFile:
    """A file of OpenSLR's resource ``number``.

    :param others: addresses beside those of its mirrors
    """
    urls = tuple(f"{mirror}/resources/{number}/{name}" for mirror in OPENSLR_MIRRORS)
    return PublicFile(name, (*urls, *others), checksum, num_bytes)


# Sources of the SHA-256: for 12 and 19 torchaudio and TensorFlow Datasets, which agree where both have one; for 11
# i6_experiments. Source of the MD5 for 31: OpenSLR. Sources of the sizes: TensorFlow Datasets, Kaldi.
TABLE = {
    file.name: file
    for file in (
        openslr(
            12,
            "dev-clean.tar.gz",
            "sha256:76f87d090650617fca0cac8f88b9416e0ebf80350acb97b343a85fa903728ab3",
            337_926_286,
        ),
        openslr(
            12,
            "dev-other.tar.gz",
            "sha256:12661c48e8c3fe1de2c1caa4c3e135193bfb1811584f11f569dd12645aa84365",
            314_305_928,
        ),
        openslr(
            12,
            "test-clean.tar.gz",
            "sha256:39fde525e59672dc6d1551919b1478f724438a95aa55f874b576be21967e6c23",
            346_663_984,
        ),
        openslr(
            12,
            "test-other.tar.gz",
            "sha256:d09c181bba5cf717b3dee7d4d592af11a3ee3a09e08ae025c5506f6ebe961c29",
            328_757_843,
        ),
        openslr(
            12,
            "train-clean-100.tar.gz",
            "sha256:d4ddd1d5a6ab303066f14971d768ee43278a5f2a0aa43dc716b0e64ecbbbf6e2",
            6_387_309_499,
        ),
        openslr(
            12,
            "train-clean-360.tar.gz",
            "sha256:146a56496217e96c14334a160df97fffedd6e0a04e66b9c5af0d40be3c792ecf",
            23_049_477_885,
        ),
        openslr(
            12,
            "train-other-500.tar.gz",
            "sha256:ddb22f27f96ec163645d53215559df6aa36515f26e01dd70798188350adcb6d2",
            30_593_501_606,
        ),
        openslr(31, "dev-clean-2.tar.gz", "md5:6d7ab67ac6a1d2c993d050e16d61080d", 126_046_265),
        openslr(31, "train-clean-5.tar.gz", "md5:5df7d4e78065366204ca6845bb08f490", 332_954_390),
        openslr(
            19,
            "TEDLIUM_release2.tar.gz",
            "sha256:93281b5fcaaae5c88671c9d000b443cb3c7ea3499ad12010b3934ca41a7b9c58",
            36_791_529_840,
            TEDLIUM_URL,
        ),
        openslr(
            11,
            "librispeech-lexicon.txt",
            "sha256:d722bc29908cd338ae738edd70f61826a6fca29aaa704a9493f0006773f79d71",
            5_627_653,
        ),
        openslr(
            11,
            "4-gram.arpa.gz",
            "sha256:f2b2d1507637ddf459d3579159f7e8099ed7d77452ff1059aeeeaea33d274613",
            1_355_172_078,
        ),
    )
}
LIBRISPEECH_PARTS = (
    "dev-clean",
    "dev-other",
    "test-clean",
    "test-other",
    "train-clean-100",
    "train-clean-360",
    "train-other-500",
)
ARCHIVES = {
    "librispeech": {part: f"{part}.tar.gz" for part in LIBRISPEECH_PARTS},
    "mini_librispeech": {part: f"{part}.tar.gz" for part in ("dev-clean-2", "train-clean-5")},
    "tedlium2": {None: "TEDLIUM_release2.tar.gz"},
}
"""Corpus -> part (None: all of it) -> archive."""

FOLDERS = {"librispeech": "LibriSpeech", "mini_librispeech": "LibriSpeech", "tedlium2": "TEDLIUM_release2"}
"""Corpus -> the folder in its archives that holds its parts."""
