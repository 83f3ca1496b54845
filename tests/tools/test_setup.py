"""The list of what set-up brings: read alike with and without YAML, in step with the lock."""

import re
from pathlib import Path

import pytest
import yaml

from tools.setup.setup import (
    PACKAGES,
    REQUIREMENTS,
    SetupError,
    is_at_least,
    read_packages,
    wheel_tags,
)


def test_the_small_reader_reads_what_yaml_reads() -> None:
    assert read_packages() == yaml.safe_load(PACKAGES.read_text())


@pytest.mark.parametrize("section", ["debian", "pypi", "archives", "sources"])
def test_every_package_says_version_licence_and_why(section: str) -> None:
    packages = read_packages()[section]

    assert packages
    for package in packages:
        assert {"name", "version", "licence", "why"} <= package.keys(), package


@pytest.mark.parametrize("section", ["debian", "pypi", "sources"])
def test_lists_are_sorted(section: str) -> None:
    names = [package["name"] for package in read_packages()[section]]

    assert names == sorted(names)


def test_the_lock_holds_every_listed_version_by_hash() -> None:
    lock = REQUIREMENTS.read_text()
    locked = dict(re.findall(r"(?m)^([a-z0-9-]+)==(\S+)", lock))

    for package in read_packages()["pypi"]:
        assert locked[package["name"].replace(".", "-")] == package["version"], package
    for entry in re.split(r"(?m)^(?=[a-z])", lock)[1:]:
        assert "--hash=sha256:" in entry, entry


def test_a_line_that_the_small_reader_does_not_know_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "packages.yaml"
    path.write_text("debian:\n  - name: a\n    more: \n      - deep\n")

    with pytest.raises(SetupError, match=r"packages.yaml:3: one `key: value`"):
        read_packages(path)


def test_debian_versions_compare_as_dpkg_does() -> None:
    assert is_at_least("1:7.2+dfsg-7+deb12u18", "1:7.2")
    assert is_at_least("4:12.2.0-3", "4:12.2")
    assert not is_at_least("4:11.9", "4:12.2")


def test_pip_is_told_whose_wheel_is_wanted() -> None:
    assert wheel_tags("a-1.0-py2.py3-none-any.whl") == []
    assert wheel_tags("a-1.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl") == [
        "--python-version=311",
        "--abi=cp311",
        "--platform=manylinux_2_27_x86_64",
        "--platform=manylinux_2_28_x86_64",
    ]
