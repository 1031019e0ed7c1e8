"""Puts TLS before the load balancers' stand-ins, for machines that speak https to them.

A certificate authority of the lab's own signs a certificate for each name; machines trust it
through `REQUESTS_CA_BUNDLE`. Not played: the certificate of ACM and the listener's TLS policy.
"""

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.machines.outside import Place

VALID = timedelta(days=30)
CHUNK = 65536
MOST_OF_COMMON_NAME = 64
"""Characters that X.509 allows there; the whole name is among the alternative ones."""


class Authority:
    """Signs the lab's certificates; its key never leaves memory."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "corral lab")])
        self.certificate_path = folder / "authority.pem"
        certificate = self._sign(self._name, self._key.public_key(), "corral lab", ca=True)
        self.certificate_path.write_bytes(certificate)

    def context_for(self, name: str) -> ssl.SSLContext:
        """Return what a server of this name needs to speak TLS."""
        key = ec.generate_private_key(ec.SECP256R1())
        common = x509.NameAttribute(NameOID.COMMON_NAME, name[:MOST_OF_COMMON_NAME])
        subject = x509.Name([common])
        path = self._folder / f"{name}.pem"
        path.touch(mode=0o600)
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + self._sign(subject, key.public_key(), name, ca=False)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, name: str, *, ca: bool
    ) -> bytes:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + VALID)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", "-"))]), critical=False
            )
            .sign(self._key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )


class Terminator:
    """Ends TLS for one name and passes the bytes on."""

    def __init__(self, behind: Place) -> None:
        self.behind = behind
        self._server: asyncio.Server | None = None

    async def listen(self, context: ssl.SSLContext) -> Place:
        """Begin to listen and return where."""
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0, ssl=context)
        host, port = self._server.sockets[0].getsockname()
        return host, port

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection(*self.behind)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
