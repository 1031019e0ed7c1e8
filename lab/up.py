"""The composition root: puts the lab together, keeps it up, and takes it down again."""

import asyncio
import logging
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from aiohttp import web

from lab import alerts, github
from lab.aws import Aws
from lab.balancer import Balancer
from lab.lever import Lever
from lab.populace import Populace
from lab.ready import Ready
from lab.world import World

log = logging.getLogger(__name__)

_STOP_S = 4.0
"""The lab promises to be gone within five seconds; what is slower than this is left behind."""
_HANDLER_STOP_S = 0.5
_PORTS = ("aws", "rancher", "redirect", "alerts", "control", "github")


def ports_from(base: int) -> dict[str, int]:
    """Return the port of each service; base 0 lets the system choose."""
    return {name: base + offset if base else 0 for offset, name in enumerate(_PORTS)}


async def _serve(application: web.Application, port: int) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_HANDLER_STOP_S)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


@asynccontextmanager
async def running_lab(root: Path, time_scale: float, port_base: int = 0) -> AsyncIterator[World]:
    """Run a lab in this process, on this loop, as long as the context lasts."""
    ports = ports_from(port_base)
    world = World(time_scale, root, asyncio.get_running_loop())
    async with AsyncExitStack() as stack:
        stack.callback(world.addresses.close)
        aws = Aws(world, ports["aws"])
        stack.push_async_callback(aws.stop)
        await aws.start()
        balancer = Balancer(world, aws)
        await balancer.start(ports["rancher"], ports["redirect"])
        stack.push_async_callback(balancer.stop)
        populace = Populace(world, aws, balancer)
        await populace.start()
        stack.push_async_callback(populace.stop)
        runner, world.alerts_url = await _serve(alerts.application(world), ports["alerts"])
        stack.push_async_callback(runner.cleanup)
        runner, world.github_url = await _serve(github.application(world.github), ports["github"])
        stack.push_async_callback(runner.cleanup)
        lever = Lever(world, populace, populace)
        runner, world.control_url = await _serve(lever.application(), ports["control"])
        stack.push_async_callback(runner.cleanup)
        yield world


async def _until_told(ready_file: Path, root: Path, time_scale: float, port_base: int) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    stop = asyncio.timeout(None)
    async with stop, running_lab(root, time_scale, port_base) as world:
        Ready(
            aws_endpoint=world.aws_endpoint,
            rancher_url=world.rancher_url,
            alerts_url=world.alerts_url,
            control_url=world.control_url,
            github_url=world.github_url,
            database_names=str(world.database_names),
            database_ca=str(world.authority),
            time_scale=time_scale,
            pid=os.getpid(),
        ).write(ready_file)
        print(f"The lab is up; {ready_file} says where. Ctrl-C ends it.", flush=True)
        await told.wait()
        stop.reschedule(loop.time() + _STOP_S)


def up(ready_file: Path, time_scale: float, port_base: int) -> None:
    """Keep a lab up in the foreground until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    root = Path(tempfile.mkdtemp(prefix="corral-lab-"))
    try:
        asyncio.run(_until_told(ready_file, root, time_scale, port_base))
    except TimeoutError:
        log.warning("not everything stopped within %s s", _STOP_S)
    finally:
        ready_file.unlink(missing_ok=True)
        shutil.rmtree(root, ignore_errors=True)
