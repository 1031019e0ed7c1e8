"""A stack, an engine that plays Terraform, and what was heard while one was run by the other."""

from datetime import date, datetime
from pathlib import Path
from typing import Any, Self

from corral.clients.terraform import (
    Backend,
    Event,
    EventKind,
    Mandate,
    StackJob,
    StackResult,
    Unapproved,
    Watch,
    find_engine,
    run_stack,
)
from corral.clients.terraform.mirror import Package
from corral.domain.adoption import Found, Wanted
from corral.domain.holders import Breaking
from corral.domain.plans import Approval, Change, PlanSummary, Wholeness
from corral.settings import Settings
from tests.engine.shelf_double import FolderShelf
from tests.engine.stub_engine import StubEngine

TODAY = date(2026, 11, 23)


class Bench:
    """A stack, an engine, settings, and what was heard."""

    def __init__(self, root: Path) -> None:
        self._remember(root, StubEngine(root / "engine"))
        self.folder.mkdir(parents=True)
        (self.folder / "main.tf").write_text("# the network\n")
        package = self.package
        folder = root / "mirror" / package.registry / "hashicorp" / "aws"
        (folder / package.version / package.platform).mkdir(parents=True)

    @classmethod
    def reopen(cls, root: Path) -> Self:
        """Return what another process made, to run it once more in this one."""
        bench = cls.__new__(cls)
        bench._remember(root, StubEngine.reopen(root / "engine"))
        return bench

    def _remember(self, root: Path, engine: StubEngine) -> None:
        self.root = root
        self.engine = engine
        self.folder = root / "terraform" / "vpc"
        self.events: list[Event] = []
        self.whole = Wholeness.WHOLE
        self.asked: list[Change] = []
        self.patience: dict[str, float] = {}
        self.published: list[PlanSummary] = []
        self.shelf = FolderShelf(root / "shelf")
        self.ends: dict[str, datetime] = {}
        self.lost: dict[str, Found] = {}
        self.broken: list[Breaking] = []

    @property
    def copy(self) -> Path:
        return self.root / "work" / "lab" / "vpc"

    @property
    def package(self) -> Package:
        settings = self.settings
        engine = find_engine(settings.terraform, settings.work_dir)
        return Package.of(engine, settings.stacks_dir)

    @property
    def settings(self) -> Settings:
        return Settings(
            work_dir=self.root / "work",
            terraform=self.engine.path,
            provider_mirror=self.root / "mirror",
            **self.patience,  # type: ignore[arg-type]
        )

    def run(
        self,
        *,
        approvals: tuple[str, ...] = (),
        agreed: Unapproved | None = None,
        destroy: bool = False,
        in_place: tuple[str, ...] = (),
        variables: dict[str, Any] | None = None,
        bucket: str = "states",
        environment: dict[str, str] | None = None,
        name: str = "build-lab",
    ) -> StackResult | Unapproved:
        job = StackJob(
            folder=self.folder,
            key="lab/vpc",
            variables=variables or {"cidr": "10.42.0.0/16"},
            backend=Backend(bucket, "us-east-1"),
            environment=environment or {"AWS_ACCESS_KEY_ID": "handed-in"},
        )
        return run_stack(
            job,
            self.settings,
            Mandate(
                tuple(Approval.parse(text) for text in approvals), TODAY, agreed, destroy, in_place
            ),
            self.watch(name),
            is_whole=self.ask,
            listen=self.events.append,
            publish=self.published.append,
        )

    def watch(self, name: str) -> Watch:
        return Watch(
            run=f"id-of-{name}",
            name=name,
            shelf=self.shelf,
            ended_at=self.ends.get,
            tell=self.broken.append,
            find=self.find,
        )

    def find(self, wanted: Wanted) -> Found | None:
        return self.lost.get(wanted.address)

    def ask(self, change: Change) -> Wholeness:
        self.asked.append(change)
        return self.whole

    def texts(self, kind: EventKind) -> list[str]:
        return [event.text for event in self.events if event.kind is kind]
