"""The roots of the API: which versions there are, and which collections a version has."""

from lab.rancher.call import Call
from lab.rancher.paths import VERSIONS
from lab.rancher.rendering import Document
from lab.rancher.schema import TYPES


def index(call: Call) -> Document:
    """Return the root of a version: where its collections are.

    gdapi: VersionHandler
    """
    known = [kind for kind in TYPES.values() if kind.collected and call.caller.knows(kind)]
    links = {kind.plural: call.urls.collection(kind.plural) for kind in known}
    return {
        "id": call.version,
        "type": "apiVersion",
        "links": {"self": call.urls.version, **links},
        "actions": {},
    }


def list_versions(base: str) -> Document:
    """Return the root of the API: its versions."""
    return {
        "type": "collection",
        "resourceType": "apiVersion",
        "links": {"self": f"{base}/", "latest": f"{base}/{VERSIONS[-1]}"},
        "createTypes": {},
        "actions": {},
        "data": [
            {
                "id": version,
                "type": "apiVersion",
                "links": {"self": f"{base}/{version}"},
                "actions": {},
            }
            for version in VERSIONS
        ],
        "sortLinks": {},
        "pagination": None,
        "sort": None,
        "filters": {},
        "createDefaults": {},
    }
