"""The comparison with a peer: reading its records, dropping samples, ratios, and what is drawn."""

import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.bench.compare import compare
from tools.bench.drop import Kept, Rules, check_outcomes, is_noisy, keep_all, keep_believed
from tools.bench.peer import find_peer, qemu_script
from tools.bench.peer_records import COUNTED, keys_of, read_records
from tools.bench.plot import Bar, draw
from tools.bench.rows import Key, Sample, best_designs, make_rows
from tools.bench.store import Measured, read_measured, write_measured
from tools.bench.tell_peer import part, plot, ratios_as_text
from tools.kwe.errors import MachineError, SpecError
from tools.kwe.machine import ACCEL, IOMMU, QEMU, VIRTIO

OURS = Key("pipeline", "kwe", 1, record_bytes=4096, batch=32)
THEIRS = replace(OURS, variant="linux-plain", design="1_plain_warm")
COMPUTE = OURS.by("compute")
RULES = Rules()
URING = {
    "bench": "pipe4k",
    "variant": "2_uring_dio_qd32",
    "smp": 2,
    "ops": 100,
    "wall_s": 0.02,
    "other_cpu_s": 0.01,
    "fold": "ab",
    "out_bytes": 7,
    "p50_ns": 5,
    "insn_user": 1000,
    "insn_kernel": 500,
    "syscalls": 100,
    "to_user": 100,
    "cr3": 0,
    "hlt": 1,
}


def one_key(bench: str, variant: str) -> Key | None:
    keys = keys_of({"bench": bench, "variant": variant, "smp": 1})
    assert len(keys) < 2
    return keys[0] if keys else None


# ---- its records ---------------------------------------------------------------------------------


def test_a_record_of_the_pipeline_becomes_a_sample_with_its_time_and_its_outcome() -> None:
    (sample,) = read_records([URING], 3, counting=False)

    assert sample.key == Key("pipeline", "linux-uring", 2, 0, 4096, 32, "2_uring_dio_qd32")
    assert (sample.ops, sample.ns, sample.round) == (100, 20_000_000, 3)
    assert (sample.other_cpu_s, sample.outcome) == (0.01, "fold ab, 7 bytes")


def test_under_the_plugin_a_record_has_counts_by_our_names_and_no_time() -> None:
    (sample,) = read_records([URING], 0, counting=True)

    assert sample.ns is None
    assert sample.counts is not None
    assert (sample.counts["user"], sample.counts["kernel"], sample.counts["cr3"]) == (1000, 500, 0)


def test_one_record_at_a_time_is_a_latency_by_its_median() -> None:
    record = {**URING, "variant": "3_iso_futex_d1_warm", "p50_ns": 266_000}

    (sample,) = read_records([record], 0, counting=False)

    assert (sample.key.bench, sample.key.variant) == ("latency", "linux-isolated")
    assert (sample.key.batch, sample.ns_op) == (1, 266_000)


def test_the_plain_loop_is_a_pipeline_and_a_latency() -> None:
    record = {**URING, "variant": "1_plain_warm", "p50_ns": 89_000}

    pipeline, latency = read_records([record], 0, counting=False)

    assert (pipeline.key.bench, pipeline.ns_op) == ("pipeline", 200_000)
    assert (latency.key.bench, latency.ns_op) == ("latency", 89_000)


@pytest.mark.parametrize(
    ("design", "variant"),
    [
        ("eventfd_same", "linux-isolated"),
        ("futex_cross", "linux-isolated"),
        ("futex_threads_same", "linux-plain"),
        ("shm_spin_cross", "linux-spin"),
    ],
)
def test_hops_are_told_apart_by_what_they_isolate(design: str, variant: str) -> None:
    key = one_key("hop", design)

    assert key is not None
    assert (key.variant, key.batch) == (variant, 1)


def test_an_io_uring_nop_has_the_batch_of_its_name() -> None:
    assert one_key("nop", "defer_b256") == Key("nop", "linux-uring", 1, 1, 0, 256, "defer_b256")


