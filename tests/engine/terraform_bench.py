"""A stack, an engine that plays Terraform, and what was heard while one was run by the other."""

from pathlib import Path
from typing import Any, Self

from corral.clients.terraform import (
    Backend,
    Event,
    EventKind,
    StackJob,
    StackResult,
    find_engine,
    run_stack,
)
from corral.clients.terraform.mirror import Package
from corral.domain.plans import Change, PlanSummary, Wholeness
from corral.settings import Settings
from tests.engine.stub_engine import StubEngine


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
        allow: tuple[str, ...] = (),
        variables: dict[str, Any] | None = None,
        bucket: str = "states",
        environment: dict[str, str] | None = None,
    ) -> StackResult:
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
            allow=allow,
            is_whole=self.ask,
            listen=self.events.append,
            publish=self.published.append,
        )

    def ask(self, change: Change) -> Wholeness:
        self.asked.append(change)
        return self.whole

    def texts(self, kind: EventKind) -> list[str]:
        return [event.text for event in self.events if event.kind is kind]
