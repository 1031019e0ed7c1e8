"""Rancher's servers, their group and their load balancer in one, moved on by each look at them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from corral.domain.servers import Server, ServerGroup

OLD, NEW = "lt-1:1", "lt-1:2"
BEGIN = datetime(2026, 11, 23, tzinfo=UTC)
ZONES = ("a", "b", "c")
DRAIN_LOOKS = START_LOOKS = 2

T = TypeVar("T")


@dataclass(slots=True)
class One:
    """A server, and for how many looks it has been in its state."""

    server: Server
    looks: int = 0

    def become(self, **changes: object) -> None:
        self.server = replace(self.server, **changes)  # type: ignore[arg-type]
        self.looks = 0


def server(name: str, version: str = OLD, target: str = "healthy", **more: object) -> Server:
    number = int(name.rpartition("-")[2])
    zone, launched = ZONES[number % 3], BEGIN + timedelta(minutes=number)
    given = {"zone": zone, "launched": launched} | more
    return Server(name, "InService", version, target=target, **given)  # type: ignore[arg-type]


@dataclass
class Servers:
    """What `ServersPlace` asks for; a death or a hiccup may follow any call."""

    count: int = 3
    comes_up: str = NEW
    comes_back: bool = True
    """Whether new servers ever answer."""
    replaces_lost: bool = False
    """Whether the group ends what left the load balancer by itself, as its health check might."""
    suspended: frozenset[str] = frozenset()
    after_call: Callable[[], None] = lambda: None
    orders: list[str] = field(default_factory=list)
    fewest: int = 99
    """How many servers answered at the worst moment."""

    def __post_init__(self) -> None:
        self.wanted = self.minimum = self.count
        self.version = NEW
        self.made = self.count
        self.all = {f"i-{n}": One(server(f"i-{n}")) for n in range(1, self.count + 1)}

    def set(self, name: str, **changes: object) -> None:
        self.all[name].become(**changes)

    @property
    def versions(self) -> dict[str, str]:
        return {name: one.server.version for name, one in self.all.items()}

    def read(self) -> ServerGroup:
        self._go_on()
        return self._answered(self._group())

    def gate(self, size: int, spared: Collection[str]) -> Callable[[], Sequence[str]]:
        def look() -> list[str]:
            self._go_on()
            staying = self._group().staying
            missing = [f"size is {len(staying)} of {size}"] if len(staying) != size else []
            missing += [
                f"{one.instance_id} is {one.target or 'not registered'}"
                for one in staying
                if one.target != "healthy" and one.instance_id not in spared
            ]
            return self._answered(missing)

        return look

    def leave(self, instance_id: str) -> None:
        self.orders.append(f"leave {instance_id}")
        self.set(instance_id, target="draining")
        self._answered(None)

    def replace(self, instance_id: str) -> None:
        self.orders.append(f"replace {instance_id}")
        self._end(instance_id)
        self._answered(None)

    def remove(self, instance_id: str, size: int) -> None:
        self.orders.append(f"remove {instance_id}")
        self.minimum = size
        self._answered(None)
        assert self.wanted > self.minimum
        self.wanted -= 1
        self._end(instance_id)
        self._answered(None)

    def grow(self, size: int) -> None:
        self.wanted, self.minimum = max(self.wanted, size), max(self.minimum, size)

    def answering(self) -> int:
        return sum(one.server.target == "healthy" for one in self.all.values())

    def _group(self) -> ServerGroup:
        found = tuple(one.server for one in self.all.values())
        return ServerGroup("lab-control", self.wanted, self.version, found, self.suspended)

    def _end(self, instance_id: str) -> None:
        self.set(instance_id, target="", lifecycle="Terminating")

    def _answered(self, value: T) -> T:
        self.fewest = min(self.fewest, self.answering())
        self.after_call()
        return value

    def _go_on(self) -> None:
        """Let everybody do one step."""
        for name, one in list(self.all.items()):
            one.looks += 1
            if one.server.is_leaving and one.looks > 1:
                del self.all[name]
            elif one.server.target == "draining" and one.looks > DRAIN_LOOKS:
                one.become(target="")
            elif one.server.target == "initial" and one.looks > START_LOOKS:
                one.become(target="healthy" if self.comes_back else "unhealthy")
            elif one.server.is_out and self.replaces_lost and one.looks > DRAIN_LOOKS:
                self._end(name)
        for _ in range(self.wanted - len(self._group().staying)):
            self.made += 1
            name = f"i-{self.made}"
            self.all[name] = One(server(name, self.comes_up, "initial"))
