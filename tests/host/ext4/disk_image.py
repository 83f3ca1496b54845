"""Images by mke2fs, the driver's host tool, and what e2fsck and debugfs say: for the tests here."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / os.environ.get("KWE_BUILD", "build")
FEATURES = "^has_journal,^metadata_csum,^64bit,^dir_index,^resize_inode"


def find_tool(name: str) -> str:
    """Debian keeps the file system tools where only root's PATH looks."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin") or name


def make_image(
    image: Path,
    size: str,
    *,
    block: int = 4096,
    features: str = FEATURES,
    source: Path | None = None,
    options: tuple[str, ...] = (),
) -> Path:
    command = [find_tool("mke2fs"), "-q", "-F", "-t", "ext4", "-b", str(block), "-O", features]
    command += ["-E", "lazy_itable_init=0,root_owner=0:0", *options]
    command += ["-d", str(source)] if source else []
    subprocess.run([*command, str(image), size], check=True, capture_output=True)
    return image


def check_image(image: Path) -> None:
    """Fail unless e2fsck finds nothing at all to mend."""
    done = subprocess.run(
        [find_tool("e2fsck"), "-fn", str(image)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Extents entered in random order leave leaves half full, in Linux as here; e2fsck would pack.
    findings = [line for line in done.stdout.splitlines() if "?" in line]
    assert all("could be narrower" in line for line in findings), done.stdout


def debugfs(image: Path, request: str) -> bytes:
    done = subprocess.run(
        [find_tool("debugfs"), "-R", request, str(image)], capture_output=True, check=True
    )
    return done.stdout


def debugfs_write(image: Path, request: str) -> None:
    command = [find_tool("debugfs"), "-w", "-R", request, str(image)]
    subprocess.run(command, check=True, capture_output=True)


def compile_program(name: str, sources: list[str], output: Path, sanitize: str) -> Path:
    """Build a C program of this folder together with the driver."""
    program = output / name
    files = [str(p) for p in sorted((ROOT / "drivers/ext4").glob("*.c"))]
    files += [str(ROOT / "tests/host/ext4" / source) for source in sources]
    warnings = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wstrict-prototypes", "-Werror"]
    flags = ["-std=gnu11", "-O1", "-g", *warnings, f"-fsanitize={sanitize}"]
    flags += ["-fno-sanitize-recover=all"] if "undefined" in sanitize else []
    command = ["gcc", *flags, f"-I{ROOT}", f"-I{BUILD / 'gen'}", *files, "-o", str(program)]
    done = subprocess.run([*command, "-lpthread"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


@dataclass
class Answer:
    code: str
    value: int
    data: bytes


class DriverError(Exception):
    """The driver answered another code than OK."""


class Disk:
    """A mounted image, in the hands of the host tool."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def answer(self) -> Answer:
        assert self.process.stdout
        line = self.process.stdout.readline().decode()
        assert line, f"the tool ended with {self.process.wait()}"
        code, value, length = line.split()
        return Answer(code, int(value), self.process.stdout.read(int(length)))

    def ask(self, verb: str, path: str = "-", a: int = 0, data: bytes | int = b"") -> Answer:
        """`data` is what to write, or how many bytes to read."""
        assert self.process.stdin
        b = data if isinstance(data, int) else len(data)
        self.process.stdin.write(os.fsencode(f"{verb} {path} {a} {b}\n"))
        self.process.stdin.write(b"" if isinstance(data, int) else data)
        self.process.stdin.flush()
        return self.answer()

    def do(self, verb: str, path: str = "-", a: int = 0, data: bytes | int = b"") -> Answer:
        answer = self.ask(verb, path, a, data)
        if answer.code != "OK":
            raise DriverError(f"{verb} {path}: {answer.code}")
        return answer

    def read(self, path: str) -> bytes:
        return self.do("read", path, 0, self.do("stat", path).value).data

    def names(self, path: str) -> list[str]:
        lines = self.do("list", path).data.decode().splitlines()
        return sorted(line.split(" ", 2)[2] for line in lines)

    def free_blocks(self) -> int:
        return int(self.do("info").data.split()[0])


@contextmanager
def mounted(
    tool: Path, image: Path, cache_bytes: int = 1 << 20, data_bytes: int = 256 << 10
) -> Iterator[Disk]:
    """Mount; with so little memory for files' blocks that they come and go."""
    with subprocess.Popen(
        [tool, image, str(cache_bytes), str(data_bytes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        disk = Disk(process)
        answer = disk.answer()
        if answer.code != "OK":
            process.communicate()
            raise DriverError(f"{answer.code}: {answer.data.decode()}")
        try:
            yield disk
        finally:
            process.communicate()
    assert process.returncode == 0