def test_a_web_server_is_timed_by_who_asks_and_counted_in_the_guest() -> None:
    counts = {name: URING[name] for name in COUNTED}
    guest = {
        "bench": "http",
        "variant": "iso_64k_c16",
        "smp": 1,
        "ops": 10,
        "wall_s": 1.0,
        **counts,
    }
    asked = {"bench": "wrk", "variant": "iso_64k_c16", "smp": 1, "requests": 20, "ops_s": 10.0}
    asked |= {"p50_ns": 7, "p99_ns": 9}

    (timed,) = read_records([guest, asked], 0, counting=False)
    (counted,) = read_records([guest, asked], 0, counting=True)

    assert timed.key.of_any_design == Key("http", "linux-isolated", 1, 0, 65536, 16)
    assert (timed.key, timed.ns_op, timed.p50_ns, timed.p99_ns) == (counted.key, 1e8, 7, 9)
    assert (counted.ops, counted.ns) == (10, None)
    assert counted.counts is not None
    with pytest.raises(MachineError, match="did not answer all"):
        read_records(
            [asked | {"errors": "connect 0, read 1, write 0, timeout 0"}], 0, counting=False
        )


def test_what_we_have_no_bench_for_is_passed_over() -> None:
    assert one_key("nop", "clock_gettime") is None
    assert one_key("compute", "lz4") is None
    assert one_key("copy", "memcpy_64k") is None
    assert one_key("pipe", "3_iso_futex_d1_warm") is None  # a latency at 64 KiB


def test_a_boot_has_two_times() -> None:
    record = {"bench": "boot", "variant": "init", "smp": 2, "init_s": 2.0, "ready_s": 2.5}

    samples = read_records([record], 0, counting=False)

    assert [(sample.key.variant, sample.ns) for sample in samples] == [
        ("linux-plain", 2_000_000_000),
        ("linux-ready", 2_500_000_000),
    ]


def test_a_bench_that_failed_there_fails_the_run() -> None:
    with pytest.raises(MachineError, match="bench pipe failed"):
        read_records([{"bench": "pipe", "variant": "FAILED", "status": 256}], 0, counting=False)


def test_a_record_without_its_time_is_named() -> None:
    broken = {name: value for name, value in URING.items() if name != "wall_s"}

    with pytest.raises(MachineError, match="no number wall_s"):
        read_records([broken], 0, counting=False)


# ---- dropping ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wall_ms", "other_s", "noisy"),
    [
        (1000, 0.14, False),
        (1000, 0.16, True),
        (10, 0.03, False),  # as little as the clock can tell
        (10, 0.04, True),
    ],
)
def test_a_sample_is_noisy_when_others_used_a_good_part_of_its_time(
    wall_ms: int, other_s: float, noisy: bool
) -> None:
    assert is_noisy(Sample(OURS, 1, ns=wall_ms * 1_000_000, other_cpu_s=other_s), RULES) is noisy


def canaries(*times: int) -> list[Sample]:
    return [Sample(COMPUTE, 1, ns=ns, round=number) for number, ns in enumerate(times)]


def test_a_round_is_dropped_on_both_sides_when_a_canary_moved() -> None:
    both = [Sample(key, 1, ns=500, round=number) for number in range(3) for key in (OURS, THEIRS)]

    kept = keep_believed([*canaries(100, 111, 100), *both], RULES)

    assert kept.moved_rounds == ((1, 1),)
    assert {sample.round for sample in kept.samples} == {0, 2}
    assert (kept.timed, kept.noisy, kept.moved) == (9, 0, 3)


def test_a_canary_that_moved_little_drops_nothing() -> None:
    assert keep_believed(canaries(100, 109, 92), RULES).moved == 0


def test_a_canary_on_other_cpus_is_another_one() -> None:
    on_two = [replace(c, key=replace(COMPUTE, cpus=2)) for c in canaries(50, 50, 90)]

    assert keep_believed([*canaries(100, 100, 100), *on_two], RULES).moved_rounds == ((2, 2),)


