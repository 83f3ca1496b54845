"""The science demo's recordings: columns of a table of sea surface temperatures, a file each.

Runs in .venv, unlike setup.py, which calls it: the table is numpy's.
"""

import sys
from pathlib import Path

import numpy as np

# The table: year, month, then temperature and its anomaly by region of the Pacific (NOAA ERSSTv4).
REGIONS = ("nino12", "nino3", "nino4", "nino34")
FIRST_COLUMN = 2


def write_recordings(table: Path, folder: Path) -> None:
    """Write each column as f64, little endian, without a header."""
    data = np.load(table)["data"]
    names = [f"{region}_{kind}" for region in REGIONS for kind in ("temperature", "anomaly")]
    for column, name in enumerate(names, FIRST_COLUMN):
        (folder / f"{name}.f64").write_bytes(data[:, column].astype("<f8").tobytes())


if __name__ == "__main__":
    write_recordings(Path(sys.argv[1]), Path(sys.argv[2]))
