"""A stand-in for everybody whose packages the image takes: repositories, keys, signatures.

The packages hold nothing but the units and users that the real ones bring.
"""

import functools
import hashlib
import http.server
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

DOCKER = "5:19.03.15~3-0~debian-buster"
NEWER_DOCKER = "5:20.10.24~3-0~debian-buster"
DEADLINE_S = 60


@dataclass(frozen=True)
class Package:
    """One package: what it needs, the units it brings, and what it does when it is installed."""

    name: str
    version: str
    depends: str = ""
    units: tuple[str, ...] = ()
    user: str = ""
    files: dict[str, str] = field(default_factory=dict)


def _docker(version: str) -> list[Package]:
    # What Docker's own packages of 19.03 for Debian 10 depend on.
    needs = (
        "containerd.io (>= 1.2.2-3), iptables, libseccomp2 (>= 2.3.0), libc6 (>= 2.8), "
        "libdevmapper1.02.1 (>= 2:1.02.97), libsystemd0"
    )
    return [
        Package("docker-ce", version, needs, ("docker.service",), user="docker"),
        Package("docker-ce-cli", version, "libc6 (>= 2.4)"),
    ]


REPOSITORIES = {
    ("docker", "buster", "stable"): [
        *_docker(DOCKER),
        *_docker(NEWER_DOCKER),
        Package("containerd.io", "1.4.13-1", "libc6, libseccomp2", ("containerd.service",)),
        Package("containerd.io", "1.6.33-1", "libc6, libseccomp2", ("containerd.service",)),
    ],
    ("sumologic", "bookworm", "main"): [
        Package("otelcol-sumo", "0.108.0-1790", units=("otelcol-sumo.service",),
                files={"etc/otelcol-sumo/conf.d/common.yaml": "{}\n"}),
    ],
    ("datadog", "stable", "7"): [
        Package("datadog-agent", "1:7.60.0-1", units=("datadog-agent.service",), user="dd-agent",
                files={"etc/datadog-agent/datadog.yaml.example": ""}),
    ],
}  # fmt: skip

SINGLE = [
    Package("amazon-ssm-agent", "3.3.1142.0-1", units=("amazon-ssm-agent.service",)),
    Package("amazon-cloudwatch-agent", "1.300050.0", units=("amazon-cloudwatch-agent.service",),
            files={"opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.d/default": ""}),
]  # fmt: skip

UNIT = """[Unit]
Description=Stand-in
[Service]
ExecStart=/bin/true
[Install]
WantedBy=multi-user.target
"""


class Depot:
    """All of it in one folder, served by https on loopback; `certificate` is who vouches for it."""

    def __init__(self, folder: Path) -> None:
        self._shelf = folder / "shelf"
        self._home = folder / "gnupg"
        self._home.mkdir(mode=0o700, parents=True)
        self._shelf.mkdir()
        self._key, self.certificate = folder / "tls.key", folder / "tls.crt"
        self.url = ""
        self.fingerprint = self._make_key()
        self._make_certificate()
        for package in SINGLE:
            file = self._shelf / f"{package.name}.deb"
            build(package, file)
            self._gpg("--output", f"{file}.sig", "--detach-sign", str(file))
        for (name, suite, component), packages in REPOSITORIES.items():
            self._make_repository(self._shelf / name, suite, component, packages)
        (self._shelf / "rds.pem").write_text(self.certificate.read_text())

    @property
    def public_key(self) -> str:
        """The key that signs all of it."""
        return (self._shelf / "key.asc").read_text()

    def offer_spoiled(self, package: str) -> str:
        """Offer a package that is not the one that was signed, and return where it is."""
        file, spoiled = self._shelf / f"{package}.deb", self._shelf / f"spoiled-{package}.deb"
        spoiled.write_bytes(file.read_bytes() + b"\n")
        shutil.copy(f"{file}.sig", f"{spoiled}.sig")
        return f"{self.url}/{spoiled.name}"

    @contextmanager
    def served(self) -> Iterator[None]:
        """Serve it; `url` says where."""
        handler = functools.partial(_Silent, directory=str(self._shelf))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self._key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()

    def _make_key(self) -> str:
        self._gpg("--passphrase", "", "--quick-generate-key", "Depot", "ed25519", "sign", "1d")
        shown = self._gpg("--with-colons", "--list-keys")
        (self._shelf / "key.asc").write_text(self._gpg("--armor", "--export"))
        return next(line.split(":")[9] for line in shown.splitlines() if line.startswith("fpr"))

    def _make_certificate(self) -> None:
        run(
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=depot", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(self._key), "-out", str(self.certificate)),
        )

    def _make_repository(
        self, folder: Path, suite: str, component: str, packages: list[Package]
    ) -> None:
        index = ""
        for package in packages:
            file = folder / "pool" / f"{package.name}_{package.version.replace(':', '_')}.deb"
            build(package, file)
            index += _entry(file, folder)
        lists = folder / "dists" / suite / component / "binary-amd64" / "Packages"
        lists.parent.mkdir(parents=True)
        lists.write_text(index)
        release = folder / "dists" / suite / "Release"
        digest = hashlib.sha256(index.encode()).hexdigest()
        release.write_text(
            f"Suite: {suite}\nComponents: {component}\nArchitectures: amd64\n"
            f"SHA256:\n {digest} {len(index)} {lists.relative_to(release.parent)}\n"
        )
        self._gpg("--output", str(release.with_name("InRelease")), "--clearsign", str(release))

    def _gpg(self, *arguments: str) -> str:
        return run("gpg", "--batch", "--quiet", "--homedir", str(self._home), *arguments)


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def build(package: Package, file: Path) -> None:
    """Make the package's file."""
    tree = file.with_suffix(".tree")
    control = tree / "DEBIAN" / "control"
    control.parent.mkdir(parents=True)
    depends = f"Depends: {package.depends}\n" if package.depends else ""
    control.write_text(
        f"Package: {package.name}\nVersion: {package.version}\nArchitecture: amd64\n{depends}"
        "Maintainer: Depot <depot@example.org>\nDescription: stand-in\n"
    )
    files = {f"lib/systemd/system/{unit}": UNIT for unit in package.units} | package.files
    for path, content in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(content)
    if package.user:
        script = control.with_name("postinst")
        script.write_text(
            "#!/bin/sh\nset -e\n"
            f"getent group {package.user} >/dev/null || groupadd --system {package.user}\n"
            f"getent passwd {package.user} >/dev/null || "
            f"useradd --system --no-create-home -g {package.user} {package.user}\n"
        )
        script.chmod(0o755)
    run("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(file))
    shutil.rmtree(tree)


def run(*command: str) -> str:
    """Run a program of this machine and return what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stderr}"
    return done.stdout


def _entry(file: Path, folder: Path) -> str:
    return run("dpkg-deb", "--field", str(file)) + (
        f"Filename: {file.relative_to(folder)}\nSize: {file.stat().st_size}\n"
        f"SHA256: {hashlib.sha256(file.read_bytes()).hexdigest()}\n\n"
    )
