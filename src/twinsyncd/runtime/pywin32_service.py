"""Everything that calls Windows about services: installs one, and runs as one.

The only module that imports pywin32. The program is started by its own python.exe, which connects
itself to the service manager; pythonservice.exe, which needs a Python installed for the machine, is
not used. `pywintypes` is imported first: it loads the library that the others need.
Source: pywin32's win32serviceutil.py and servicemanager, read 2026-11.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

NAME: Final = "twinsyncd"  # of the service, and of its source of events
STOP_S: Final = 10.0  # a service that has not ended by then is ended


class HostedDaemon(Protocol):
    """What runs as the service."""

    def serve(self) -> None:
        """Work until it is stopped; raises whatever ends it."""

    def stop(self) -> None:
        """Let `serve` return; from another thread."""

    def reload(self) -> None:
        """Read the configuration again; from another thread."""


if sys.platform == "win32":
    import os
    import threading
    import time
    from collections.abc import Iterator, Sequence
    from contextlib import contextmanager, suppress

    import pywintypes
    import servicemanager
    import win32evtlogutil
    import win32security
    import win32service
    import win32serviceutil

    from ..errors import AppError
    from ..redact import redact

    if TYPE_CHECKING:
        from _win32typing import PySC_HANDLE

    PATIENCE_S: Final = 60.0  # what a start or a stop may take
    _LOOK_S: Final = 0.2
    _HINTS: Final = {
        5: "open the window with Run as administrator",
        1053: "the reason is in the event viewer: Windows logs, System and Application",
        1057: "name the account as DOMAIN\\name, or .\\name for one of this machine",
        1060: "install it: twinsyncd service install",
        1069: "correct the account's password: twinsyncd service install",
        1072: "close the list of services and the event viewer, then try again",
        1073: "remove it first: twinsyncd service uninstall",
    }
    _ABSENT: Final = 1060
    _STATES: Final = {
        win32service.SERVICE_RUNNING: "running",
        win32service.SERVICE_START_PENDING: "starting",
        win32service.SERVICE_STOP_PENDING: "stopping",
        win32service.SERVICE_STOPPED: "stopped",
    }

    class WindowsServices:
        """The service of one name on this machine."""

        def __init__(self, name: str) -> None:
            """`name` is that of the service and of its source of events."""
            self._name = name

        def set_up(self, command: str, account: str, password: str | None) -> None:
            """Make the service, or change it; it starts with the machine."""
            kind, start = win32service.SERVICE_WIN32_OWN_PROCESS, win32service.SERVICE_AUTO_START
            severity = win32service.SERVICE_ERROR_NORMAL
            settings = (kind, start, severity, command, None, False, None, account, password)
            with _translated("install the service"):
                if self.is_installed():
                    with self._opened() as service:
                        win32service.ChangeServiceConfig(service, *settings, self._name)
                    return
                with _manager(win32service.SC_MANAGER_CREATE_SERVICE) as manager:
                    made = win32service.CreateService(
                        manager, self._name, self._name, win32service.SERVICE_ALL_ACCESS, *settings
                    )
                    win32service.CloseServiceHandle(made)

        def describe(self, text: str) -> None:
            """Set what the list of services says of it."""
            self._configure(win32service.SERVICE_CONFIG_DESCRIPTION, text)

        def delay_start(self) -> None:
            """Start it a little after the others, when the network is there."""
            self._configure(win32service.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, True)

        def set_recovery(self, restarts_s: Sequence[int], reset_s: int) -> None:
            """Restart it after it ended by an error, so many seconds later each time."""
            restart = win32service.SC_ACTION_RESTART
            actions = {
                "ResetPeriod": reset_s,
                "RebootMsg": "",
                "Command": "",
                "Actions": [(restart, each * 1000) for each in restarts_s],
            }
            self._configure(win32service.SERVICE_CONFIG_FAILURE_ACTIONS, actions)
            # Not only after a crash, also after it reported that it failed.
            self._configure(win32service.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, True)

        def allow_logon(self, account: str) -> None:
            """Give the account the right to log on as a service."""
            with _translated(f"give {account} the right to log on as a service"):
                name = account.removeprefix(".\\")
                sid, _domain, _kind = win32security.LookupAccountName(None, name)
                wanted = win32security.POLICY_CREATE_ACCOUNT | win32security.POLICY_LOOKUP_NAMES
                here: Any = None  # this machine; the stubs know only names
                policy: Any = win32security.LsaOpenPolicy(here, wanted)
                try:
                    win32security.LsaAddAccountRights(policy, sid, ("SeServiceLogonRight",))
                finally:
                    win32security.LsaClose(policy)

        def add_event_source(self) -> None:
            """Let the event viewer show its messages."""
            with _translated("add the source of events"):
                win32evtlogutil.AddSourceToRegistry(self._name, servicemanager.__file__)

        def restart(self) -> None:
            """Stop it, if it runs, and start it; return once it runs."""
            with _translated("start the service"), self._opened() as service:
                self._stop(service)
                win32service.StartService(service, None)
                self._await(service, win32service.SERVICE_RUNNING)

        def is_installed(self) -> bool:
            """Return whether there is a service of this name."""
            with _translated("look for the service"):
                try:
                    with self._opened(win32service.SERVICE_QUERY_STATUS):
                        return True
                except pywintypes.error as exc:
                    if exc.winerror == _ABSENT:
                        return False
                    raise

        def state(self) -> str:
            """Return whether it is running, starting, stopping or stopped; "" if not installed."""
            if not self.is_installed():
                return ""
            with (
                _translated("look for the service"),
                self._opened(win32service.SERVICE_QUERY_STATUS) as service,
            ):
                return _STATES.get(_state(service), "paused")

        def stop_and_remove(self) -> None:
            """Stop it, if it runs, and remove it and its source of events."""
            with _translated("remove the service"), self._opened() as service:
                self._stop(service)
                win32service.DeleteService(service)
            with suppress(pywintypes.error):  # there was none
                win32evtlogutil.RemoveSourceFromRegistry(self._name)

        def _configure(self, what: int, value: object) -> None:
            with _translated("set up the service"), self._opened() as service:
                win32service.ChangeServiceConfig2(service, what, value)

        @contextmanager
        def _opened(self, access: int = win32service.SERVICE_ALL_ACCESS) -> Iterator[PySC_HANDLE]:
            with _manager(win32service.SC_MANAGER_CONNECT) as manager:
                service = win32service.OpenService(manager, self._name, access)
                try:
                    yield service
                finally:
                    win32service.CloseServiceHandle(service)

        def _stop(self, service: PySC_HANDLE) -> None:
            self._await_start(service)
            if _state(service) == win32service.SERVICE_STOPPED:
                return
            win32service.ControlService(service, win32service.SERVICE_CONTROL_STOP)
            self._await(service, win32service.SERVICE_STOPPED)

        @staticmethod
        def _await_start(service: PySC_HANDLE) -> None:
            """Wait while it starts: it takes no order to stop before."""
            end_s = time.monotonic() + PATIENCE_S
            while (
                _state(service) == win32service.SERVICE_START_PENDING and time.monotonic() < end_s
            ):
                time.sleep(_LOOK_S)

        def _await(self, service: PySC_HANDLE, wanted: int) -> None:
            end_s = time.monotonic() + PATIENCE_S
            hint = "the reason is in the event viewer: Windows logs, Application"
            while (state := _state(service)) != wanted:
                if state == win32service.SERVICE_STOPPED:
                    raise AppError(f"the service {self._name} ended while it started", hint=hint)
                if time.monotonic() > end_s:
                    message = f"the service {self._name} takes longer than {PATIENCE_S:.0f} s"
                    raise AppError(message, hint=hint)
                time.sleep(_LOOK_S)

    def is_administrator() -> bool:
        """Return whether this process may change services."""
        try:
            with _manager(win32service.SC_MANAGER_CREATE_SERVICE):
                return True
        except pywintypes.error:
            return False

    def host(name: str, make: Callable[[], HostedDaemon]) -> None:
        """Run what `make` returns as the service of this name, until Windows stops it.

        Raises AppError in a process that Windows has not started as a service.
        """

        class Hosted(win32serviceutil.ServiceFramework):
            _svc_name_ = name

            def __init__(self, arguments: Sequence[str]) -> None:
                super().__init__(arguments)
                self._daemon: HostedDaemon | None = None
                self._is_stopped = threading.Event()

            def GetAcceptedControls(self) -> int:  # noqa: N802 - so Windows has it
                accepted: int = super().GetAcceptedControls()  # type: ignore[no-untyped-call] # of its stubs
                return accepted | win32service.SERVICE_ACCEPT_PARAMCHANGE

            def SvcRun(self) -> None:  # noqa: N802 - so Windows has it
                starting, wait_ms = win32service.SERVICE_START_PENDING, int(PATIENCE_S * 1000)
                self.ReportServiceStatus(starting, waitHint=wait_ms)
                try:
                    self._daemon = make()
                    self.ReportServiceStatus(win32service.SERVICE_RUNNING)
                    _report(name, servicemanager.PYS_SERVICE_STARTED)
                    if not self._is_stopped.is_set():
                        self._daemon.serve()
                except BaseException as exc:
                    text = exc.with_hint if isinstance(exc, AppError) else repr(exc)
                    servicemanager.LogErrorMsg(f"{name} ended: {redact(text)}")
                    raise  # so Windows restarts it
                _report(name, servicemanager.PYS_SERVICE_STOPPED)

            def SvcStop(self) -> None:  # noqa: N802 - so Windows has it
                wait_ms = int(STOP_S * 1000)
                self.ReportServiceStatus(win32service.SERVICE_STOP_PENDING, waitHint=wait_ms)
                self._is_stopped.set()
                at_last = threading.Timer(STOP_S, self._end_now)
                at_last.daemon = True
                at_last.start()
                if self._daemon is not None:
                    self._daemon.stop()

            SvcShutdown = SvcStop

            def _end_now(self) -> None:
                text = f"{name} did not stop within {STOP_S:.0f} s and was ended"
                servicemanager.LogWarningMsg(text)
                # Otherwise Windows would call it a crash, and start it again.
                self.ReportServiceStatus(win32service.SERVICE_STOPPED)
                os._exit(0)  # the journal is safe at any moment

            def SvcOther(self, control: int) -> None:  # noqa: N802 - so Windows has it
                if control == win32service.SERVICE_CONTROL_PARAMCHANGE and self._daemon is not None:
                    self._daemon.reload()

        with _translated("run as a service"):
            servicemanager.Initialize(name, servicemanager.__file__)
            servicemanager.PrepareToHostSingle(Hosted)
            servicemanager.StartServiceCtrlDispatcher()  # type: ignore[no-untyped-call] # of its stubs

    def _report(name: str, message: int) -> None:
        servicemanager.LogMsg(servicemanager.EVENTLOG_INFORMATION_TYPE, message, (name, ""))

    def _state(service: PySC_HANDLE) -> int:
        return win32service.QueryServiceStatus(service)[1]

    @contextmanager
    def _manager(access: int) -> Iterator[PySC_HANDLE]:
        manager = win32service.OpenSCManager(None, None, access)
        try:
            yield manager
        finally:
            win32service.CloseServiceHandle(manager)

    @contextmanager
    def _translated(what: str) -> Iterator[None]:
        """Say in our words what Windows refused. Raises AppError."""
        try:
            yield
        except pywintypes.error as exc:
            hint = _HINTS.get(exc.winerror, "")
            raise AppError(f"Windows refused to {what}: {exc.strerror}", hint=hint) from exc
