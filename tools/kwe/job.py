"""From a workflow file and its inputs to a job: what the agent is given, and each file's place."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.kwe import abi
from tools.kwe.blob import ManifestEntry, block_variables, encode_path, encode_workflow
from tools.kwe.errors import SpecError
from tools.kwe.inputs import InputFile, Inputs, read_inputs
from tools.kwe.layout import align8
from tools.kwe.sizing import Sizing, work_out_sizes
from tools.kwe.sources import FromEvent, Stage
from tools.kwe.spec import Workflow
from tools.kwe.stages import resolve_stages
from tools.kwe.system import System
from tools.kwe.yaml_source import Source as TextSource

BATCH = 64
PROGRESS_MS = 100
STANDING_PROGRESS_MS = 500
# Where names too long for a guest path go.
LONG_NAMES = ".kwe-long"


@dataclass(frozen=True)
class Event:
    """One run of the workflow: its input file and, by variable, its paths on the guest's disk."""

    file: InputFile
    paths: Mapping[str, bytes]


@dataclass(frozen=True)
class Job:
    """A compiled workflow with its events."""

    spec: Workflow
    stages: tuple[Stage, ...]
    route: tuple[int, ...]  # deck prefixes, 0 last
    inputs: Inputs
    events: tuple[Event, ...]
    sizing: Sizing
    blob: bytes
    standing: int = 0  # so many events that stand, instead of `events`

    def encode(self) -> bytes:
        """Return the file opt/kwe/job."""
        rows = b"".join(
            encode_path(event.paths[name])
            for event in self.events
            for name in block_variables(self.stages)
        )
        row_bytes = len(block_variables(self.stages)) * abi.PATH.size
        workflow = align8(self.blob)
        rows_offset = abi.JOB.size + len(workflow)
        header = abi.JOB.pack(
            magic=abi.JOB_MAGIC,
            version=abi.JOB_VERSION,
            header_bytes=abi.JOB.size,
            flags=abi.JOB_SYNC_AT_END | (abi.JOB_STANDING if self.standing else 0),
            workflow_bytes=len(self.blob),
            workflow_offset=abi.JOB.size,
            rows_offset=rows_offset,
            total_bytes=rows_offset + len(rows),
            row_count=self.standing or len(self.events),
            row_bytes=row_bytes,
            ring_slots=self.sizing.ring_slots,
            batch=min(BATCH, self.sizing.ring_slots),
            progress_ms=STANDING_PROGRESS_MS if self.standing else PROGRESS_MS,
        )
        return header + workflow + rows

    def host_outputs(self) -> Iterator[tuple[str, int, bytes, str]]:
        """Yield each file that a run makes: output, event, guest path, name below --output."""
        files = [name for name, item in self.spec.outputs.items() if item.kind == "files"]
        for index, event in enumerate(self.events):
            for name in files:
                relative = event.file.name + self.spec.outputs[name].suffix
                yield (
                    name,
                    index,
                    event.paths[name],
                    relative if len(files) == 1 else f"{name}/{relative}",
                )


def compile_workflow(
    source: TextSource,
    spec: Workflow,
    system: System,
    given: Mapping[str, Path],
    kept: Path,
    cpus: int,
) -> Job:
    """Compile a checked workflow for its inputs.

    Raises:
        SpecError: A stage or an input is wrong.
    """
    stages = resolve_stages(source, spec, system)
    inputs = read_inputs(spec, given, kept)
    variables = block_variables(stages)
    block_bytes = len(variables) * abi.PATH.size
    if block_bytes > abi.MAX_BLOCK_BYTES:
        raise SpecError(
            f"{source.path}: {len(variables)} files an event; "
            f"at most {abi.MAX_BLOCK_BYTES // abi.PATH.size} would be right"
        )
    sizing = work_out_sizes(spec, stages, inputs, cpus, block_bytes)
    blob = encode_workflow(spec, stages, sizing, inputs.constants, _manifest(stages, spec))
    job = Job(
        spec=spec,
        stages=tuple(stages),
        route=(*(stage.deck.prefix for stage in stages if not stage.kind), 0),
        inputs=inputs,
        events=tuple(_events(spec, inputs, list(variables))),
        sizing=sizing,
        blob=blob,
        standing=spec.standing.concurrency if spec.standing else 0,
    )
    _check_output_names(job)
    return job


def folder_of(spec: Workflow, variable: str) -> bytes:
    """Return the guest's directory of an input's or output's files."""
    side = "in" if variable in spec.inputs else "out"
    return f"/{side}/{variable}".encode()


# Operations that take what comes to a port of the system's own; the others' is another system's.
OWN_PORT = ("network.tcp_listen", "network.udp_receive")


def _port_rights(stages: list[Stage]) -> dict[int, int]:
    """Name the ports that the stages use; one that is only known at run time is any, 0."""
    rights: dict[int, int] = {}
    for stage in stages:
        for name in ("port", "from"):
            value = stage.arguments.get(name)
            if stage.deck.name != "network" or value is None or (name == "from" and value == 0):
                continue
            port = value if isinstance(value, int) else 0
            own = name == "from" or f"{stage.deck.name}.{stage.op.name}" in OWN_PORT
            right = abi.MANIFEST_READ if own else abi.MANIFEST_WRITE
            rights[port] = rights.get(port, 0) | right
    return rights


def _manifest(stages: list[Stage], spec: Workflow) -> list[ManifestEntry]:
    """Name the subtrees and ports that the stages touch, and the rights their operations need."""
    rights: dict[bytes, int] = {}
    for stage in stages:
        right = abi.MANIFEST_WRITE if "effect" in stage.op.traits else abi.MANIFEST_READ
        for argument in stage.arguments.values():
            if isinstance(argument, FromEvent):
                path = folder_of(spec, argument.name)
            elif isinstance(argument, bytes):
                path = argument
            else:
                continue
            rights[path] = rights.get(path, 0) | right
    return [
        *(ManifestEntry(right, path=path) for path, right in rights.items()),
        *(ManifestEntry(right, port=port) for port, right in _port_rights(stages).items()),
    ]


def _events(spec: Workflow, inputs: Inputs, variables: list[str]) -> Iterator[Event]:
    tops = {file.name.partition("/")[0] for file in inputs.files}
    long_names = LONG_NAMES
    while long_names in tops:
        long_names += "_"
    for index, file in enumerate(() if spec.standing else inputs.files):
        paths = {}
        for variable in variables:
            suffix = spec.outputs[variable].suffix if variable in spec.outputs else ""
            folder = folder_of(spec, variable)
            path = folder + b"/" + os.fsencode(file.name + suffix)
            if len(path) > abi.MAX_PATH_BYTES:
                path = folder + f"/{long_names}/{index:06}".encode()
            paths[variable] = path
        yield Event(file, paths)


def _check_output_names(job: Job) -> None:
    """No two things may land on one name, and each name must be one that a file system takes."""
    taken = {item.name: name for name, item in job.spec.outputs.items() if item.kind != "files"}
    taken |= {name: name for name in job.inputs.made}
    for output, _, _, relative in job.host_outputs():
        if relative in taken:
            raise SpecError(
                f"output {output}: the file {relative!r} would land on that of {taken[relative]}; "
                f"another name, or a suffix at the output, would be right"
            )
        taken[relative] = output
        if len(os.fsencode(relative.rpartition("/")[2])) > 255:
            raise SpecError(
                f"output {output}: the name {relative!r} would be longer than 255 bytes"
            )
