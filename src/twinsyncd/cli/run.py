"""`twinsyncd run`: the daemon in the foreground, as a service manager wants it."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from ..errors import AppError, ConfigError, JournalGone, LeaseLost
from .options import ConfigOption, find_config, load_config

USUAL_SEARCHES: Final = (700, 10, 10)  # for garbage: Python's own, which short commands raise
STAND_BY_S: Final = 1.0  # between looks at what a daemon without iModels could serve

if TYPE_CHECKING:
    from ..config import Config
    from ..runtime.engine import Engine
    from ..runtime.lease_keeper import WorkShare


def run(config: ConfigOption = None) -> None:
    """Keep the iModels equal to the drive until stopped (SIGTERM, Ctrl-C).

    SIGHUP reads the configuration again: a good one is followed at once, a bad one is refused.
    """
    file = config or find_config()
    first = load_config(file)

    from ..logs import set_up
    from ..runtime.heaps import share_heaps

    share_heaps()  # before there are other threads
    gc.collect()  # else what is garbage now would stay, too
    gc.freeze()  # what is imported stays, so it is not searched for garbage for months
    gc.set_threshold(*USUAL_SEARCHES)
    set_up(first.daemon.log_format, sys.stderr)
    serving = Serving(file, first)
    signal.signal(signal.SIGINT, serving.on_signal)
    signal.signal(signal.SIGTERM, serving.on_signal)
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, lambda _number, _frame: serving.reload())
    serving.serve()


class Serving:
    """Serves one configuration after the other, until it is stopped."""

    def __init__(self, file: Path, config: Config) -> None:
        self._file = file
        self._config = config
        self._following: Config | None = None
        self._engine: Engine | None = None  # while it runs
        self._is_stopped = False
        self._has_other_share = False  # of the work, where several machines share a journal

    def serve(self) -> None:
        """Run the engine; again and again, as long as another configuration follows."""
        import structlog

        from ..runtime.systemd import notify, notify_reloading

        config = self._config
        self._serve_through_losses(config)
        while (following := self._take_following()) is not None:
            notify_reloading()
            try:
                self._serve_through_losses(following)
                config = following
            except AppError as exc:
                _refuse(exc.with_hint)
                self._serve_through_losses(config)
        notify("STOPPING=1")
        structlog.get_logger().info("daemon.stopped")

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Stop for good; while it is starting, at once."""
        is_starting = self._engine is None
        self.stop(signal.Signals(number).name)
        if is_starting:
            raise SystemExit(0)

    def stop(self, why: str = "") -> None:
        """Stop for good, from any thread; `why` is for the log."""
        import structlog

        structlog.get_logger().info("daemon.stopping", signal=why)
        self._is_stopped = True
        if (engine := self._engine) is not None:
            engine.stop()

    def reload(self) -> None:
        """Read the configuration again, on a thread: what it names may lie on a hung share."""
        threading.Thread(target=self._read_again, name="configuration", daemon=True).start()

    def _read_again(self) -> None:
        try:
            following = load_config(self._file)
        except ConfigError as exc:
            for mistake in exc.mistakes:
                _refuse(str(mistake))
            return
        self._following = following
        if (engine := self._engine) is not None:
            engine.stop()

    def _take_following(self) -> Config | None:
        following, self._following = self._following, None
        return None if self._is_stopped else following

    def _serve_through_losses(self, config: Config) -> None:
        """Run the engine; again, as long as its journal's file was deleted or replaced."""
        if config.daemon.journal is not None:
            self._serve_shares(config)
            return
        while True:
            try:
                self._serve_one(config, None)
            except JournalGone:  # the place says so in the log
                if not self._is_stopped:
                    continue
            return

    def _serve_shares(self, config: Config) -> None:
        """Serve this machine's share of the iModels, and wait while it has none."""
        import structlog

        from ..runtime.journal_opening import sharing
        from ..runtime.systemd import notify

        with sharing(config, patient=True) as group:
            notify("READY=1")
            group.keeper.on_change = self._take_other_share
            is_waiting = False
            while not self._is_stopped and self._following is None:
                self._has_other_share = False
                share = group.next_share()
                if share is None:
                    if not is_waiting:
                        structlog.get_logger().info("daemon.stands_by")
                    is_waiting = True
                    notify("WATCHDOG=1")
                    time.sleep(STAND_BY_S)
                    continue
                is_waiting = False
                try:
                    self._serve_one(config, share)
                except (JournalGone, LeaseLost) as exc:
                    structlog.get_logger().error("leases.lost", reason=exc.with_hint)

    def _take_other_share(self) -> None:
        self._has_other_share = True
        if (engine := self._engine) is not None:
            engine.stop()

    def _serve_one(self, config: Config, share: WorkShare | None) -> None:
        import structlog

        from ..runtime.systemd import notify
        from ..runtime.wiring import open_engine

        with open_engine(config, watch=True, share=share) as engine:
            self._engine = engine
            try:
                structlog.get_logger().info(
                    "daemon.started",
                    connections=[
                        connection.name
                        for connection in config.connection
                        if share is None or connection.lane in share.lanes
                    ],
                    state_folder=str(config.daemon.state_folder),
                )
                engine.alive = lambda: notify("WATCHDOG=1")
                notify("READY=1")
                if self._is_stopped or self._following is not None or self._has_other_share:
                    return  # that came while this one was starting
                engine.run()
            finally:
                self._engine = None


def _refuse(reason: str) -> None:
    import structlog

    structlog.get_logger().error("config.refused", reason=reason, goes_on="with the former one")
