"""What a run leaves on the host: the files of all events that are done, digests, made keys."""

import os
import tempfile
from pathlib import Path

from tools.kwe import disk
from tools.kwe.job import Job, folder_of
from tools.kwe.report import Report
from tools.kwe.skipping import optional_outputs


def fetch_outputs(job: Job, image: Path, report: Report, output: Path) -> None:
    """Bring the files of all events that are done, the digests and the keys that were made.

    A file that should be on the disk and is not is an error in the report: unless the stage that
    writes it may be skipped.

    Raises:
        MachineError: The output directory cannot be written, or the disk cannot be read.
    """
    assert report.session is not None
    if job.plan_only:
        return
    results = report.session.results
    for name in job.inputs.made:
        # First: without it, what was sealed is lost.
        disk.write_file(output / name, job.inputs.constants[name], mode=0o600)
        report.outputs[name] = [str(output / name)]
    names = [name for name, item in job.spec.outputs.items() if item.kind == "files"]
    done = [
        item for item in job.host_outputs() if item[1] in results and not results[item[1]].status
    ]
    report.outputs |= {name: [] for name in names}
    if done:
        disk.make_folder(output)
        with tempfile.TemporaryDirectory(prefix=".kwe-", dir=output) as scratch:
            for name in names:
                (Path(scratch) / name).mkdir()
                disk.fetch_folder(image, folder_of(job.spec, name), Path(scratch) / name)
            pairs = {}
            for name, row, path, relative in done:
                # rdump /out/edges DIR makes DIR/edges.
                source = Path(scratch) / name / os.fsdecode(_below(path))
                pairs[source] = (name, row, output / relative)
            missing = dict(disk.place_files([(source, item[2]) for source, item in pairs.items()]))
        optional = optional_outputs(job.stages)
        for source, (name, row, target) in pairs.items():
            if source in missing and name in optional:
                continue
            if source in missing:
                report.add_error(
                    "NO_OUTPUT",
                    f"output {name} is not on the disk",
                    event=job.events[row].file.name,
                )
            else:
                report.outputs[name].append(str(target))
    for name, item in job.spec.outputs.items():
        if item.kind == "sha256sum":
            disk.write_file(output / item.name, sha256sums(job, report))
            report.outputs[name] = [str(output / item.name)]


def _below(path: bytes) -> bytes:
    """Return a guest path without its first folder: /out/edges/x to edges/x."""
    return path.split(b"/", 2)[2]


def sha256sums(job: Job, report: Report) -> bytes:
    """Return the digests of the events that are done, as `sha256sum -c` reads them."""
    assert report.session is not None
    lines = b""
    for row, result in sorted(report.session.results.items()):
        if result.status == 0:
            name = os.fsencode(job.events[row].file.name)
            escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
            mark = b"\\" if escaped != name else b""
            lines += mark + result.output.hex().encode() + b"  " + escaped + b"\n"
    return lines
