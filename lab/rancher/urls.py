"""The addresses the API writes into its answers, built from what the caller asked for."""

from collections.abc import Mapping
from typing import Final

DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def base_url(headers: Mapping[str, str]) -> str:
    """Return scheme and host as the caller sees them.

    A proxy has to pass Host and X-Forwarded-Proto (or -Port), or links lead astray.
    gdapi: DefaultApiRequestParser.java; cattle: ApiRequestParser.isHttpsPort
    """
    port = headers.get("X-Forwarded-Port", "")
    default_scheme = "https" if port == DEFAULT_PORTS["https"] else "http"
    scheme = headers.get("X-Forwarded-Proto", default_scheme).lower()
    host = headers.get("Host", "localhost")
    if port and ":" not in host and port != DEFAULT_PORTS.get(scheme):
        host = f"{host}:{port}"
    return f"{scheme}://{host}"


class Urls:
    """Makes links for the answers to one call."""

    def __init__(self, headers: Mapping[str, str], version: str, project: str | None) -> None:
        self.base = base_url(headers)
        self.version = f"{self.base}/{version}"
        scope = f"/projects/{project}" if project else ""
        self.scope = self.version + scope

    def collection(self, plural: str) -> str:
        """Return the address of a collection."""
        return f"{self.scope}/{plural}"

    def resource(self, plural: str, resource_id: str) -> str:
        """Return the address of one resource."""
        return f"{self.scope}/{plural}/{resource_id}"

    def action(self, plural: str, resource_id: str, action: str) -> str:
        """Return the address that an action is posted to."""
        return f"{self.resource(plural, resource_id)}/?action={action}"

    @property
    def schemas(self) -> str:
        """Return the address of the caller's schemas."""
        return self.collection("schemas")
