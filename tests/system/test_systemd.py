"""The service in a real systemd: installed, sandboxed, reloaded, watched and stopped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .booted import NotBooted, run_booted, why_not
from .drawings import drawing

SCRIPT = r"""
PATH=/opt/twinsyncd/bin:/usr/sbin:/usr/bin
config=/etc/twinsyncd/twinsyncd.toml

until_true() {  # within a minute
    for _ in $(seq 300); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.2; done
    echo "FAILED: $*"
    journalctl -u twinsyncd --no-pager | tail -20
    exit 1
}
has_logged() { journalctl -u twinsyncd --no-pager --output=cat | grep -q "$1"; }

twinsyncd local --data /var/tmp/cloud >/result/platform 2>&1 &
until_true grep -q folder /result/platform
sed -n 's/^client_secret = "\(.*\)"/\1/p' /result/platform >/etc/twinsyncd/client_secret
chmod 600 /etc/twinsyncd/client_secret
sed -n '/^\[platform\]/,$p' /result/platform >$config
sed -i 's|^client_secret.*|client_secret_file = "/etc/twinsyncd/client_secret"|' $config
sed -i 's|^name = .*|&\nsettle = "0.3s"\nbatch_quiet = "0.5s"|; s|/path/to.*files|/drive|' $config

twinsyncd service install --config $config
until_true has_logged '"outcome": "succeeded"'
echo "STEP synced by $(stat -c %U /proc/$(systemctl show -P MainPID twinsyncd))"
echo "STEP watchdog $(systemctl show -P WatchdogUSec twinsyncd)"

cp $config /result/good
sed -i 's/^name/nmae/' $config
systemctl reload twinsyncd
until_true has_logged config.refused
echo "STEP bad $(systemctl is-active twinsyncd) $(systemctl show -P NRestarts twinsyncd)"

sed 's/^name = .*/name = "Renamed"/' /result/good >$config
systemctl reload twinsyncd
until_true has_logged Renamed
echo "STEP good $(systemctl is-active twinsyncd) $(systemctl show -P NRestarts twinsyncd)"

from=$(date +%s%N)
systemctl stop twinsyncd
echo "STEP stopped $(systemctl show -P Result twinsyncd) $((($(date +%s%N) - from) / 1000000))"
"""


def test_the_installed_service_syncs_reloads_and_stops(tmp_path: Path) -> None:
    """What the unit forbids shows only when a real systemd forbids it."""
    if reason := why_not():
        pytest.skip(reason)
    (tmp_path / "drive").mkdir()
    (tmp_path / "drive" / "plan.dxf").write_bytes(drawing(1))
    (tmp_path / "etc").mkdir()

    try:
        printed = run_booted(tmp_path, SCRIPT)
    except NotBooted as exc:
        pytest.skip(f"systemd does not boot here: {exc}")

    steps = dict(re.findall(r"(?m)^STEP (\S+) (.*)$", printed))
    result, stop_ms = steps.pop("stopped", "? 0").split()
    assert (result, int(stop_ms) < 10_000) == ("success", True), printed
    assert steps == {
        "synced": "by twinsyncd",
        "watchdog": "1min",
        "bad": "active 0",
        "good": "active 0",
    }, printed
