"""Makes a Python process a process of a machine in the lab; Python imports it at start-up.

Three things of a machine that a process on loopback lacks:
- names: the machine asks its VPC's resolver; here the lab is asked, by host and port, since the
  ports of one name may be in different places on loopback;
- time: everything in the lab is faster by one factor, so the process's pauses and deadlines are
  too (`time.sleep`, `time.monotonic`, `signal.setitimer`; the date stays, requests are signed with
  it). Computing is no faster here than elsewhere, so what it takes counts as it is;
- a switch: when the lab dies without a word, so does the machine.
"""

import ctypes
import os
import signal
import socket
import sys
import time
from typing import Any

RESOLVER = os.environ.get("LAB_RESOLVER", "")
SCALE = float(os.environ.get("LAB_TIME_SCALE", "1"))
RESOLVER_TIMEOUT_S = 10.0
COMPUTING_S = 2.0
"""What a timer gets on top, since it counts computing as well."""
PR_SET_PDEATHSIG = 1  # Source: linux/prctl.h


def ask_resolver(host: str, port: int) -> tuple[str, int] | None:
    """Return where on loopback a host's port is, or None if the lab knows no such name."""
    resolver, _, resolver_port = RESOLVER.rpartition(":")
    with socket.socket() as connection:
        connection.settimeout(RESOLVER_TIMEOUT_S)
        connection.connect((resolver, int(resolver_port)))
        connection.sendall(f"{host} {port}\n".encode())
        answer = connection.makefile().readline().split()
    return (answer[0], int(answer[1])) if len(answer) == 2 else None  # noqa: PLR2004 - host and port


def _port_number(port: Any) -> int:  # noqa: ANN401 - as getaddrinfo takes it
    text = port.decode() if isinstance(port, bytes) else str(port or 0)
    return int(text) if text.isdigit() else socket.getservbyname(text)


def use_the_labs_names() -> None:
    """Have every look-up of a name answered by the lab."""
    look_up = socket.getaddrinfo

    def getaddrinfo(
        host: Any,  # noqa: ANN401 - as the original takes it
        port: Any,  # noqa: ANN401 - as the original takes it
        family: int = 0,
        type: int = 0,  # noqa: A002 - the original's name
        proto: int = 0,
        flags: int = 0,
    ) -> Any:  # noqa: ANN401 - as the original returns it
        if host is None:
            return look_up(host, port, family, type, proto, flags)
        name = host.decode() if isinstance(host, bytes) else host
        found = ask_resolver(name, _port_number(port))
        if found is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(*found, family, type, proto, flags)

    socket.getaddrinfo = getaddrinfo


def use_the_labs_clock() -> None:
    """Have pauses and deadlines pass faster, as everything else in the lab does."""
    sleep, monotonic, compute_time = time.sleep, time.monotonic, time.process_time
    setitimer = signal.setitimer

    def labs_monotonic() -> float:
        computing = compute_time()
        return (monotonic() - computing) * SCALE + computing

    def labs_setitimer(which: int, seconds: float, interval: float = 0.0) -> tuple[float, float]:
        slack = COMPUTING_S if seconds else 0.0
        return setitimer(which, seconds / SCALE + slack, interval / SCALE)

    time.sleep = lambda seconds: sleep(float(seconds) / SCALE)
    time.monotonic = labs_monotonic
    signal.setitimer = labs_setitimer


def die_with_the_lab() -> None:
    """End when the lab's process ends, however that came; only Linux can promise it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if RESOLVER:
    use_the_labs_names()
    use_the_labs_clock()
    die_with_the_lab()
