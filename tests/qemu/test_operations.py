"""Operations of the decks by small workflows of their own, against other hands' results."""

import hashlib
import os
import random
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tests.qemu import guest_disk, lz4_block, pictures, seals
from tests.qemu.pictures import Pixels
from tests.qemu.trials import LOAD, Trial

CONTENTS = {
    "empty": b"",
    "one": b"\0",
    "text": b"the quick brown fox jumps over the lazy dog\n" * 700,
    "noise": random.Random(5).randbytes(70_000),
    "zeros": bytes(300_000),
    "check": b"123456789",
}


def test_lz4_blocks_are_what_the_format_says_and_come_back(trial: Trial) -> None:
    report = trial.run(
        CONTENTS,
        LOAD
        + """\
  pack: {op: operations.lz4_compress, needs: load}
  keep: {op: storage.write, needs: pack, path: $packed}
  unpack: {op: operations.lz4_decompress, needs: pack, at_most: limits.unpacked}
  save: {op: storage.write, needs: unpack, path: $made}
""",
        "packed: {kind: files}, made: {kind: files}",
    )

    assert report.errors == []
    for name, content in CONTENTS.items():
        packed = (trial.output / "packed" / name).read_bytes()
        assert int.from_bytes(packed[:8], "little") == len(content)
        assert lz4_block.unpacked(packed[8:]) == content, name
        assert (trial.output / "made" / name).read_bytes() == content, name


def test_what_was_sealed_elsewhere_is_opened_and_unpacked(trial: Trial) -> None:
    cipher = ChaCha20Poly1305(bytes(range(32)))
    sealed = {}
    for name, content in CONTENTS.items():
        nonce = os.urandom(seals.NONCE_BYTES)
        sealed[name] = nonce + cipher.encrypt(nonce, seals.packed(content), None)
    broken = bytearray(sealed["text"])
    broken[-1] ^= 1
    sealed |= {"broken": bytes(broken), "short": b"x" * 27}
    nonce = os.urandom(seals.NONCE_BYTES)
    sealed["no_frame"] = nonce + cipher.encrypt(nonce, b"this is no zstd frame", None)
    sealed["too_large"] = nonce + cipher.encrypt(nonce, seals.packed(bytes((1 << 20) + 1)), None)

    report = trial.run(
        sealed,
        LOAD
        + """\
  open: {op: operations.open, needs: load, key: $key}
  unpack: {op: operations.zstd_decompress, needs: open, at_most: limits.unpacked}
  save: {op: storage.write, needs: unpack, path: $made}
""",
        key=True,
    )

    for name, content in CONTENTS.items():
        assert (trial.output / name).read_bytes() == content, name
    errors = {error["event"]: (error["stage"], error["code"]) for error in report.errors}
    assert errors == {
        "broken": ("open", "NOT_AUTHENTIC"),
        "short": ("open", "NOT_AUTHENTIC"),
        "no_frame": ("unpack", "CORRUPT_DATA"),
        "too_large": ("unpack", "OUTPUT_TOO_LARGE"),
    }
    guest_disk.assert_clean(trial.disk)


def test_crc32c_is_castagnolis(trial: Trial) -> None:
    report = trial.run(
        {"check": b"123456789", "zeros": bytes(32), "ones": b"\xff" * 32, "up": bytes(range(32))},
        LOAD + "  crc: {op: operations.crc32c, needs: load}\n",
        "",
        result="crc",
    )

    # RFC 3720, B.4, and the usual check value.
    assert trial.values(report) == {
        "check": 0xE3069283,
        "zeros": 0x8A9136AA,
        "ones": 0x62A8AB43,
        "up": 0x46DD794E,
    }


