"""From samples to rows, and what is said of them."""

import json
from pathlib import Path

from tools.bench.guests import make_input, make_sample
from tools.bench.rows import Key, Sample, make_rows, ratios
from tools.bench.tell import as_markdown, as_text, keys_without, write_results

NOP = Key("nop", "kwe", 1, stages=2, batch=32)
COUNTS = {"user": 600, "kernel": 1400, "syscalls": 3, "cr3": 2, "to_user": 4, "hlt": 0}


def test_a_row_has_the_median_and_the_range_of_the_times() -> None:
    rows = make_rows([Sample(NOP, 10, ns=ns) for ns in (500, 100, 300)])

    assert [(row.reps, row.ns_op, row.min, row.max) for row in rows] == [(3, 30.0, 10.0, 50.0)]


def test_times_and_counts_of_one_key_make_one_row() -> None:
    (row,) = make_rows([Sample(NOP, 10, ns=100), Sample(NOP, 10, counts=COUNTS)])

    assert (row.ns_op, row.insn_op, row.crossings_op, row.cr3_op) == (10.0, 200.0, 0.3, 0.2)
    assert row.reps == 1


def test_a_row_without_counts_is_named() -> None:
    rows = make_rows([Sample(NOP, 10, ns=100), Sample(Key("boot", "kwe", 1), 1, ns=9)])

    assert keys_without(rows) == [NOP]


def test_overhead_is_over_the_same_records_on_the_same_cpus() -> None:
    def key(variant: str, record_bytes: int) -> Key:
        return Key("pipeline", variant, 2, record_bytes=record_bytes, batch=32)

    rows = make_rows(
        [
            Sample(key("compute", 4096), 1, ns=100),
            Sample(key("kwe", 4096), 1, ns=150),
            Sample(key("kwe", 65536), 1, ns=999),
        ]
    )

    assert ratios(rows, "kwe", "compute") == {key("kwe", 4096): 1.5}


def test_results_have_every_key_that_readers_expect(tmp_path: Path) -> None:
    write_results(
        make_rows([Sample(NOP, 10, ns=100, counts=COUNTS, copied=0)]), tmp_path / "r.json"
    )

    (row,) = json.loads((tmp_path / "r.json").read_text())
    assert set(row) >= {
        *("bench", "variant", "cpus", "record_bytes", "batch", "ops_s", "ns_op", "insn_op"),
        *("crossings_op", "cr3_op", "bytes_copied_op", "reps", "min", "max"),
    }
    assert row["ops_s"] == 1e8


def test_the_page_and_the_table_show_each_row() -> None:
    rows = make_rows([Sample(NOP, 1, ns=1_500_000), Sample(Key("boot", "kwe", 1), 1, ns=2)])

    assert "1.5 ms" in as_text(rows)
    assert "kwe (aim 150 ms)" in as_markdown(rows, "a machine")


def test_a_figure_that_times_each_operation_is_their_median() -> None:
    figure = {"bench": "latency", "variant": "kwe", "ops": 4, "ns": 4000, "p50_ns": 300}

    assert make_sample(figure, 1, 0).ns_op == 300
    assert make_sample({**figure, "p50_ns": 0}, 1, 0).ns_op == 1000


def test_the_input_is_the_same_each_time_and_as_large_as_said() -> None:
    assert make_input(1 << 17) == make_input(1 << 17)
    assert len(make_input(1 << 17)) == 1 << 17