def test_a_noisy_canary_is_no_canary() -> None:
    noisy = Sample(COMPUTE, 1, ns=900, round=3, other_cpu_s=1.0)

    kept = keep_believed([*canaries(100, 100, 100), noisy], RULES)

    assert (kept.noisy, kept.moved_rounds) == (1, ())


def test_rules_can_be_told_to_believe_more() -> None:
    noisy = [replace(c, other_cpu_s=1.0) for c in canaries(100, 130, 100)]

    assert keep_believed(noisy, Rules(1e9, 0.5)).samples == tuple(noisy)


def test_counts_outlive_every_drop() -> None:
    counted = Sample(OURS, 1, counts={"user": 1}, round=1)

    assert counted in keep_believed([*canaries(100, 200, 100), counted], RULES).samples


def test_outcomes_that_differ_end_the_run_and_name_both() -> None:
    ours = Sample(OURS, 1, outcome="fold 1, 2 bytes")

    check_outcomes([ours, replace(ours, key=THEIRS), Sample(COMPUTE, 1)])
    with pytest.raises(MachineError, match=r"kwe yields fold 1.*linux-plain 1_plain_warm fold 9"):
        check_outcomes([ours, Sample(THEIRS, 1, outcome="fold 9, 2 bytes")])


# ---- ratios --------------------------------------------------------------------------------------


def test_a_ratio_is_of_medians_and_its_range_of_single_rounds() -> None:
    times = {OURS: (100, 200, 300), THEIRS: (400, 400, 300)}
    samples = [
        Sample(key, 1, ns=ns, round=number)
        for key, all_ns in times.items()
        for number, ns in enumerate(all_ns)
    ]

    (ratio,) = compare(make_rows(samples), samples)

    assert (ratio.ratio, ratio.low, ratio.high, ratio.rounds) == (2.0, 1.0, 4.0, 3)


def test_rounds_that_one_side_lacks_make_no_pair() -> None:
    samples = [Sample(OURS, 1, ns=100, round=0), Sample(THEIRS, 1, ns=300, round=1)]

    (ratio,) = compare(make_rows(samples), samples)

    assert (ratio.ratio, ratio.low, ratio.high, ratio.rounds) == (3.0, None, None, 0)


def test_we_are_held_against_the_fastest_design() -> None:
    cold = replace(THEIRS, design="1_plain_cold")
    samples = [
        Sample(OURS, 1, ns=100),
        Sample(cold, 1, ns=90),
        Sample(THEIRS, 1, ns=80),
        Sample(cold, 1, counts={"user": 1, "kernel": 1, "syscalls": 0, "cr3": 0}),
    ]
    rows = make_rows(samples)

    (ratio,) = compare(rows, samples)

    assert ratio.theirs.design == "1_plain_warm"
    assert [row.key.design for row in best_designs(rows)] == ["", "1_plain_warm"]


def test_a_design_that_was_only_counted_does_not_hide_a_timed_one() -> None:
    counted = Sample(
        replace(THEIRS, design="other"), 1, counts={"user": 1, "kernel": 1, "syscalls": 0, "cr3": 0}
    )

    (row,) = best_designs(make_rows([counted, Sample(THEIRS, 1, ns=80)]))

    assert row.key == THEIRS


# ---- what is told --------------------------------------------------------------------------------


def two_ratios() -> tuple[list[Sample], Kept]:
    fast, slow = THEIRS, replace(THEIRS, variant="linux-isolated", design="3_iso")
    samples = [Sample(OURS, 1, ns=100), Sample(fast, 1, ns=50), Sample(slow, 1, ns=400)]
    return samples, keep_all(samples)


def test_the_page_says_where_linux_is_faster_and_where_not() -> None:
    samples, kept = two_ratios()

    lost, won = part(compare(make_rows(samples), samples), kept, "").split("Where KWE is:")

    assert "linux-plain (1_plain_warm) takes 0.50 of KWE's time" in lost
    assert "4.0 times as fast as linux-isolated (3_iso)" in won


