"""The guest's disk: an ext4 image made from the input files, checked and read again after the run.

All without mounting it, by the commands of e2fsprogs. Names are bytes throughout.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tools.kwe.errors import MachineError
from tools.kwe.sizing import up

BLOCK = 4096
# The Storage deck's file system: no journal yet, nothing that it does not know.
FEATURES = "^has_journal,^metadata_csum,^64bit,^dir_index,^resize_inode"
SPARE_BLOCKS = 4096
SPARE_INODES = 256
# What debugfs says of a file that it may not give away; the name may have lines of its own.
NOT_OWNED = re.compile(
    rb"^(?:rdump|dump_file): [^\n]* while changing ownership of .*?\n"
    rb"(?=rdump: |dump_file: |debugfs |\Z)",
    re.DOTALL | re.MULTILINE,
)
# Where Debian keeps them; not on everybody's PATH.
SYSTEM_FOLDERS = ("/usr/sbin", "/sbin")


def _tool(name: str) -> str:
    path = shutil.which(name) or shutil.which(name, path=":".join(SYSTEM_FOLDERS))
    if path is None:
        raise MachineError(f"{name} is missing: install e2fsprogs (`make setup` does)")
    return path


def _run(*command: str | Path) -> subprocess.CompletedProcess[bytes]:
    # Names are bytes; messages in English, since some are looked at.
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(
        [os.fsencode(word) for word in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment,
        check=False,
    )


def make_image(
    image: Path,
    staging: Path,
    files: Mapping[bytes, Path],
    folders: Iterable[bytes],
    room_bytes: int,
) -> None:
    """Make an ext4 image of `files`.

    Args:
        image: The file to make; sparse.
        staging: An empty directory on the same file system, for links to the inputs.
        files: By absolute guest path, the host's file.
        folders: Guest directories that exist from the start.
        room_bytes: Free room for what the guest writes.

    Raises:
        MachineError: mke2fs is missing or fails.
    """
    for folder in folders:
        _below(staging, folder).mkdir(parents=True, exist_ok=True)
    made = set()
    content = 0
    try:
        for path, source in files.items():
            target = _below(staging, path)
            if target.parent not in made:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.add(target.parent)
            content += up(_stage(source, target), BLOCK)
    except OSError as error:
        raise MachineError(
            f"making the disk: {error.filename}: {error.strerror}; TMPDIR can name another place"
        ) from error
    # An output takes an inode, perhaps a directory's as well; an entry is at most 264 bytes.
    inodes = 3 * len(files) + SPARE_INODES
    blocks = (content + room_bytes) // BLOCK + (3 * len(files) * 264 + inodes * 256) // BLOCK
    # One part in 64 for block groups' own records.
    blocks += blocks // 64 + SPARE_BLOCKS
    done = _run(
        *(_tool("mke2fs"), "-q", "-t", "ext4", "-b", str(BLOCK), "-m", "0", "-O", FEATURES),
        *("-N", str(inodes), "-E", "root_owner=0:0,lazy_itable_init=0"),
        *("-d", staging, image, f"{blocks * BLOCK // 1024}k"),
    )
    if done.returncode:
        raise MachineError(f"mke2fs: {done.stderr.decode(errors='replace').strip()}")


def _below(folder: Path, path: bytes) -> Path:
    """Return where an absolute guest path lies when `folder` is the guest's root."""
    return folder / os.fsdecode(path.lstrip(b"/"))


def _stage(source: Path, target: Path) -> int:
    """Put a link, or else a copy, of `source` at `target`; return its size."""
    real = source.resolve()
    try:
        target.hardlink_to(real)
    except OSError:
        # Another file system, or links to others' files are forbidden.
        shutil.copyfile(real, target)
    return target.stat().st_size


def check_image(image: Path) -> str:
    """Return what e2fsck finds wrong; empty when the file system is clean.

    Raises:
        MachineError: e2fsck is missing or cannot run.
    """
    done = _run(_tool("e2fsck"), "-f", "-n", image)
    text = (done.stdout + done.stderr).decode(errors="replace")
    if done.returncode & ~0x4 or (done.returncode == 0 and "***** FILE SYSTEM WAS" in text):
        raise MachineError(f"e2fsck: status {done.returncode}: {text.strip()}")
    if done.returncode == 0:
        return ""
    lines = [line for line in text.splitlines() if not re.match(r"(e2fsck|Pass) \d", line)]
    return "\n".join(line for line in lines if line.strip()) or f"status {done.returncode}"


def fetch_folder(image: Path, folder: bytes, target: Path) -> None:
    """Copy a guest directory with all below it into the directory `target`, which exists.

    A directory that is not there gives nothing; a file that cannot be read is left out, and missed
    by the caller.

    Raises:
        MachineError: debugfs is missing, or something else than a missing directory went wrong.
    """
    done = _run(
        _tool("debugfs"), "-R", f"rdump {_quoted(folder)} {_quoted(os.fsencode(target))}", image
    )
    # It exits with 0 on most errors. Not root, it cannot give files to root: right as they are.
    complaints = NOT_OWNED.sub(b"", done.stderr).decode(errors="replace")
    for line in complaints.splitlines():
        if "File not found by ext2_lookup" in line:
            return
        if line.strip() and not line.startswith("debugfs 1."):
            raise MachineError(f"debugfs: {line.strip()}")
    if done.returncode:
        raise MachineError(f"debugfs: status {done.returncode}")


def _quoted(path: bytes) -> str:
    """Quote a path for debugfs, which knows "..." with a doubled quote inside."""
    return '"' + os.fsdecode(path).replace('"', '""') + '"'


def make_folder(path: Path) -> None:
    """Make a directory of the host with all above it, unless it is there.

    Raises:
        MachineError: It cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(f"{path}: {error.strerror}") from error


def place_files(pairs: Sequence[tuple[Path, Path]]) -> list[tuple[Path, Path]]:
    """Move each fetched file to where the user wants it, replacing one of that name in one step.

    Returns:
        The pairs whose source does not exist.

    Raises:
        MachineError: A target cannot be written.
    """
    missing = []
    umask = os.umask(0)
    os.umask(umask)
    for source, target in pairs:
        if not source.is_file() or source.is_symlink():
            missing.append((source, target))
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            source.chmod(0o666 & ~umask)
            source.replace(target)
        except OSError as error:
            raise MachineError(f"{target}: {error.strerror}") from error
    return missing


def write_file(path: Path, data: bytes, mode: int | None = None) -> None:
    """Write a file in one step: a reader sees the old one or the new one.

    Raises:
        MachineError: It cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode or 0o666)
        with os.fdopen(number, "wb") as stream:
            stream.write(data)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise MachineError(f"{path}: {error.strerror}") from error
