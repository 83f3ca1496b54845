"""Operations on samples against numpy.

Counts are exact. Sums are taken in another order than numpy's: each number may be off by TOLERANCE
of the largest one that it is made from.
"""

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.harness.plugin import Kwe
from tests.harness.workflow import workflow_file
from tests.qemu.trials import LOAD, Trial
from tools.kwe.errors import EXIT_DONE, EXIT_WORKFLOW
from tools.kwe.tree import ROOT

TOLERANCE = 1e-12
FORMATS = {"i16": 0, "f32": 1, "f64": 2}

Reals = npt.NDArray[np.float64]


def recordings() -> dict[str, Reals]:
    """Return rows of samples of several lengths and kinds."""
    random = np.random.default_rng(11)
    return {
        "one": np.array([-3.25]),
        "noise": random.normal(2.0, 5.0, 10_001),
        "far": 1e6 + random.random(4096),
        "ramp": np.arange(-500, 500) / 100,
    }


def records_of(made: bytes) -> dict[str, float]:
    """Take the record of operations.statistics apart."""
    names = ("count", "minimum", "maximum", "mean", "variance")
    return dict(zip(names, struct.unpack("<Q4d", made), strict=True))


def assert_statistics(record: dict[str, float], samples: Reals) -> None:
    largest = float(np.abs(samples).max())
    assert record["count"] == samples.size
    assert record["minimum"] == samples.min()
    assert record["maximum"] == samples.max()
    assert abs(record["mean"] - samples.mean()) <= TOLERANCE * largest
    assert abs(record["variance"] - samples.var()) <= TOLERANCE * largest**2


def test_statistics_and_histogram_are_numpys(trial: Trial) -> None:
    rows = recordings()

    report = trial.run(
        {name: samples.tobytes() for name, samples in rows.items()} | {"odd": bytes(17)},
        LOAD
        + """\
  moments: {op: operations.statistics, needs: load, format: 2}
  counts: {op: operations.histogram, needs: load, format: 2, low: -4.5, high: 4, bins: 34}
  save_moments: {op: storage.write, needs: moments, path: $record}
  save_counts: {op: storage.write, needs: counts, path: $bins}
""",
        "record: {kind: files}, bins: {kind: files}",
    )

    errors = {error["event"]: error["code"] for error in report.errors}
    assert errors == {"odd": "BAD_SAMPLES"}
    for name, samples in rows.items():
        assert_statistics(records_of((trial.output / "record" / name).read_bytes()), samples)
        counts = np.fromfile(trial.output / "bins" / name, np.uint64)
        expected, _ = np.histogram(samples, 34, (-4.5, 4))
        assert counts[:34].tolist() == expected.tolist(), name
        assert counts[34:].tolist() == [(samples < -4.5).sum(), (samples > 4).sum(), 0], name


def test_samples_of_every_format_are_read(trial: Trial) -> None:
    samples = np.array([-32768, 5, 77, 32767, 12])
    rows = {
        "i16": samples.astype("<i2").tobytes(),
        "f32": samples.astype("<f4").tobytes(),
        "f64": samples.astype("<f8").tobytes(),
    }
    parts = {name: data.ljust(40, b"\0") for name, data in rows.items()}

    report = trial.run(
        parts,
        LOAD
        + "".join(
            f"  of_{name}: {{op: operations.statistics, needs: load, format: {number}}}\n"
            for name, number in FORMATS.items()
        )
        + """\
  all: {op: operations.merge, part1: of_i16, part2: of_f32, part3: of_f64, at_most: 1 KiB}
  save: {op: storage.write, needs: all, path: $made}
""",
    )

    assert report.errors == []
    for name, data in parts.items():
        records = (trial.output / name).read_bytes()
        assert len(records) == 3 * 40
        at = 40 * list(FORMATS).index(name)
        kind = {"i16": "<i2", "f32": "<f4", "f64": "<f8"}[name]
        assert_statistics(
            records_of(records[at : at + 40]), np.frombuffer(data, kind).astype(float)
        )


