"""A device reaches its deck's memory and the segments lent to that deck, and nothing else."""

import re

from tests.harness.plugin import Boot
from tools.kwe import abi

EDU = "edu,dma_mask=0xffffffffffffffff"
RNG = "virtio-rng-pci,disable-legacy=on,iommu_platform=on"
NUCLEUS_PHYSICAL = 0x100000
PATTERN = "0xed"


def test_a_dma_engine_cannot_leave_its_deck(boot: Boot) -> None:
    with boot("dma_edu", devices=[EDU], append="debug") as guest:
        guest.expect_fault("iommu: fault: device 00:")
        guest.expect_fault("deck edu.0: FAULT killed by injection")
        guest.expect_fault("deck edu.0: FAULT gave up: with a transfer on its way")

        guest.wait_for("dma_edu: look now")
        text = str(
            guest.machine.monitor.execute(
                "human-monitor-command", {"command-line": f"xp /64xb {NUCLEUS_PHYSICAL:#x}"}
            )
        )
        assert len(re.findall(r"0x[0-9a-f]{2}\b", text)) == 64
        assert text.count(PATTERN) < 32

        assert guest.exit_code == abi.EXIT_DONE

        guest.wait_for(f"iommu: fault: device 00:.* writing {NUCLEUS_PHYSICAL:#x},")
        guest.wait_for(f"iommu: fault: device 00:.* reading {NUCLEUS_PHYSICAL:#x},")


def test_a_virtio_device_with_a_lying_descriptor_cannot_leave_its_deck(boot: Boot) -> None:
    with boot("dma_rng", devices=[RNG], append="debug") as guest:
        guest.expect_fault("iommu: fault: device 00:")
        guest.expect_fault("deck rng.0: FAULT killed by injection")

        assert guest.exit_code == abi.EXIT_DONE

        guest.wait_for(f"iommu: fault: device 00:.* writing {NUCLEUS_PHYSICAL:#x},")
        guest.wait_for("deck rng.0: started again, generation 4")
