"""Boots this machine's own systemd in a container of its own, and lets a script use it as root.

The container has this machine's /usr, read-only, and nothing else of it: its /etc and /var are
empty and gone afterwards. It has a network without any other machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

TOP: Final = Path(__file__).parents[2]
BOOT_S: Final = 120.0
SYSTEMD: Final = Path("/lib/systemd/systemd")
CONTAINER: Final = (
    *("systemd-nspawn", "--quiet", "--directory=/", "--volatile=yes"),
    *("--register=no", "--keep-unit", "--private-network"),
    f"--machine=twinsyncd-{os.getpid()}",
)

_SCRIPT_UNIT: Final = """
[Unit]
DefaultDependencies=no
Wants=basic.target
After=basic.target
[Service]
Type=oneshot
ExecStartPre=/usr/bin/chmod a+rx /root
ExecStart=/usr/bin/bash -eu /result/script
ExecStopPost=/usr/bin/systemctl --no-block --force poweroff
StandardOutput=file:/result/printed
StandardError=file:/result/printed
"""
_PROGRAM: Final = """#!/bin/sh
PYTHONPATH=/opt/packages:/opt/src exec /opt/twinsyncd/bin/python -m twinsyncd "$@"
"""


class NotBooted(Exception):
    """The container did not come as far as the script, which says nothing about the service."""


def why_not() -> str:
    """Return why nothing can be booted here; "" if it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root on Linux can boot a container"
    if shutil.which("systemd-nspawn") is None or not SYSTEMD.exists():
        return "there is no systemd-nspawn; install it: apt-get install systemd systemd-container"
    tried = subprocess.run([*CONTAINER, "/usr/bin/true"], capture_output=True, check=False)
    return f"no container: {tried.stderr.decode().strip()}" if tried.returncode else ""


def run_booted(home: Path, script: str) -> str:
    """Boot, run the script as root, power off; return what it printed.

    `home` is a new folder; its subfolder `etc` becomes /etc/twinsyncd, `drive` becomes /drive. The
    script has `twinsyncd` in /opt/twinsyncd/bin, and /result to itself. Raises NotBooted.
    """
    folders = {name: home / name for name in ("units", "result", "etc", "drive", "program")}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
    (folders["units"] / "script.service").write_text(_SCRIPT_UNIT)
    (folders["result"] / "script").write_text(script)
    _make_program(folders["program"])
    site = next(Path(each) for each in sys.path if each.endswith("site-packages"))
    command = [
        *(*CONTAINER, "--boot"),
        f"--bind={folders['units']}:/etc/systemd/system",
        f"--bind={folders['result']}:/result",
        f"--bind={folders['etc']}:/etc/twinsyncd",
        f"--bind-ro={folders['drive']}:/drive",
        f"--bind={folders['program']}:/opt/twinsyncd/bin",
        *(f"--bind-ro={each}" for each in {sys.base_prefix} - {"/usr"}),
        f"--bind-ro={site}:/opt/packages",
        f"--bind-ro={TOP / 'src'}:/opt/src",
        f"--bind-ro={TOP / 'systemd'}:/opt/systemd",
        *("systemd.unit=script.service", "systemd.firstboot=no"),
        "systemd.mask=systemd-networkd-wait-online.service",  # there is no network to wait for
    ]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=BOOT_S, check=False
        )
    except subprocess.TimeoutExpired as exc:
        raise NotBooted(f"it was not through after {BOOT_S:.0f} s") from exc
    printed = folders["result"] / "printed"
    if not printed.exists():
        raise NotBooted((done.stdout + done.stderr).decode(errors="replace"))
    return printed.read_text("utf-8")


def _make_program(folder: Path) -> None:
    """Make `twinsyncd`, and the `python` that it is started by: this one, from where it is."""
    (folder / "python").symlink_to(os.path.realpath(sys.executable))
    (folder / "twinsyncd").write_text(_PROGRAM)
    (folder / "twinsyncd").chmod(0o755)