def test_the_terminal_gets_a_line_for_each_ratio() -> None:
    samples, kept = two_ratios()

    told = ratios_as_text(compare(make_rows(samples), samples), kept)

    assert "0.50 x" in told
    assert "4.00 x" in told


def test_the_plot_is_well_formed_and_has_a_bar_on_each_side_of_one() -> None:
    samples, _ = two_ratios()

    root = ElementTree.fromstring(plot(compare(make_rows(samples), samples)))

    space = "{http://www.w3.org/2000/svg}"
    bars = [r for r in root.iter(f"{space}rect") if r.get("height") == "12" and r.get("x") != "12"]
    assert len([r for r in bars if float(r.get("y", "0")) > 50]) == 2


def test_a_plot_escapes_its_words_and_survives_having_no_bars() -> None:
    ElementTree.fromstring(draw([], "a < b"))
    assert "x &amp; y" in draw([Bar("x & y", "linux-plain", 2.0, 1.5, 2.5)], "")


def test_what_was_measured_comes_back_from_its_file(tmp_path: Path) -> None:
    samples = [
        Sample(THEIRS, 3, ns=50, round=2, other_cpu_s=0.5, outcome="fold 1, 2 bytes"),
        Sample(OURS, 3, counts={"user": 4}, copied=5, median_ns=1.5),
    ]
    measured = Measured("a machine", "a peer", samples)

    write_measured(measured, tmp_path / "samples.json")

    assert read_measured(tmp_path / "samples.json") == measured


def test_a_file_that_is_no_run_is_refused_by_its_place(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"machine": "m", "peer": "", "samples": [{"ops": "many"}]}')

    with pytest.raises(SpecError, match=r"x\.json: samples\.0\."):
        read_measured(tmp_path / "x.json")
    with pytest.raises(SpecError, match="No such file"):
        read_measured(tmp_path / "y.json")


# ---- the machine ---------------------------------------------------------------------------------


def test_the_peers_qemu_gets_our_machine_line(tmp_path: Path) -> None:
    script = tmp_path / "qemu"
    script.write_text(qemu_script().replace(f"exec {QEMU}", "printf '%s\\n'"))
    words = [
        "-accel",
        "tcg,thread=multi",
        "-m",
        "1G",
        "-append",
        "a b",
        "-device",
        "virtio-blk-pci,drive=d0",
    ]

    done = subprocess.run(["sh", script, *words], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == [
        *("-device", IOMMU, "-accel", ACCEL["tcg"], "-m", "1024M", "-append", "a b"),
        *("-device", f"virtio-blk-pci,drive=d0,{VIRTIO}"),
    ]


def test_a_folder_that_is_no_peer_is_refused_by_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "run.py").touch()

    with pytest.raises(SpecError, match=r"there is no guest/sha256\.c"):
        find_peer(tmp_path, tmp_path / "work", 100, 0.0)


def test_a_set_up_that_fails_names_what_cannot_be_had(tmp_path: Path) -> None:
    (tmp_path / "guest").mkdir()
    (tmp_path / "guest/sha256.c").touch()
    (tmp_path / "run.py").write_text(
        "import sys\nprint('E: Unable to locate package wrk', file=sys.stderr)\nsys.exit(1)\n"
    )

    with pytest.raises(MachineError, match=r"`run\.py fetch` failed: E: Unable to locate .* wrk"):
        find_peer(tmp_path, tmp_path / "work", 100, 0.0).prepare()


def test_the_scale_gives_as_many_records_as_the_peer_takes(tmp_path: Path) -> None:
    (tmp_path / "guest").mkdir()
    (tmp_path / "guest/sha256.c").touch()
    (tmp_path / "run.py").touch()

    peers = [find_peer(tmp_path, tmp_path, scale, 0.0) for scale in (100, 25, 5)]

    assert [peer.records for peer in peers] == [(1024, 4096), (256, 1024), (51, 204)]
