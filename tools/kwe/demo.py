"""`kwe demo`, which `make run` calls: the demo workflows on real files, with their tables."""

import argparse
import http
import http.client
from pathlib import Path
from typing import Any

from tools.kwe.errors import EXIT_DONE, EXIT_WORKFLOW, MachineError
from tools.kwe.forward import Forward
from tools.kwe.machine import Machine
from tools.kwe.run import MOST_CPUS, USUAL_CPUS, RunOptions, print_report, run_workflow
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


def ask_web(machine: Machine) -> None:
    """Fetch pages from the web server, and hold them against the files.

    Raises:
        MachineError: It answers something else, or nothing.
    """
    place = "127.0.0.1", machine.forwarded(WEB_PORT)
    for page in PAGES:
        connection = http.client.HTTPConnection(*place, timeout=ANSWER_S)
        try:
            connection.request("GET", f"/{page}")
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise MachineError(f"the web server did not answer: {error}") from error
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK or body != (SITE / page).read_bytes():
            raise MachineError(
                f"the web server answered {answer.status} and {len(body)} bytes for /{page}, "
                "not the file"
            )
        print(f"web: GET /{page}: {answer.status}, {len(body)} bytes, as in {SITE.name}/{page}")


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
            inputs={"site": SITE},
            output=output / "web",
            cpus=args.cpus,
            build=args.build,
            forward=(Forward("tcp", 0, WEB_PORT),),
            until=Until(runs=len(PAGES)),
            on_up=ask_web,
        )
    )
    failed = False
    for options in runs:
        report = run_workflow(options)
        print_report([report], None)
        print()
        failed |= bool(report.errors)
    return EXIT_WORKFLOW if failed else EXIT_DONE


def register(subcommands: Any) -> None:
    """Add `kwe demo`."""
    parser = subcommands.add_parser("demo", help="run the demo workflows on real files")
    parser.add_argument("--output", type=Path, metavar="DIR", help="default build/out")
    parser.add_argument("--build", type=Path, metavar="DIR", help="where the image was built")
    parser.add_argument("--cpus", type=int, choices=range(1, MOST_CPUS + 1), default=USUAL_CPUS)
    parser.set_defaults(run=run)
