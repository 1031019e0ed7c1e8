"""A Debian in a folder with an SSH server inside: for Ansible what a builder is."""

import hashlib
import inspect
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corral.settings import PROJECT

SUITE = "bookworm"
# What Debian's image for EC2 brings that a minimal root does not
BOOTSTRAP = "ca-certificates,gpg,gpg-agent,openssh-server,python3,python3-apt,sudo,systemd-sysv"
LOCK = PROJECT / "node" / "requirements.lock"
NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
BUILD_S = 900
COMMAND_S = 120
SOURCES = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("debian*.sources")]

# Boot loader and services act on a running machine; these do what can be done in a folder.
STAND_INS = {
    "usr/sbin/policy-rc.d": "#!/bin/sh\nexit 101\n",
    "usr/sbin/update-grub": "#!/bin/sh\nset -e\nGRUB_CMDLINE_LINUX=quiet\n"
    'for file in /etc/default/grub.d/*.cfg; do . "$file"; done\n'
    'echo "$GRUB_CMDLINE_LINUX" > /boot/cmdline\n',
}


def why_not() -> str:
    """Return what this machine lacks for a root, or nothing."""
    if os.geteuid() != 0:
        return "a root takes root's rights"
    missing = [
        program
        for program in ("debootstrap", "unshare", "gpg", "dpkg-deb", "openssl", "ssh")
        if not shutil.which(program)
    ]
    if missing:
        return f"{', '.join(missing)} is not installed"
    if not (PROJECT / ".venv-images" / ".ready").exists():
        return ".venv-images is not there: make .venv-images/.ready"
    if platform.freedesktop_os_release().get("ID") != "debian" or not _mirrors():
        return "this machine has no apt sources of Debian"
    spaces = subprocess.run([*NAMESPACES, "true"], capture_output=True, check=False)
    return "" if spaces.returncode == 0 else "namespaces and mounts are not allowed here"


class Root:
    """One such folder; gone with whoever made it."""

    def __init__(self, path: Path, port: int) -> None:
        self.path = path
        self.port = port

    def run(self, *command: str, fails: bool = False) -> str:
        """Run a command inside and return what it prints, errors included."""
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            "HOME": "/root",
        }
        done = subprocess.run(
            ["chroot", str(self.path), *command],
            env=environment, text=True, timeout=COMMAND_S, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert fails == bool(done.returncode), done.stdout
        return done.stdout

    def read(self, path: str) -> str:
        """Return a file's text."""
        return self._inside(path).read_text()

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Lay down a file."""
        file = self._inside(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def remove(self, path: str) -> None:
        """Take a file away."""
        self._inside(path).unlink()

    def has(self, path: str) -> bool:
        """Tell whether there is something, be it a link that leads nowhere."""
        return os.path.lexists(self._inside(path))

    def _inside(self, path: str) -> Path:
        return self.path / path.lstrip("/")


@contextmanager
def new_root(folder: Path, public_key: str, certificate: Path) -> Iterator[Root]:
    """Unpack a root, let `public_key` log in as admin, trust `certificate`; end all of it."""
    path = folder / "root"
    path.mkdir()
    _long("tar", "--extract", "--directory", str(path), "--file", str(_archive()))
    root = Root(path, _free_port())
    root.write("/etc/corral-test/authorized_keys", public_key)
    root.write("/usr/local/share/ca-certificates/depot.crt", certificate.read_text())
    root.run("update-ca-certificates")
    with _ssh_server(root):
        yield root


@contextmanager
def _ssh_server(root: Root) -> Iterator[None]:
    """Run the root's own SSH server in namespaces that end with it, whatever it started."""
    inside = (
        f"mount -t proc proc '{root.path}/proc' && mount --rbind /dev '{root.path}/dev' && "
        f"chroot '{root.path}' /usr/sbin/sshd -D -e -f /etc/corral-test/sshd_config -p {root.port}"
    )
    with (root.path.parent / "sshd.log").open("w") as log:
        server = subprocess.Popen([*NAMESPACES, "sh", "-c", inside], stdout=log, stderr=log)
    try:
        _await(root.port, server)
        yield
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait(timeout=COMMAND_S)


def _await(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + COMMAND_S
    while time.monotonic() < deadline:
        assert server.poll() is None, "the SSH server ended at once: see sshd.log"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the SSH server did not answer")


def _archive() -> Path:
    """Return the packed root, made once for each set of what is in it and kept where caches are."""
    recipe = f"{SUITE} {BOOTSTRAP} {STAND_INS} {LOCK.read_text()} {inspect.getsource(_bootstrap)}"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "corral" / "images"
    archive = cache / f"{SUITE}-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.tar"
    if archive.exists():
        return archive
    work = cache / f".{archive.stem}.{os.getpid()}"
    work.mkdir(parents=True)
    try:
        _bootstrap(work / "root")
        _long(
            "tar", "--create", "--directory", str(work / "root"), "--file", str(work / "tar"), "."
        )
        for outdated in cache.glob(f"{SUITE}-*.tar"):
            outdated.unlink(missing_ok=True)
        (work / "tar").rename(archive)
    finally:
        shutil.rmtree(work)
    return archive


def _bootstrap(path: Path) -> None:
    _long(
        "debootstrap",
        "--variant=minbase",
        f"--include={BOOTSTRAP}",
        SUITE,
        str(path),
        _mirrors()[0],
    )
    root = Root(path, 0)
    root.write("/etc/apt/sources.list", "")
    for source in SOURCES:
        if source.exists():
            root.write(str(source), source.read_text())
    for name, text in STAND_INS.items():
        root.write(name, text, 0o755)
    root.run("useradd", "--create-home", "--shell", "/bin/bash", "--password", "*", "admin")
    root.write("/etc/sudoers.d/90-cloud-init-users", "admin ALL=(ALL) NOPASSWD:ALL\n", 0o440)
    root.write(
        "/etc/corral-test/sshd_config",
        "ListenAddress 127.0.0.1\nHostKey /etc/corral-test/host_key\nPidFile none\n"
        "UsePAM no\nStrictModes no\n"
        "AuthorizedKeysFile /etc/corral-test/authorized_keys\nSubsystem sftp internal-sftp\n",
    )
    root.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/etc/corral-test/host_key")
    (path / "run" / "sshd").mkdir(exist_ok=True)
    wheels = path / "srv" / "wheels"
    _long(sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--no-deps",
          "--dest", str(wheels), "--requirement", str(LOCK))  # fmt: skip
    root.write("/etc/pip.conf", "[global]\nno-index = true\nfind-links = /srv/wheels\n")


def _long(*command: str) -> None:
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]


def _mirrors() -> list[str]:
    """Return where this machine gets Debian's packages from."""
    text = "\n".join(source.read_text() for source in SOURCES if source.exists())
    found = re.findall(r"^(?:URIs:|deb(?: \[[^]]*\])?) +(\S+)", text, re.MULTILINE)
    return [uri for uri in found if "security" not in uri]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
