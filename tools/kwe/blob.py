"""A workflow in the wire format of kernel/abi/workflow.h."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.kwe import abi
from tools.kwe.layout import align8
from tools.kwe.sizing import Sizing
from tools.kwe.sources import (
    Argument,
    FromConstant,
    FromEvent,
    FromFirst,
    FromLength,
    FromOutput,
    FromPart,
    FromPiece,
    FromPrevious,
    FromPreviousValue,
    FromStage,
    FromStatus,
    FromValue,
    Stage,
)
from tools.kwe.spec import Workflow
from tools.kwe.system import Param

ELEMENT_FORMATS = {
    "u32": "I",
    "u64": "Q",
    "i32": "i",
    "i64": "q",
    "bool": "I",
    "f64": "d",
    "bytes": "B",
}


def block_variables(stages: Sequence[Stage]) -> dict[str, int]:
    """Return the event's variables with their offsets in its block: one path each."""
    names = dict.fromkeys(
        argument.name
        for stage in stages
        for argument in stage.arguments.values()
        if isinstance(argument, FromEvent)
    )
    return {name: index * abi.PATH.size for index, name in enumerate(names)}


def encode_path(path: bytes) -> bytes:
    """Return a struct kwe_path."""
    return abi.PATH.pack(length=len(path), bytes=path)


@dataclass(frozen=True)
class ManifestEntry:
    """A subtree, or else a port (0: any), with its KWE_MANIFEST_* rights."""

    rights: int
    path: bytes = b""
    port: int = 0

    def pack(self) -> bytes:
        """Return a struct kwe_manifest_entry."""
        return abi.MANIFEST_ENTRY.pack(
            kind=abi.MANIFEST_SUBTREE if self.path else abi.MANIFEST_PORT,
            rights=self.rights,
            number=self.port,
            path={"length": len(self.path), "bytes": self.path},
        )


def encode_workflow(
    spec: Workflow,
    stages: Sequence[Stage],
    sizing: Sizing,
    constants: Mapping[str, bytes],
    manifest: Sequence[ManifestEntry],
) -> bytes:
    """Return the blob that workflow_register() reads.

    Args:
        spec: The workflow file.
        stages: In an order in which they can run.
        sizing: Slots, limits.
        constants: Inputs of kind bytes.
        manifest: What the workflow may touch.
    """
    variables = block_variables(stages)
    block_bytes = len(variables) * abi.PATH.size
    constant_bytes, constant_at = _concatenate(constants)
    names, name_at = _names([spec.workflow, *(stage.name for stage in stages)])
    dependencies: list[bytes] = []
    bindings: list[bytes] = []
    conditions: list[bytes] = []
    order = {stage.name: index for index, stage in enumerate(stages)}
    params = b""
    records = []
    for index, stage in enumerate(stages):
        own = _input_bindings(stage, constants, constant_at) + _param_bindings(stage, variables)
        static = align8(_static_params(stage))
        records.append(
            abi.STAGE.pack(
                kind=stage.kind,
                join=stage.flow.join,
                deck=stage.deck.prefix,
                flags=abi.STAGE_ANY_VARIANT if stage.is_open else 0,
                op=stage.op.number,
                dependency_first=len(dependencies),
                dependency_count=len(stage.needs),
                binding_first=len(bindings),
                binding_count=len(own),
                condition_first=len(conditions),
                condition_count=len(stage.flow.conditions),
                body_first=index + 1 if stage.body else 0,
                body_count=stage.body,
                bound=stage.bound,
                fallback=abi.NO_STAGE,
                compensation=abi.NO_STAGE,
                params_offset=len(params),
                params_bytes=stage.op.params_bytes,
                name_offset=name_at[index + 1],
                out_limit=sizing.out_limits[index],
                out_most=sizing.out_mosts[index],
                timeout_ns=stage.flow.timeout_ns,
            )
        )
        dependencies += [
            abi.DEPENDENCY.pack(
                stage=before,
                flags=abi.DEPENDENCY_TOLERATES if before in stage.tolerates else 0,
            )
            for before in stage.needs
        ]
        conditions += [
            abi.CONDITION.pack(
                stage=order[condition.stage],
                what=condition.what,
                relation=abi.RELATIONS[condition.relation],
                source_index=condition.index,
                constant=condition.constant,
            )
            for condition in stage.flow.conditions
        ]
        bindings += own
        params += static
    header = abi.WORKFLOW.pack(
        magic=abi.WORKFLOW_MAGIC,
        version=abi.WORKFLOW_VERSION,
        stage_count=len(stages),
        result_stage=order[spec.result] if spec.result else abi.NO_STAGE,
        dependency_count=len(dependencies),
        binding_count=len(bindings),
        condition_count=len(conditions),
        manifest_count=len(manifest),
        params_bytes=len(params),
        constant_bytes=len(constant_bytes),
        names_bytes=len(names),
        slots=sizing.slots,
        large_slots=sizing.large_slots,
        block_bytes=block_bytes,
        program_bytes=max(sizing.ring_slots * block_bytes, 4096),
        timeout_ns=spec.timeout,
    )
    parts = [
        header,
        b"".join(records),
        b"".join(dependencies),
        b"".join(bindings),
        b"".join(conditions),
        b"".join(entry.pack() for entry in manifest),
        params,
        constant_bytes,
        names,
    ]
    blob = b"".join(align8(part) for part in parts)
    at = abi.WORKFLOW.offsets["total_bytes"]
    return blob[:at] + struct.pack("<I", len(blob)) + blob[at + 4 :]


