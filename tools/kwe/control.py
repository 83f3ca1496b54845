"""The control channel's frames (kernel/abi/control.h), as bytes arrive from the serial port."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tools.kwe import abi

CRC32C_POLYNOMIAL = 0x82F63B78  # Castagnoli, bits reversed


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (CRC32C_POLYNOMIAL if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of `data`."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


@dataclass(frozen=True)
class Frame:
    """One frame that arrived whole."""

    type: int
    payload: bytes


def encode(kind: int, payload: bytes) -> bytes:
    """Return a frame as the agent sends it."""
    covered = abi.FRAME.pack(type=kind, length=len(payload))[4:12]
    return abi.FRAME.pack(
        magic=abi.CONTROL_MAGIC, type=kind, length=len(payload), crc32c=crc32c(covered + payload)
    ) + bytes(payload)


class FrameReader:
    """Finds frames in a stream of bytes; what is no frame is skipped and counted."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self.skipped_bytes = 0

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take bytes; yield the frames that are complete now."""
        self._pending += data
        magic = abi.CONTROL_MAGIC.to_bytes(4, "little")
        while True:
            start = self._pending.find(magic)
            if start < 0:
                # The last three may be the beginning of a magic.
                self._skip(max(0, len(self._pending) - 3))
                return
            self._skip(start)
            if len(self._pending) < abi.FRAME.size:
                return
            header = abi.FRAME.unpack(bytes(self._pending[: abi.FRAME.size]))
            end = abi.FRAME.size + header["length"]
            if header["length"] > abi.CONTROL_MAX_PAYLOAD:
                self._skip(1)
                continue
            if len(self._pending) < end:
                return
            payload = bytes(self._pending[abi.FRAME.size : end])
            if crc32c(bytes(self._pending[4:12]) + payload) != header["crc32c"]:
                self._skip(1)
                continue
            del self._pending[:end]
            yield Frame(header["type"], payload)

    def _skip(self, count: int) -> None:
        del self._pending[:count]
        self.skipped_bytes += count


@dataclass(frozen=True)
class EventResult:
    """The one answer to an event."""

    row: int
    status: int
    stage: int
    deck: int
    step: int
    value: int
    length: int
    output: bytes  # the first bytes of the result stage's output
    submitted_ns: int
    finished_ns: int


def parse_results(payload: bytes) -> Iterator[EventResult]:
    """Yield the results of a RESULTS frame.

    Raises:
        ValueError: The payload is cut short, or claims more output than may travel.
    """
    offset = 0
    while offset < len(payload):
        fields = abi.CONTROL_RESULT.unpack(payload, offset)
        offset += abi.CONTROL_RESULT.size
        size = fields["output_bytes"]
        if size > abi.CONTROL_MAX_OUTPUT or offset + size > len(payload):
            raise ValueError(f"a result claims {size} bytes of output")
        result = fields["result"]
        yield EventResult(
            row=fields["row"],
            output=payload[offset : offset + size],
            **{
                name: result[name]
                for name in (
                    *("status", "stage", "deck", "step", "value", "length"),
                    *("submitted_ns", "finished_ns"),
                )
            },
        )
        offset += (size + 7) // 8 * 8


def parse_stages(payload: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the status of the workflow and of its stages.

    Raises:
        ValueError: The payload is cut short.
    """
    status = abi.WORKFLOW_STATUS.unpack(payload)
    first, size = abi.WORKFLOW_STATUS.size, abi.STAGE_STATUS.size
    return status, [
        abi.STAGE_STATUS.unpack(payload, first + index * size)
        for index in range(status["stage_count"])
    ]


def parse_trace(payload: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the head and the records of a TRACE frame.

    Raises:
        ValueError: Its length is not what its head says.
    """
    head = abi.TRACE_HEAD.unpack(payload[: abi.TRACE_HEAD.size])
    size = abi.TRACE_RECORD.size
    rest = payload[abi.TRACE_HEAD.size :]
    if len(rest) != head["count"] * size:
        raise ValueError(f"{head['count']} trace records in {len(rest)} bytes")
    return head, [abi.TRACE_RECORD.unpack(rest[at : at + size]) for at in range(0, len(rest), size)]


def parse_plan(payload: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the kernel's plan of the workflow and of its stages.

    Raises:
        ValueError: The payload is cut short.
    """
    plan = abi.PLAN.unpack(payload)
    first, size = abi.PLAN.size, abi.PLAN_STAGE.size
    stages = [
        abi.PLAN_STAGE.unpack(payload, first + index * size) for index in range(plan["stage_count"])
    ]
    for stage in stages:
        stage["variants"] = [
            abi.PLAN_VARIANT.unpack(stage["variant"], index * abi.PLAN_VARIANT.size)
            for index in range(min(stage["variant_count"], abi.MAX_VARIANTS - 1))
        ]
    return plan, stages


def parse_statistics(payload: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the counters of the system and of its decks, by prefix.

    Raises:
        ValueError: The payload is cut short.
    """
    decks = [
        abi.DECK_STATISTICS.unpack(payload, abi.STATISTICS.size + index * abi.DECK_STATISTICS.size)
        for index in range(abi.MAX_DECKS_REPORTED)
    ]
    return abi.STATISTICS.unpack(payload), decks


def parse_error(payload: bytes) -> tuple[int, int, str]:
    """Return an ERROR frame's code, stage and text.

    Raises:
        ValueError: The payload is cut short.
    """
    fields = abi.ERROR.unpack(payload)
    text = payload[abi.ERROR.size : abi.ERROR.size + fields["text_bytes"]]
    return fields["status"], fields["stage"], text.decode(errors="replace")
