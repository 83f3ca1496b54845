"""What wrk prints, read."""

import pytest

from tools.bench.web import Served, read_wrk
from tools.kwe.errors import MachineError

SAID = """\
Running 4s test @ http://127.0.0.1:8080/1k
  1 threads and 1 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.50ms    2.00ms  20.00ms   90.00%
    Req/Sec     1.20k   100.00     1.40k    70.00%
  Latency Distribution
     50%  699.00us
     75%    1.00ms
     90%    2.00ms
     99%    7.72ms
  4600 requests in 4.00s, 5.65MB read
Requests/sec:   1150.00
Transfer/sec:      1.41MB
"""


def test_requests_time_and_latencies_are_found() -> None:
    assert read_wrk(SAID) == Served(4600, 4_000_000_000, 699_000, 7_720_000)


@pytest.mark.parametrize(
    "line",
    ["  Socket errors: connect 0, read 3, timeout 1", "  Non-2xx or 3xx responses: 7"],
)
def test_what_was_not_answered_fails_the_bench(line: str) -> None:
    with pytest.raises(MachineError, match="not all was answered"):
        read_wrk(SAID + line)


def test_a_wrk_that_could_not_connect_fails_the_bench() -> None:
    with pytest.raises(MachineError, match="unable to connect"):
        read_wrk("unable to connect to 127.0.0.1:1 Connection refused")
