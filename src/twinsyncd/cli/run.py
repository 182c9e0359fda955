"""`twinsyncd run`: the daemon in the foreground, as a service manager wants it."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from .options import ConfigOption, load_config


def run(config: ConfigOption = None) -> None:
    """Keep the iModels equal to the drive until stopped (SIGTERM, Ctrl-C)."""
    checked = load_config(config)

    import structlog

    from ..logs import set_up
    from ..runtime.systemd import notify
    from ..runtime.wiring import open_engine

    set_up(checked.daemon.log_format, sys.stderr)
    log = structlog.get_logger()
    with open_engine(checked, watch=True) as engine:

        def stop(number: int, _frame: FrameType | None) -> None:
            log.info("daemon.stopping", signal=signal.Signals(number).name)
            engine.stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        log.info(
            "daemon.started",
            connections=[connection.name for connection in checked.connection],
            state_folder=str(checked.daemon.state_folder),
        )
        engine.alive = lambda: notify("WATCHDOG=1")
        notify("READY=1")
        engine.run()
        notify("STOPPING=1")
    log.info("daemon.stopped")
