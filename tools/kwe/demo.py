"""`kwe demo`, which `make run` calls: the demo workflows on real files, with their tables."""

import argparse
import contextlib
import http
import http.client
import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from tools.kwe.errors import EXIT_DONE, EXIT_WORKFLOW, MachineError
from tools.kwe.forward import Forward
from tools.kwe.machine import Machine
from tools.kwe.multipart import read_parts
from tools.kwe.run import MOST_CPUS, USUAL_CPUS, RunOptions, print_report, run_workflows
from tools.kwe.standing import Until
from tools.kwe.tree import ROOT, find_build

WORKFLOWS = ROOT / "userland/workflows"
CLIP = ROOT / "build/clip"
RECORDINGS = ROOT / "build/recordings"
# A tree of real files that is always there.
FILES = ROOT / "kernel"
SITE = WORKFLOWS / "web"
# The web server's port in the guest, what it is asked for, and how long it may take to answer.
WEB_PORT = 80
PAGES = ("index.html", "style.css")
ANSWER_S = 30.0
# The stream that stands beside it at the same port, and how much of it is looked at.
STREAM = "stream"
FRAMES = 5


@contextlib.contextmanager
def _answer(machine: Machine, path: str) -> Iterator[http.client.HTTPResponse]:
    """Ask the web server; what goes wrong until the block is left is its fault."""
    place = "127.0.0.1", machine.forwarded(WEB_PORT)
    connection = http.client.HTTPConnection(*place, timeout=ANSWER_S)
    try:
        connection.request("GET", f"/{path}")
        with connection.getresponse() as answer:
            if answer.status != http.HTTPStatus.OK:
                raise MachineError(f"the web server answered {answer.status} for /{path}")
            yield answer
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise MachineError(f"the web server's answer for /{path}: {error}") from error
    finally:
        connection.close()


def ask_web(machine: Machine) -> None:
    """Fetch pages from the web server, hold them against the files, and look at the stream.

    Raises:
        MachineError: It answers something else, or nothing.
    """
    for page in PAGES:
        with _answer(machine, page) as answer:
            body = answer.read()
        if body != (SITE / page).read_bytes():
            raise MachineError(f"the web server answered {len(body)} bytes for /{page}, no file's")
        print(f"web: GET /{page}: {answer.status}, {len(body)} bytes, as in {SITE.name}/{page}")
    watch_stream(machine)


def watch_stream(machine: Machine) -> None:
    """Take a few frames: pictures of the clip's size, no two of them the same.

    Raises:
        MachineError: They are not.
    """
    with Image.open(next(iter(sorted(CLIP.iterdir())))) as picture:
        wanted = picture.size
    with _answer(machine, STREAM) as answer:
        frames = [content for _, content in itertools.islice(read_parts(answer), FRAMES)]
    try:
        pictures = [Image.open(io.BytesIO(frame)).convert("RGB") for frame in frames]
    except (UnidentifiedImageError, OSError) as error:
        raise MachineError(f"the stream sent what is no picture: {error}") from error
    different = {picture.tobytes() for picture in pictures}
    if len(different) < FRAMES or any(picture.size != wanted for picture in pictures):
        raise MachineError(f"{len(different)} different frames in {len(frames)} of the stream")
    print(
        f"stream: GET /{STREAM}: {FRAMES} frames of {wanted[0]} x {wanted[1]}, each another, "
        f"{sum(map(len, frames))} bytes"
    )


def run(args: argparse.Namespace) -> int:
    """Run the demos one after the other."""
    output = args.output or find_build(args.build).folder / "out"
    demos = {
        "video": {"clip": CLIP},
        "archive": {"files": FILES},
        "science": {"recordings": RECORDINGS},
    }
    runs = [
        RunOptions(
            workflow=WORKFLOWS / f"{name}.yaml",
            inputs=inputs,
            output=output / name,
            cpus=args.cpus,
            build=args.build,
        )
        for name, inputs in demos.items()
    ]
    runs.append(
        RunOptions(
            workflow=WORKFLOWS / "web.yaml",
            beside=(WORKFLOWS / "stream.yaml",),
            inputs={"site": SITE, "clip": CLIP},
            output=output / "web",
            cpus=args.cpus,
            build=args.build,
            forward=(Forward("tcp", 0, WEB_PORT),),
            until=Until(runs=len(PAGES) + 1),
            on_up=ask_web,
        )
    )
    failed = False
    for options in runs:
        reports = run_workflows(options)
        print_report(reports, None)
        print()
        failed |= any(report.errors for report in reports)
    return EXIT_WORKFLOW if failed else EXIT_DONE


def register(subcommands: Any) -> None:
    """Add `kwe demo`."""
    parser = subcommands.add_parser("demo", help="run the demo workflows on real files")
    parser.add_argument("--output", type=Path, metavar="DIR", help="default build/out")
    parser.add_argument("--build", type=Path, metavar="DIR", help="where the image was built")
    parser.add_argument("--cpus", type=int, choices=range(1, MOST_CPUS + 1), default=USUAL_CPUS)
    parser.set_defaults(run=run)
