"""The Python side's numbers against the C headers, through the compiler."""

import subprocess
from pathlib import Path

from tools.accelerator import protocol
from tools.accelerator.protocol import Convolve, JpegEncode

ROOT = Path(__file__).resolve().parents[2]

NUMBERS = {
    "KWE_ACCEL_MAGIC": protocol.MAGIC,
    "KWE_ACCEL_VERSION": protocol.VERSION,
    "KWE_ACCEL_SLOTS": protocol.SLOTS,
    "KWE_ACCEL_REQUESTS": protocol.REQUESTS,
    "KWE_ACCEL_RESPONSES": protocol.RESPONSES,
    "KWE_ACCEL_DATA": protocol.DATA,
    "KWE_ACCEL_HEARTBEAT_NS": int(protocol.HEARTBEAT_S * 1e9),
    "KWE_ACCEL_CONVOLVE": protocol.OP_CONVOLVE,
    "KWE_ACCEL_JPEG_ENCODE": protocol.OP_JPEG_ENCODE,
    "KWE_ACCEL_OK": protocol.STATUS_OK,
    "KWE_ACCEL_BAD_REQUEST": protocol.STATUS_BAD_REQUEST,
    "KWE_ACCEL_UNKNOWN_OP": protocol.STATUS_UNKNOWN_OP,
    "KWE_ACCEL_FAILED": protocol.STATUS_FAILED,
    "KWE_ACCEL_NO_ROOM": protocol.STATUS_NO_ROOM,
    "offsetof(struct kwe_accel_control, magic)": protocol.CONTROL_MAGIC,
    "offsetof(struct kwe_accel_control, version)": protocol.CONTROL_VERSION,
    "offsetof(struct kwe_accel_control, slots)": protocol.CONTROL_SLOTS,
    "offsetof(struct kwe_accel_control, window_bytes)": protocol.CONTROL_WINDOW_BYTES,
    "offsetof(struct kwe_accel_control, epoch)": protocol.CONTROL_EPOCH,
    "offsetof(struct kwe_accel_control, worker_peer)": protocol.CONTROL_WORKER_PEER,
    "offsetof(struct kwe_accel_control, worker_session)": protocol.CONTROL_WORKER_SESSION,
    "offsetof(struct kwe_accel_control, heartbeat_ns)": protocol.CONTROL_HEARTBEAT_NS,
    "offsetof(struct kwe_accel_control, guest_session)": protocol.CONTROL_GUEST_SESSION,
    "offsetof(struct kwe_accel_control, guest_peer)": protocol.CONTROL_GUEST_PEER,
    "offsetof(struct ring, tail)": protocol.RING_TAIL,
    "offsetof(struct ring, head)": protocol.RING_HEAD,
    "offsetof(struct ring, slot)": protocol.RING_SLOT,
    "RING_SLOT_BYTES": protocol.SLOT_BYTES,
    "sizeof(struct kwe_accel_convolve)": Convolve.SIZE,
    "sizeof(struct kwe_accel_jpeg_encode)": JpegEncode.SIZE,
}

# Each field of a slot or parameter struct, and what Python's encoder puts there.
FIELDS = """
    struct kwe_accel_request request = {
        .id = 1, .op = 2, .params_offset = 3, .params_bytes = 4,
        .in_offset = 5, .in_bytes = 6, .out_offset = 7, .out_bytes = 8 };
    struct kwe_accel_response response = { .id = 1, .status = 2, .out_bytes = 3, .worker_ns = 4 };
    struct kwe_accel_convolve convolve = {
        .width = 1, .height = 2, .channels = 3, .divisor = 4, .bias = -5,
        .weights = { 6, 7, 8, 9, 10, 11, 12, 13, 14 } };
    struct kwe_accel_jpeg_encode encode = { .width = 1, .height = 2, .quality = 3 };
"""


def run_c(tmp_path: Path, body: str) -> bytes:
    source, program = tmp_path / "layout.c", tmp_path / "layout"
    source.write_text(
        '#include "kernel/abi/accel.h"\n#include "kernel/lib/ring.h"\n#include <stdio.h>\n'
        f"int main(void) {{ {body} return 0; }}\n"
    )
    subprocess.run(["gcc", "-I", ROOT, "-o", program, source], check=True)
    return subprocess.run([program], capture_output=True, check=True).stdout


def test_constants_and_offsets_agree(tmp_path: Path) -> None:
    body = "".join(f'printf("%llu\\n", (unsigned long long)({name}));' for name in NUMBERS)

    values = [int(line) for line in run_c(tmp_path, body).split()]

    assert dict(zip(NUMBERS, values, strict=True)) == NUMBERS


def test_encoded_structs_agree(tmp_path: Path) -> None:
    writes = "".join(
        f"fwrite(&{name}, sizeof({name}), 1, stdout);"
        for name in ("request", "response", "convolve", "encode")
    )

    image = run_c(tmp_path, FIELDS + writes)

    python = (
        protocol.Request(1, 2, 3, 4, 5, 6, 7, 8).pack()
        + protocol.Response(1, 2, 3, 4).pack()
        + Convolve(1, 2, 3, 4, -5, tuple(range(6, 15))).pack()
        + JpegEncode(1, 2, 3).pack()
    )
    assert image == python
