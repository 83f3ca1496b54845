"""When KVM counts, and that the report says what is missing."""

from pathlib import Path

import pytest

from tools.kwe import doctor
from tools.kwe.doctor import BAD, OK, Finding, kvm_verdict


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    folder = tmp_path / "modules"
    folder.mkdir()
    return folder


def test_a_device_without_a_real_backend_is_not_believed(tmp_path: Path, modules: Path) -> None:
    device = tmp_path / "kvm"
    device.touch()
    (modules / "kvm_pvm").mkdir()

    usable, why = kvm_verdict({}, modules, device)

    assert not usable
    assert "no backend for real guests" in why


def test_a_real_backend_may_be_tried(tmp_path: Path, modules: Path) -> None:
    device = tmp_path / "kvm"
    device.touch()
    (modules / "kvm_amd").mkdir()

    assert kvm_verdict({}, modules, device)[0]


def test_a_real_backend_without_a_device_is_not_usable(tmp_path: Path, modules: Path) -> None:
    (modules / "kvm_intel").mkdir()

    assert not kvm_verdict({}, modules, tmp_path / "absent")[0]


@pytest.mark.parametrize(("said", "usable"), [("kvm", True), ("tcg", False)])
def test_the_environment_decides_first(modules: Path, said: str, usable: bool) -> None:
    assert kvm_verdict({"KWE_ACCEL": said}, modules, modules)[0] is usable


def test_the_report_names_what_is_missing_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = [Finding(OK, "gcc", "there", "x"), Finding(BAD, "QEMU", "not found", "install it")]
    monkeypatch.setattr(doctor, "examine", lambda: findings)

    code = doctor.main_report()

    out = capsys.readouterr().out
    assert code == 3
    assert "-> install it" in out
    assert "-> x" not in out
    assert "missing: QEMU" in out
