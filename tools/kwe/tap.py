"""A tap device of the host: with how many queues the guest's card is connected to it."""

import json
import shutil
import subprocess

from tools.kwe.errors import SpecError

# The Network deck uses no more (drivers/virtio_net).
MOST_QUEUES = 8


def _is_multi_queue(name: str) -> bool | None:
    """Was the device made for several queues? None: there is no such device, or no telling."""
    if shutil.which("ip") is None:
        return None
    command = ["ip", "-details", "-json", "link", "show", "dev", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None
    data = json.loads(done.stdout)[0].get("linkinfo", {}).get("info_data", {})
    return bool(data.get("multi_queue", False))


def tap_queues(name: str, wanted: int | None, cpus: int) -> int:
    """Return how many queues the card gets: as wanted, else one a CPU where the device can.

    Args:
        name: The device's; empty: QEMU's own network.
        wanted: What the user says; None: nothing.
        cpus: The guest's.

    Raises:
        SpecError: They cannot be: Linux opens a device for several queues only where it was made
            for them, and then for no single one.
    """
    if wanted is not None and not name:
        raise SpecError(
            f"--queues {wanted}: only of a tap device; --tap NAME with it would be right"
        )
    if wanted is not None and not 1 <= wanted <= MOST_QUEUES:
        raise SpecError(f"--queues {wanted}: 1 to {MOST_QUEUES} would be right")
    several = _is_multi_queue(name) if name else False
    if wanted is None:
        return min(max(cpus, 2), MOST_QUEUES) if several else 1
    if several is False and wanted > 1:
        raise SpecError(
            f"--queues {wanted}: {name} has one; "
            "`ip tuntap add ... multi_queue` makes one with several"
        )
    if several and wanted == 1:
        raise SpecError(f"--queues 1: {name} was made for several; 2 or more would be right")
    return wanted
