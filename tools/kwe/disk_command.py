"""`kwe disk`: make the disk of a guest that a program is to work on, look into it afterwards."""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from tools.kwe import disk
from tools.kwe.errors import EXIT_DONE, EXIT_WORKFLOW, SpecError
from tools.kwe.spec import parse_size

EXAMPLES = """\
examples:
  kwe disk make frames.img clip=build/clip       /in/clip on the disk, and an empty /out
  kwe boot edges --disk frames.img
  kwe disk check frames.img
  kwe disk fetch frames.img /out/edges DIR
"""


def make(args: argparse.Namespace) -> int:
    """Make an image with each directory's files below /in/NAME."""
    files: dict[bytes, Path] = {}
    folders = [b"/in", b"/out"]
    for item in args.input:
        name, _, path = item.partition("=")
        if not name or "/" in name or not Path(path).is_dir():
            raise SpecError(f"{item}: NAME=DIR of a directory would be right")
        folders.append(b"/in/" + name.encode())
        files |= {
            b"/in/" + name.encode() + b"/" + bytes(file.relative_to(path)): file
            for file in sorted(Path(path).rglob("*"))
            if file.is_file()
        }
    try:
        room = parse_size(args.room)
    except ValueError as error:
        raise SpecError(f"--room: {error}") from error
    args.image.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix=".kwe-", dir=args.image.parent) as staging:
        disk.make_image(args.image, Path(staging), files, folders, room)
    print(f"{args.image}: {len(files)} files")
    return EXIT_DONE


def fetch(args: argparse.Namespace) -> int:
    """Copy a directory of the image to the host."""
    if not args.folder.startswith("/"):
        raise SpecError(f"{args.folder}: an absolute path of the guest would be right")
    _need(args.image)
    disk.make_folder(args.to)
    disk.fetch_folder(args.image, args.folder.encode(), args.to)
    return EXIT_DONE


def check(args: argparse.Namespace) -> int:
    """Say what e2fsck finds."""
    _need(args.image)
    complaints = disk.check_image(args.image)
    print(complaints or f"{args.image}: clean")
    return EXIT_WORKFLOW if complaints else EXIT_DONE


def _need(image: Path) -> None:
    if not image.is_file():
        raise SpecError(f"{image}: there is no such file")


def register(subcommands: Any) -> None:
    """Add `kwe disk`."""
    parser = subcommands.add_parser(
        "disk",
        help="make a guest's disk, check it, fetch files from it",
        description="Make the ext4 disk of a guest, check it, fetch files from it. No root needed.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    making = actions.add_parser("make", help="make an image; each directory lies below /in/NAME")
    making.add_argument("image", type=Path, metavar="IMAGE")
    making.add_argument("input", nargs="*", metavar="NAME=DIR")
    making.add_argument("--room", default="64 MiB", metavar="SIZE", help="free room (64 MiB)")
    making.set_defaults(run=make)

    fetching = actions.add_parser("fetch", help="copy a directory of the image into one here")
    fetching.add_argument("image", type=Path, metavar="IMAGE")
    fetching.add_argument("folder", metavar="/GUEST/DIR")
    fetching.add_argument("to", type=Path, metavar="DIR")
    fetching.set_defaults(run=fetch)

    checking = actions.add_parser("check", help="judge the file system by e2fsck")
    checking.add_argument("image", type=Path, metavar="IMAGE")
    checking.set_defaults(run=check)
