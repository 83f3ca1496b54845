"""Small workflows for tests of single operations."""

from collections.abc import Mapping
from pathlib import Path

from tests.harness.plugin import RunWorkflow
from tools.kwe.report import Report

HEAD = """\
workflow: trial
doc: A few stages, for a test.
inputs: {files: {kind: files}%(inputs)s}
outputs: {%(outputs)s}
limits: {file: {from: files.bytes, at_most: 1 MiB}, unpacked: 1 MiB}
event_per: files
"""
LOAD = "  load: {op: storage.read, path: $files, at_most: limits.file}\n"


class Trial:
    """Runs stages over some files, and keeps where things are."""

    def __init__(self, run: RunWorkflow, folder: Path) -> None:
        self._run = run
        self._folder = folder
        self.output = folder / "out"
        self.disk = folder / "disk.img"
        self.key = folder / "key"
        self.key.write_bytes(bytes(range(32)))

    def run(
        self,
        files: Mapping[str, bytes],
        stages: str,
        outputs: str = "made: {kind: files}",
        *,
        result: str | None = None,
        key: bool = False,
    ) -> Report:
        """Run one event for each file."""
        source = self._folder / "files"
        source.mkdir()
        for name, content in files.items():
            (source / name).write_bytes(content)
        inputs = ", key: {kind: bytes, bytes: 32}" if key else ""
        text = HEAD % {"inputs": inputs, "outputs": outputs}
        text += f"result: {result}\n" if result else ""
        workflow = self._folder / "trial.yaml"
        workflow.write_text(f"{text}stages:\n{stages}")
        given = {"files": source} | ({"key": self.key} if key else {})
        return self._run(workflow, given, self.output, disk=self.disk)

    def values(self, report: Report) -> dict[str, int]:
        """Return value 0 of the result stage, by file."""
        assert report.session is not None
        return {
            report.job.events[row].file.name: result.value
            for row, result in report.session.results.items()
        }