def half_away(pixels: Pixels, weights: list[int], divisor: int, bias: int) -> Pixels:
    """Return the convolution with exact fractions: rounded half away from zero, then the bias."""
    padded = np.pad(pixels.astype(np.int64), ((1, 1), (1, 1), (0, 0)), mode="edge")
    height, width, _ = pixels.shape
    total = sum(
        weight * padded[index // 3 : index // 3 + height, index % 3 : index % 3 + width]
        for index, weight in enumerate(weights)
    )
    rounded = np.sign(total) * ((2 * np.abs(total) + divisor) // (2 * divisor))
    clamped: Pixels = np.clip(rounded + bias, 0, 255).astype(np.uint8)
    return clamped


@pytest.mark.parametrize(
    ("weights", "divisor", "bias"),
    [
        ([1] * 9, 9, 0),
        ([1, 2, 1, 2, 4, 2, 1, 2, 1], 16, 0),
        ([-2, -1, 0, -1, 1, 1, 0, 1, 2], 2, 128),
        ([65536, -65536, 3, 7, -65536, 65536, 0, -1, 1], 1048576, -3),
    ],
    ids=["mean", "bell", "relief", "extremes"],
)
def test_both_convolutions_are_exactly_the_definition(
    trial: Trial, weights: list[int], divisor: int, bias: int, tmp_path: Path
) -> None:
    files = {}
    for width, height in ((1, 1), (2, 1), (31, 17), (90, 70)):
        path = tmp_path / f"{width}x{height}.jpg"
        pictures.write_jpeg(path, width, height)
        files[path.name] = path.read_bytes()
    params = f"weights: {weights}, divisor: {divisor}, bias: {bias}"

    report = trial.run(
        files,
        LOAD
        + f"""\
  decode: {{op: operations.jpeg_decode, needs: load, at_most: limits.unpacked}}
  here: {{op: operations.convolve, needs: decode, {params}}}
  there: {{op: hardware.convolve, needs: decode, {params}}}
  save_here: {{op: storage.write, needs: here, path: $here}}
  save_there: {{op: storage.write, needs: there, path: $there}}
""",
        "here: {kind: files}, there: {kind: files}",
    )

    assert report.errors == []
    for name in files:
        pixels = pictures.decode(tmp_path / name)
        wanted = half_away(pixels, weights, divisor, bias).tobytes()
        assert (trial.output / "here" / name).read_bytes() == wanted, name
        assert (trial.output / "there" / name).read_bytes() == wanted, name


def test_the_disk_is_changed_as_its_operations_say(trial: Trial) -> None:
    report = trial.run(
        {"a": b"some content", "b": b""},
        LOAD
        + """\
  look: {op: storage.stat, path: $files}
  list: {op: storage.list, path: /in/files, at_most: 4 KiB}
  save: {op: storage.write, needs: list, path: $made}
""",
        result="look",
    )

    assert report.errors == []
    assert trial.values(report) == {"a": 12, "b": 0}
    entries = (trial.output / "a").read_text().splitlines()
    assert sorted(entries) == ["f 0 b", "f 12 a"]
    guest_disk.assert_clean(trial.disk)


def test_directories_and_files_are_made_and_removed(trial: Trial) -> None:
    # One event: the literal paths can be made only once.
    report = trial.run(
        {"only": b"x"},
        LOAD
        + """\
  folder: {op: storage.mkdir, path: /out/folder}
  inner: {op: storage.mkdir, path: /out/folder/inner, needs: folder}
  file: {op: storage.create, path: /out/folder/file, needs: inner}
  gone: {op: storage.remove, path: /out/folder/inner, needs: file}
  sync: {op: storage.sync, needs: gone}
  save: {op: storage.write, data: load, path: $made, needs: sync}
""",
    )

    assert report.errors == []
    guest_disk.assert_clean(trial.disk)
    assert guest_disk.names(trial.disk, "/out/folder") == ["file"]
    assert guest_disk.content(trial.disk, "/out/folder/file") == b""


def test_the_network_card_says_its_address_and_that_its_link_is_up(trial: Trial) -> None:
    report = trial.run({"any": b""}, LOAD + "  link: {op: network.link}\n", "", result="link")

    assert report.errors == []
    # QEMU's first card: 52:54:00:12:34:56, first byte lowest.
    assert trial.values(report) == {"any": int.from_bytes(bytes.fromhex("525400123456"), "little")}


def test_a_digest_in_parts_is_that_of_the_whole(trial: Trial) -> None:
    sizes = (0, 1, 999, 1000, 1001, 2048, 70_000)
    files = {f"of_{size}": random.Random(size).randbytes(size) for size in sizes}

    report = trial.run(
        files,
        """\
  one: {op: storage.read, path: $files, length: 1000, at_most: 1000}
  two: {op: storage.read, path: $files, offset: 1000, length: 1048, at_most: 1048}
  rest: {op: storage.read, path: $files, offset: 2048, at_most: limits.file}
  begin: {op: operations.sha256_update, data: one}
  go_on: {op: operations.sha256_update, data: two, state: begin}
  end: {op: operations.sha256_update, data: rest, state: go_on}
  digest: {op: operations.sha256_final, state: end}
  save: {op: storage.write, needs: digest, path: $made}
""",
    )

    assert report.errors == []
    for name, content in files.items():
        assert (trial.output / name).read_bytes() == hashlib.sha256(content).digest(), name


def test_a_forged_state_is_refused(trial: Trial) -> None:
    files = {"nothing": b"", "zeros": bytes(112), "noise": random.Random(1).randbytes(112)}

    report = trial.run(
        files,
        LOAD
        + """\
  digest: {op: operations.sha256_final, state: load}
  save: {op: storage.write, needs: digest, path: $made}
""",
    )

    errors = {error["event"]: (error["stage"], error["code"]) for error in report.errors}
    assert errors == dict.fromkeys(("zeros", "noise"), ("digest", "BAD_STATE"))
    assert (trial.output / "nothing").read_bytes() == hashlib.sha256().digest()
