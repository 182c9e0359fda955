"""Installs, starts, reloads, stops and removes a real service; run by a Python for Windows.

Arguments: our sources, pywin32's folder, a file for what the service does, and which service this
process is: "" drives the others. Prints a line for each check that held.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

source, libraries, log, role = sys.argv[1:5]
sys.path[:0] = [source, libraries, rf"{libraries}\win32", rf"{libraries}\win32\lib"]
GOOD, BAD, HUNG = "twinsyncd-good", "twinsyncd-bad", "twinsyncd-hung"

if sys.platform == "win32":
    import pywintypes  # noqa: F401 - loads the library that the others need
    import win32service
    import win32serviceutil

    from twinsyncd.errors import AppError
    from twinsyncd.runtime.pywin32_service import WindowsServices, host, is_administrator

    class Daemon:
        """Notes what it is asked for."""

        def __init__(self) -> None:
            self.stopping = threading.Event()
            self.stopping.wait(0.5)  # a start takes time, in which Windows takes no other order
            note(f"made {role}")

        def serve(self) -> None:
            if role == BAD:
                raise AppError("the configuration is wrong", hint="correct it")
            assert self.stopping.wait(60)
            note("served")

        def stop(self) -> None:
            note("stopped")
            if role != HUNG:
                self.stopping.set()

        def reload(self) -> None:
            note("reloaded")

    def note(text: str) -> None:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")

    def installed(name: str) -> WindowsServices:
        services = WindowsServices(name)
        command = [sys.executable, __file__, source, libraries, log, name]
        services.set_up(subprocess.list2cmdline(command), "LocalSystem", None)
        return services

    def status(name: str) -> tuple[int, ...]:
        return tuple(win32serviceutil.QueryServiceStatus(name))

    def refusal_of(act: Callable[[], None]) -> str:
        """Return the words of an error; "" if there was none."""
        try:
            act()
        except AppError as exc:
            return str(exc)
        return ""

    def check_good() -> None:
        good = installed(GOOD)
        installed(GOOD)
        print("held: installed, and changed by installing again")
        good.describe("a try")
        good.add_event_source()
        for act in (good.delay_start, lambda: good.set_recovery((5, 30, 60), 86_400)):
            if answer := refusal_of(act):
                print(f"unknown: {answer}")
        win32serviceutil.StartService(GOOD)
        good.restart()
        assert good.state() == "running"
        print("held: started, and started again while it runs")
        win32serviceutil.ControlService(GOOD, win32service.SERVICE_CONTROL_PARAMCHANGE)
        good.stop_and_remove()
        assert not good.is_installed()
        assert good.state() == ""
        lines = Path(log).read_text("utf-8").splitlines()
        once = [f"made {GOOD}", "stopped", "served"]
        assert lines == [*once, once[0], "reloaded", *once[1:]], lines
        print("held: reloaded, stopped and removed")
        assert refusal_of(good.stop_and_remove).startswith("Windows refused to remove")
        print("held: one that is not there is an error in words")

    def check_bad() -> None:
        bad = installed(BAD)
        refusal_of(bad.restart)  # it may have ended before it was looked at
        for _ in range(100):
            found = status(BAD)
            if found[1] == 1:
                break
            threading.Event().wait(0.1)
        assert bad.state() == "stopped"
        assert found[3] != 0, found  # by an error, so Windows restarts it
        bad.stop_and_remove()
        print("held: an end by an error is one")

    def check_hung() -> None:
        hung = installed(HUNG)
        hung.restart()
        hung.stop_and_remove()
        assert not hung.is_installed()
        print("held: one that does not stop is ended")

    if role:
        host(role, Daemon)
    else:
        assert is_administrator()
        check_good()
        check_bad()
        check_hung()
        assert "run as a service" in refusal_of(lambda: host("twinsyncd-none", Daemon))
        print("held: a program that is no service is told so")
