"""Docker's stand-in: the client as a program, the daemon that outlives it."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator

from aiohttp import web
from machines_surroundings import Images, until

from lab.machines.docker import client
from lab.machines.docker.daemon import Daemon

SERVER = "rancher/server:v1.6.30"
AGENT = "rancher/agent:v1.2.11"


class Docker:
    """One machine's daemon, its client, and the workloads that were started."""

    def __init__(self) -> None:
        self.images = Images()
        self.daemon = Daemon(lambda seconds: seconds / 100)
        self.daemon.offer(self.images.on(None, self.daemon))
        self.environment: dict[str, str] = {}

    async def start(self, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", client.__file__, *arguments,
            env={**self.environment, **environment},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def __call__(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        process = await self.start(*arguments, **environment)
        out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode().strip(), err.decode().strip()


@contextlib.asynccontextmanager
async def a_docker() -> AsyncIterator[Docker]:
    docker = Docker()
    runner = web.AppRunner(docker.daemon.application(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    docker.environment["DOCKER_HOST"] = f"tcp://{host}:{port}"
    try:
        yield docker
    finally:
        await docker.daemon.kill()
        await runner.cleanup()


def with_docker(scenario) -> None:
    async def run() -> None:
        async with a_docker() as docker:
            await scenario(docker)

    asyncio.run(run())


def test_a_detached_container_prints_its_id_and_runs():
    async def scenario(docker: Docker) -> None:
        code, out, err = await docker(
            "run", "-d", "--restart=unless-stopped", "--name", "one", "-p", "8080:8080",
            "-e", "SECRET", "-e", "PLAIN=1", "-e", "ABSENT",
            SERVER, "--advertise-address", "10.0.0.1",
            SECRET="s3cret",
        )  # fmt: skip

        assert code == 0
        assert f"Unable to find image '{SERVER}' locally" in err
        container = docker.daemon.find("one")
        assert out == container.id
        assert docker.images.started[0].environment == {"SECRET": "s3cret", "PLAIN": "1"}
        assert docker.images.started[0].arguments == ("--advertise-address", "10.0.0.1")
        description = json.loads((await docker("inspect", "one"))[1])[0]
        assert description["State"]["Status"] == "running"
        assert description["Config"]["Image"] == SERVER
        assert description["HostConfig"]["PortBindings"] == {"8080/tcp": [{"HostPort": "8080"}]}

    with_docker(scenario)


def test_a_name_in_use_is_a_conflict():
    async def scenario(docker: Docker) -> None:
        await docker("run", "-d", "--name", "one", SERVER)
        code, _, err = await docker("run", "-d", "--name", "one", SERVER)

        assert code == 125
        assert 'Conflict. The container name "/one" is already in use' in err

    with_docker(scenario)


def test_an_unknown_image_or_flag_is_dockers_own_failure():
    async def scenario(docker: Docker) -> None:
        code, _, err = await docker("run", "-d", "nginx:1")
        assert (code, "pull access denied for nginx" in err) == (125, True)
        code, _, err = await docker("run", "-d", "rancher/server:v2")
        assert (code, "manifest unknown" in err) == (125, True)
        assert (await docker("run", "--nonsense", SERVER))[0] == 125
        assert (await docker("pull", "rancher/server:v2"))[0] == 1
        assert (await docker("pull", "x.dkr.ecr.us-east-1.amazonaws.com/rancher/server"))[0] == 0

    with_docker(scenario)


def test_a_foreground_container_ends_with_its_own_exit_code_and_is_removed():
    async def scenario(docker: Docker) -> None:
        docker.images.launch_exit_code = 3
        code, _, err = await docker(
            "run", "--rm", "--privileged", "--name", "it", AGENT, "register"
        )

        assert code == 3
        assert "it runs" in err
        assert docker.daemon.find("it") is None
        assert docker.daemon.find("rancher-agent") is None

    with_docker(scenario)


def test_a_launcher_leaves_the_agent_running():
    async def scenario(docker: Docker) -> None:
        assert (await docker("run", "--rm", AGENT, "register"))[0] == 0

        agent = docker.daemon.find("rancher-agent")
        assert agent.is_running
        assert agent.spec.restart == "always"

    with_docker(scenario)


def test_a_container_goes_on_when_its_client_dies():
    async def scenario(docker: Docker) -> None:
        process = await docker.start("run", "--name", "one", SERVER)
        await until(lambda: docker.daemon.find("one"), "the container")
        process.kill()
        await process.wait()
        await asyncio.sleep(0.1)

        assert docker.daemon.find("one").is_running

    with_docker(scenario)


def test_listing_filters_by_name_and_shows_what_is_stopped_only_if_asked():
    async def scenario(docker: Docker) -> None:
        await docker("run", "-d", "--name", "one", SERVER)
        await docker("run", "-d", "--name", "one-more", SERVER)
        await docker("stop", "one")
        ask = ("ps", "--quiet", "--no-trunc", "--filter", "name=^/one$")

        assert await docker(*ask) == (0, "", "")
        assert await docker(*ask, "--all") == (0, docker.daemon.find("one").id, "")
        assert "one-more" in (await docker("ps"))[1]

    with_docker(scenario)


def test_a_running_container_is_removed_only_by_force():
    async def scenario(docker: Docker) -> None:
        await docker("run", "-d", "--name", "one", SERVER)
        code, _, err = await docker("rm", "one")
        assert (code, "You cannot remove a running container" in err) == (1, True)

        assert await docker("rm", "--force", "one") == (0, "one", "")
        assert docker.images.started[0].ended == ["stopped"]
        assert (await docker("start", "one"))[0] == 1
        code, out, err = await docker("inspect", "one")
        assert (code, out, err) == (1, "[]", "Error: No such object: one")

    with_docker(scenario)


def test_a_container_that_ends_comes_back_as_its_policy_says():
    async def scenario(docker: Docker) -> None:
        await docker("run", "-d", "--name", "one", "--restart", "always", SERVER)
        await docker("run", "-d", "--name", "two", SERVER)
        one, two = docker.daemon.find("one"), docker.daemon.find("two")
        await docker("stop", "one")
        assert (one.state, one.exit_code) == ("exited", 0)
        assert (await docker("start", "one"))[0] == 0
        assert one.state == "running"
        assert len(docker.images.started) == 3

        await docker.daemon.stop()
        assert (one.state, two.state) == ("exited", "exited")
        docker.daemon.boot()
        await asyncio.sleep(0)
        assert (one.state, two.state) == ("running", "exited")

    with_docker(scenario)


def test_one_that_was_stopped_by_hand_stays_so_unless_always():
    async def scenario(docker: Docker) -> None:
        await docker("run", "-d", "--name", "one", "--restart", "unless-stopped", SERVER)
        await docker("run", "-d", "--name", "two", "--restart", "always", SERVER)
        await docker("stop", "one", "two")
        await docker.daemon.stop()
        docker.daemon.boot()

        assert docker.daemon.find("one").state == "exited"
        assert docker.daemon.find("two").state == "running"

    with_docker(scenario)


def test_logs_and_version_and_images_are_shown():
    async def scenario(docker: Docker) -> None:
        await docker("run", "-d", "--name", "one", SERVER)
        assert await docker("logs", "one") == (0, "it runs", "")
        assert "Server version: 19.03" in (await docker("version"))[1]
        assert await docker("images", SERVER) == (0, SERVER, "")
        assert await docker("images", "--quiet", AGENT) == (0, "", "")

    with_docker(scenario)


def test_without_a_daemon_the_client_says_so():
    async def scenario(docker: Docker) -> None:
        docker.environment["DOCKER_HOST"] = "tcp://127.0.0.1:1"
        assert (await docker("run", SERVER))[0] == 125
        code, _, err = await docker("ps")
        assert (code, "Is the docker daemon running?" in err) == (1, True)

    with_docker(scenario)