def test_a_result_carries_the_count(trial: Trial) -> None:
    report = trial.run(
        {"ramp": recordings()["ramp"].tobytes()},
        LOAD + "  moments: {op: operations.statistics, needs: load, format: 2}\n",
        "",
        result="moments",
    )

    assert trial.values(report) == {"ramp": 1000}


def test_merged_parts_can_be_told_apart(trial: Trial) -> None:
    files = {"some": b"abc" * 100, "none": b""}

    report = trial.run(
        files,
        LOAD
        + """\
  digest: {op: operations.sha256, needs: load}
  plain: {op: operations.merge, part1: load, part2: digest, part3: load, at_most: 4 KiB}
  told: {op: operations.merge, part1: plain, part2: load, header: true, at_most: 8 KiB}
  save: {op: storage.write, needs: told, path: $made}
""",
    )

    assert report.errors == []
    for name, content in files.items():
        made = (trial.output / name).read_bytes()
        count, *lengths = struct.unpack_from("<3Q", made)
        assert (count, lengths) == (2, [2 * len(content) + 32, len(content)])
        plain = made[24 : 24 + lengths[0]]
        assert plain[: len(content)] == plain[len(content) + 32 :] == content
        assert made[24 + lengths[0] :] == content


def test_more_than_the_room_is_too_large_by_name(trial: Trial) -> None:
    report = trial.run(
        {"small": bytes(2000), "large": bytes(2100)},
        LOAD
        + """\
  both: {op: operations.merge, part1: load, part2: load, at_most: 4096}
  save: {op: storage.write, needs: both, path: $made}
""",
    )

    errors = [(error["event"], error["stage"], error["code"]) for error in report.errors]
    assert errors == [("large", "both", "OUTPUT_TOO_LARGE")]
    assert (trial.output / "small").read_bytes() == bytes(4000)


def assert_lines(made: Path, expected: Reals, samples: Reals) -> None:
    lines = np.fromfile(made)
    assert lines.shape == expected.shape, made
    # No line is larger than the sum of what it is made from.
    assert np.abs(lines - expected).max() <= TOLERANCE * np.abs(samples).sum(), made


def hann(count: int) -> Reals:
    """Return the periodic window, which numpy has only the symmetric kin of."""
    window: Reals = np.hanning(count + 1)[:count]
    return window


def test_spectra_of_any_length_are_numpys(trial: Trial) -> None:
    rows = recordings()

    report = trial.run(
        {name: samples.tobytes() for name, samples in rows.items()} | {"odd": bytes(17)},
        LOAD
        + """\
  all: {op: operations.spectrum, needs: load, format: 2}
  smooth: {op: operations.spectrum, needs: load, format: 2, window: 1, size: 1000}
  power: {op: operations.spectrum, needs: load, format: 2, power: true, size: 1024, at_most: 8 KiB}
  save_all: {op: storage.write, needs: all, path: $whole}
  save_smooth: {op: storage.write, needs: smooth, path: $windowed}
  save_power: {op: storage.write, needs: power, path: $squared}
""",
        "whole: {kind: files}, windowed: {kind: files}, squared: {kind: files}",
    )

    errors = {error["event"]: error["code"] for error in report.errors}
    assert errors == {"odd": "BAD_SAMPLES"}
    for name, samples in rows.items():
        assert_lines(trial.output / "whole" / name, np.abs(np.fft.rfft(samples)), samples)
        taken = samples[:1000] * hann(min(samples.size, 1000))
        windowed = np.abs(np.fft.rfft(taken, 1000))
        assert_lines(trial.output / "windowed" / name, windowed, samples)
        squares = np.abs(np.fft.rfft(samples, 1024)) ** 2
        squared = np.fromfile(trial.output / "squared" / name)
        largest = np.abs(samples[:1024]).sum() ** 2
        assert np.abs(squared - squares).max() <= TOLERANCE * largest, name


