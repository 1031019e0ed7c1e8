"""One call of the API: who asks whom for what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from multidict import MultiMapping

from lab.rancher.callers import Caller
from lab.rancher.settings import Settings
from lab.rancher.urls import Urls

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster


@dataclass(slots=True)
class Call:
    """What the managers of the resources know of a request."""

    cluster: "RancherCluster"
    settings: Settings
    caller: Caller
    version: str
    urls: Urls
    parameters: MultiMapping[str]
    body: Mapping[str, object] = field(default_factory=dict)
