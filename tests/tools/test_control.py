import random

import pytest

from tools.kwe import abi
from tools.kwe.control import FrameReader, crc32c, encode, parse_error, parse_results, parse_stages
from tools.kwe.errors import MachineError
from tools.kwe.session import Channel, Session


def test_crc32c_of_the_check_string() -> None:
    assert crc32c(b"123456789") == 0xE3069283


def test_frames_arrive_byte_by_byte() -> None:
    stream = encode(3, b"abc") + encode(7, b"")
    reader = FrameReader()

    frames = [frame for byte in stream for frame in reader.feed(bytes([byte]))]

    assert [(frame.type, frame.payload) for frame in frames] == [(3, b"abc"), (7, b"")]
    assert reader.skipped_bytes == 0


def test_reader_goes_on_after_garbage() -> None:
    stream = b"SeaBIOS says hello\r\n" + encode(1, b"one") + b"\x4b\x7c" + encode(2, b"two")
    reader = FrameReader()

    assert [frame.payload for frame in reader.feed(stream)] == [b"one", b"two"]


@pytest.mark.parametrize("position", range(0, 40, 3))
def test_one_damaged_byte_costs_one_frame(position: int) -> None:
    first = encode(1, bytes(range(24)))
    damaged = bytearray(first)
    damaged[position] ^= 0x10
    after = encode(2, b"after") + encode(3, bytes(70000 % 60000))

    frames = list(FrameReader().feed(bytes(damaged) + after))

    assert frames[-1].type == 3


def test_random_bytes_never_make_a_frame() -> None:
    noise = random.Random(7).randbytes(200_000)

    assert list(FrameReader().feed(noise)) == []


def test_results_carry_their_output() -> None:
    entries = b""
    for row, output in ((5, b"0123456789"), (6, b"")):
        entries += abi.CONTROL_RESULT.pack(
            row=row, output_bytes=len(output), result={"status": 0, "stage": 4, "value": 9}
        )
        entries += output + bytes(-len(output) % 8)

    results = list(parse_results(entries))

    assert [(r.row, r.output, r.stage, r.value) for r in results] == [
        (5, b"0123456789", 4, 9),
        (6, b"", 4, 9),
    ]


def test_a_result_that_claims_too_much_is_refused() -> None:
    entry = abi.CONTROL_RESULT.pack(row=0, output_bytes=4096)

    with pytest.raises(ValueError, match="4096"):
        list(parse_results(entry))


def test_stages_follow_the_status() -> None:
    payload = abi.WORKFLOW_STATUS.pack(stage_count=2, submitted=7)
    payload += abi.STAGE_STATUS.pack(events=7, deck=3) + abi.STAGE_STATUS.pack(events=6, deck=1)

    status, stages = parse_stages(payload)

    assert status["submitted"] == 7
    assert [(stage["deck"], stage["events"]) for stage in stages] == [(3, 7), (1, 6)]


def test_error_has_its_text() -> None:
    text = "stage decode: no such op"
    payload = abi.ERROR.pack(status=12, stage=1, text_bytes=len(text)) + text.encode()

    assert parse_error(payload) == (12, 1, text)


def progress(submitted: int, completed: int, failed: int, armed: int) -> bytes:
    return encode(
        abi.CONTROL_PROGRESS,
        abi.PROGRESS.pack(submitted=submitted, completed=completed, failed=failed, armed=armed),
    )


def job(index: int) -> bytes:
    return encode(abi.CONTROL_JOB, abi.CONTROL_JOB_HEAD.pack(index=index))


def test_frames_go_to_the_job_that_was_named_last() -> None:
    seen: list[tuple[int, int, int]] = []
    channel = Channel([Session(), Session()], lambda *counts: seen.append(counts))

    channel.feed(progress(4, 1, 0, 2) + job(1) + progress(8, 3, 2, 0))
    was_up = channel.is_up
    channel.feed(progress(8, 3, 2, 5) + job(0) + progress(4, 2, 0, 2))

    assert (was_up, channel.is_up) == (False, True)
    assert [session.progress for session in channel.sessions] == [(4, 2, 0), (8, 3, 2)]
    assert channel.progress == (12, 5, 2)
    assert seen[:2] == [(4, 1, 0), (12, 4, 2)]
    channel.feed(encode(abi.CONTROL_DONE, abi.DONE.pack(finished_ns=7)))
    assert channel.is_done
    assert [session.done and session.done["finished_ns"] for session in channel.sessions] == [7, 7]


def test_a_job_that_there_is_none_of_is_an_error() -> None:
    with pytest.raises(MachineError, match="there is no job 1"):
        Channel([Session()]).feed(job(1))