def test_the_longest_spectrum_is_done_and_a_longer_one_is_too_large(trial: Trial) -> None:
    random = np.random.default_rng(3)
    longest = random.integers(-20_000, 20_000, 2**18 - 1).astype("<i2")

    report = trial.run(
        {"longest": longest.tobytes(), "longer": bytes(2**19 + 2)},
        LOAD
        + """\
  lines: {op: operations.spectrum, needs: load, format: 0}
  save: {op: storage.write, needs: lines, path: $made}
""",
    )

    errors = [(error["event"], error["stage"], error["code"]) for error in report.errors]
    assert errors == [("longer", "lines", "TOO_LARGE")]
    samples = longest.astype(float)
    assert_lines(trial.output / "longest", np.abs(np.fft.rfft(samples)), samples)


def test_few_samples_are_filled_up_with_many_zeros(trial: Trial) -> None:
    samples = np.array([1.0, -2.0, 4.0])

    report = trial.run(
        {"three": samples.tobytes()},
        LOAD
        + """\
  lines: {op: operations.spectrum, needs: load, format: 2, size: 262143, at_most: 2 MiB}
  save: {op: storage.write, needs: lines, path: $made}
""",
    )

    assert report.errors == []
    assert_lines(trial.output / "three", np.abs(np.fft.rfft(samples, 262143)), samples)


def assert_science(made: Path, samples: Reals) -> None:
    """Hold one record of the science demo to numpy."""
    record = made.read_bytes()
    lines = samples.size // 2 + 1
    assert struct.unpack_from("<3Q", record) == (2, 40, 8 * lines), made
    assert_statistics(records_of(record[24:64]), samples)
    expected = np.abs(np.fft.rfft(samples * hann(samples.size)))
    got = np.frombuffer(record[64:])
    assert np.abs(got - expected).max() <= TOLERANCE * np.abs(samples).sum(), made


def test_the_science_demo_on_its_real_recordings(kwe: Kwe, tmp_path: Path) -> None:
    recordings = ROOT / "build/recordings"
    output = tmp_path / "out"

    done = kwe(
        *("run", workflow_file("science"), "--input", f"recordings={recordings}"),
        *("--output", output, "--json", "-"),
    )

    assert done.status == EXIT_DONE, done.err
    assert done.figures.route == [3, 1, 1, 1, 3, 0]
    assert done.figures.events.completed == 8
    for recording in sorted(recordings.iterdir()):
        samples = np.fromfile(recording)
        assert samples.size == 800, recording
        assert_science(output / f"{recording.name}.record", samples)
    # Near the coast of Peru the sea follows the year: once in 12 of the 800 months.
    lines = np.frombuffer((output / "nino12_temperature.f64.record").read_bytes()[64:])
    assert np.argmax(lines[10:]) + 10 == round(800 / 12)


def test_the_science_demo_takes_any_directory(kwe: Kwe, tmp_path: Path) -> None:
    rows = recordings() | {"long": np.sin(np.arange(100_000) / 7)}
    folder = tmp_path / "in"
    folder.mkdir()
    for name, samples in rows.items():
        (folder / f"{name}.f64").write_bytes(samples.tobytes())
    (folder / "torn.f64").write_bytes(bytes(13))
    (folder / "empty.f64").write_bytes(b"")
    (folder / "notes.txt").write_text("passed over")

    done = kwe(
        *("run", workflow_file("science"), "--input", f"recordings={folder}"),
        *("--output", tmp_path / "out", "--json", "-"),
    )

    assert done.status == EXIT_WORKFLOW
    errors = {error.event: error.code for error in done.figures.errors}
    assert errors == {"torn.f64": "BAD_SAMPLES", "empty.f64": "BAD_SAMPLES"}
    for name, samples in rows.items():
        assert_science(tmp_path / f"out/{name}.f64.record", samples)
