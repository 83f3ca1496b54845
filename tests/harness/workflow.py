"""Runs of workflows: by the API of tools.kwe, and by the command as people type it."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.figures import Figures, read_figures
from tests.harness.guest import GuestError
from tests.harness.trouble import Announced
from tools.kwe.report import Report
from tools.kwe.run import RunOptions, run_workflow
from tools.kwe.tree import ROOT, Build

KWE = ROOT / ".venv/bin/kwe"
WORKFLOWS = ROOT / "userland/workflows"
DEADLINE_S = 120.0


def workflow_file(name: str) -> Path:
    """Return a workflow of the tree."""
    return WORKFLOWS / f"{name}.yaml"


def run(
    image: Build,
    workflow: Path,
    inputs: Mapping[str, Path],
    output: Path,
    *,
    expect_faults: Sequence[str] = (),
    deadline_s: float = DEADLINE_S,
    **options: Any,
) -> Report:
    """Run a workflow and judge the guest's console.

    Args:
        image: What to boot.
        workflow: The YAML file.
        inputs: By name.
        output: Where outputs go.
        expect_faults: A text for each fault that has to come, as Guest.expect_fault() takes it.
        deadline_s: For the whole guest.
        options: Further fields of RunOptions.

    Raises:
        GuestError: The console has trouble that was not announced.
        KweError: The run came to no good end.
    """
    report = run_workflow(
        RunOptions(
            workflow=workflow,
            inputs=inputs,
            output=output,
            build=image.folder,
            timeout_s=deadline_s,
            **options,
        )
    )
    if complaints := list(Announced(list(expect_faults)).complaints(report.console)):
        raise GuestError("\n".join([*complaints, *report.console[-30:]]))
    return report


@dataclass(frozen=True)
class Typed:
    """What came of a typed command."""

    status: int
    out: str
    err: str

    @property
    def figures(self) -> Figures:
        """Standard output as the document of --json -."""
        return read_figures(self.out)


def kwe(
    *words: str | Path,
    image: Build | None = None,
    cwd: Path | None = None,
    path: Path | None = None,
    deadline_s: float = DEADLINE_S,
) -> Typed:
    """Run `.venv/bin/kwe` with these words.

    Args:
        words: The command line.
        image: What it boots.
        cwd: The working directory; the tree without it.
        path: The folder that commands are looked for in, instead of PATH.
        deadline_s: A hang detector.
    """
    environment = {name: value for name, value in os.environ.items() if name != "KWE_BUILD"}
    if image is not None:
        environment["KWE_BUILD"] = str(image.folder)
    if path is not None:
        environment["PATH"] = str(path)
    done = subprocess.run(
        [KWE, *words],
        cwd=cwd or ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=deadline_s,
        check=False,
    )
    return Typed(done.returncode, done.stdout, done.stderr)