def _concatenate(constants: Mapping[str, bytes]) -> tuple[bytes, dict[str, int]]:
    data, at = b"", {}
    for name, content in constants.items():
        at[name] = len(data)
        data += align8(content)
    return data, at


def _names(names: Sequence[str]) -> tuple[bytes, list[int]]:
    data, at = b"", []
    for name in names:
        at.append(len(data))
        data += name.encode() + b"\0"
    return align8(data), at


def _input_bindings(
    stage: Stage, constants: Mapping[str, bytes], constant_at: Mapping[str, int]
) -> list[bytes]:
    bindings = []
    for index, item in enumerate(stage.inputs):
        match item:
            case FromFirst():
                binding = abi.BINDING.pack(
                    kind=abi.BIND_INPUT_STAGE, stage=abi.ANY_STAGE, target=index
                )
            case FromStage(producer):
                binding = abi.BINDING.pack(kind=abi.BIND_INPUT_STAGE, stage=producer, target=index)
            case FromPrevious(producer):
                binding = abi.BINDING.pack(
                    kind=abi.BIND_INPUT_PREVIOUS, stage=producer, target=index
                )
            case FromPiece(producer):
                binding = abi.BINDING.pack(kind=abi.BIND_INPUT_PART, stage=producer, target=index)
            case FromConstant(name):
                binding = abi.BINDING.pack(
                    kind=abi.BIND_INPUT_CONSTANT,
                    stage=abi.NO_STAGE,
                    target=index,
                    source_offset=constant_at[name],
                    source_bytes=len(constants[name]),
                )
        bindings.append(binding)
    return bindings


def _param_bindings(stage: Stage, variables: Mapping[str, int]) -> list[bytes]:
    bindings = []
    for param in stage.op.params:
        argument = stage.arguments[param.name]
        if isinstance(argument, FromEvent):
            bindings.append(
                abi.BINDING.pack(
                    kind=abi.BIND_PARAM_BLOCK,
                    stage=abi.NO_STAGE,
                    target=param.offset,
                    source_offset=variables[argument.name],
                    source_bytes=abi.PATH.size,
                )
            )
        elif isinstance(argument, FromOutput):
            bindings.append(
                abi.BINDING.pack(
                    kind=abi.BIND_PARAM_OUTPUT,
                    stage=argument.stage,
                    target=param.offset,
                    source_bytes=abi.PATH.size,
                )
            )
        elif (taken := _taken(argument)) is not None:
            kind, producer, index = taken
            bindings.append(
                abi.BINDING.pack(
                    kind=kind,
                    width=param.bytes,
                    stage=producer,
                    target=param.offset,
                    source_index=index,
                )
            )
    return bindings


def _taken(argument: Argument) -> tuple[int, int, int] | None:
    """Return the binding's kind, stage and index of what is taken from a stage or a part."""
    match argument:
        case FromValue(producer, index):
            return abi.BIND_PARAM_VALUE, producer, index
        case FromLength(producer):
            return abi.BIND_PARAM_LENGTH, producer, 0
        case FromStatus(producer):
            return abi.BIND_PARAM_STATUS, producer, 0
        case FromPreviousValue(producer, index, _):
            return abi.BIND_PARAM_PREVIOUS, producer, index
        case FromPart(what):
            return abi.BIND_PARAM_PART, abi.NO_STAGE, what
    return None


def _static_params(stage: Stage) -> bytes:
    data = bytearray(stage.op.params_bytes)
    for param in stage.op.params:
        field = _encode_argument(param, stage.arguments[param.name])
        data[param.offset : param.offset + len(field)] = field
    return bytes(data)


def _encode_argument(param: Param, argument: Argument) -> bytes:
    match argument:
        case FromValue() | FromOutput() | FromEvent() | FromLength() | FromStatus() | FromPart():
            return b""
        case FromPreviousValue(_, _, static):
            return struct.pack(f"<{ELEMENT_FORMATS[param.element]}", static)
        case bytes():
            return encode_path(argument)
        case _:
            numbers = argument if isinstance(argument, tuple) else (argument,)
            return struct.pack(f"<{len(numbers)}{ELEMENT_FORMATS[param.element]}", *numbers)
