"""The KenLM command line programs, built from source: the ``kenlm`` wheel has only the query module."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile

from sisyphus import Job, Task

PACKAGE, VERSION = "kenlm-ex", "0.2.1"  # a KenLM that needs no Boost
ARCHIVE = "kenlm_ex-0.2.1.tar.gz"
SHA256 = "6657c2fd8b3650e0c234d1309272041ae4fd712d7fe27b60e3c72f57d5cebb55"
PROGRAMS = ("lmplz", "build_binary", "query")

# The programs get unpacked files only. Without compression they need no headers to build and no libraries to run.
COMPRESSION = ("ZLIB", "BZip2", "LibLZMA")

BUILD_TYPE = "Release"
# Many files are compiled as one, which takes two thirds of the processor time. Two neighbours in this version's lists,
# file_piece.cc and float_to_string.cc, use one name for two things: 19 files at a time separate them.
TOGETHER = ("-DCMAKE_UNITY_BUILD=ON", "-DCMAKE_UNITY_BUILD_BATCH_SIZE=19")

# In this version, lmplz declares its option -h twice, which its option parser refuses at every start. It also leaves
# flags uninitialised, so that it sometimes writes collapsed probabilities instead of the model's.
LMPLZ_SOURCE = "lm/builder/lmplz_main.cc"
CORRECTIONS = (
    ('"-h,--help", help', '"--usage", help'),
    ("lm::builder::PipelineConfig pipeline;", "lm::builder::PipelineConfig pipeline{};"),
    ("bool verbose_header;", "bool verbose_header = false;"),
)


class BuildKenLmToolsJob(Job):
    """Builds ``lmplz``, ``build_binary`` and ``query`` with CMake (from PyPI) and the system's C++ compiler.

    ``out_bin``: the directory with the programs. On a machine without network, put the source archive into the job's
    ``work`` folder beforehand (the error message names both).
    """

    def __init__(self):
        self.out_bin = self.output_path("bin", directory=True)
        self.rqmt = {"cpu": 2, "mem": 4, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        if not os.path.exists(ARCHIVE):
            download()
        check_archive(ARCHIVE)
        source = unpack(ARCHIVE)
        correct(os.path.join(source, LMPLZ_SOURCE))
        build(source, "build", cpus=self.rqmt["cpu"])
        for program in PROGRAMS:
            shutil.copy2(os.path.join("build", "bin", program), os.path.join(self.out_bin, program))


def download():
    """Fetch the source archive into the current directory through pip, which knows the site's index and proxies."""
    requirement = f"{PACKAGE}=={VERSION}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", PACKAGE, "--dest", ".", requirement]
    print("running", " ".join(command), flush=True)
    if subprocess.run(command).returncode != 0:
        raise RuntimeError(
            f"pip could not download {requirement} (see its message above). Without network access, put the file "
            f"{ARCHIVE} (sha256 {SHA256}) into {os.getcwd()} and run the job again."
        )


def check_archive(path: str):
    with open(path, "rb") as file:
        found = hashlib.sha256(file.read()).hexdigest()
    if found != SHA256:
        raise RuntimeError(f"{os.path.abspath(path)}: sha256 is {found}, expected {SHA256}; remove the file and retry")


def unpack(archive: str) -> str:
    """Unpack afresh (an earlier attempt may have left half a tree) and return the source directory."""
    shutil.rmtree("source", ignore_errors=True)
    with tarfile.open(archive) as tar:
        tar.extractall("source")  # its checksum is known
    return os.path.join("source", ARCHIVE.removesuffix(".tar.gz"))


def correct(path: str):
    with open(path) as file:
        text = file.read()
    for wrong, right in CORRECTIONS:
        if wrong not in text:
            raise RuntimeError(f"{path}: expected {wrong!r}, in order to correct it")
        text = text.replace(wrong, right)
    with open(path, "w") as file:
        file.write(text)


def build(source: str, directory: str, *, cpus: int):
    cmake = find_cmake()
    options = [
        f"-DCMAKE_BUILD_TYPE={BUILD_TYPE}",
        *TOGETHER,
        *(f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON" for name in COMPRESSION),
    ]
    if subprocess.run([cmake, "-S", source, "-B", directory, *options]).returncode != 0:
        raise RuntimeError(
            "CMake cannot build KenLM here, see its message in this log. It needs a C++ compiler and make, for example "
            "from the packages g++ and make; install them, then run the job again"
        )
    command = [cmake, "--build", directory, f"-j{cpus}", "--target", *PROGRAMS]
    print("running", " ".join(command), flush=True)
    subprocess.run(command, check=True)


def find_cmake() -> str:
    """The CMake of this environment (from PyPI) if there is one, else the system's, which may be too old."""
    cmake = shutil.which("cmake", path=os.path.join(sys.prefix, "bin")) or shutil.which("cmake")
    if cmake is None:
        raise RuntimeError("no cmake found: install it into this environment with `pip install 'cmake>=3.28,<4'`")
    return cmake
