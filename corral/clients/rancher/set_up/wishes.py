"""What a stack shall be, read from the catalog and the vault: version, files, and answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from corral.clients.rancher.client import RancherClient
from corral.clients.rancher.set_up.site import Site
from corral.domain.set_up.catalog import (
    TemplateVersion,
    find_faults_of_answers,
    find_misfit,
    newest,
    say_missing_version,
)
from corral.domain.set_up.stack_requests import StackRequest
from corral.domain.set_up.stacks import StackWish
from corral.errors import GateTimeoutError, PrerequisiteError


@dataclass
class Catalogs:
    """The catalogs of one Rancher, of which each is waited for once, whoever needs it."""

    site: Site
    rancher: RancherClient
    _late: dict[str, GateTimeoutError] = field(default_factory=dict)

    @cached_property
    def server(self) -> str:
        """The version of Rancher that templates have to fit."""
        return self.rancher.server_version()

    def wait(self, catalog: str, look: Callable[[], list[str]]) -> None:
        """Wait until a catalog has been loaded.

        Raises:
            GateTimeoutError: It was not in time, now or when somebody asked before.
        """
        if late := self._late.get(catalog):
            raise late
        try:
            self.site.patience.wait(f"catalog {catalog}", look)
        except GateTimeoutError as error:
            self._late[catalog] = error
            raise


@dataclass
class WishReader:
    """Reads for one environment; `project_id` is None as long as there is none."""

    catalogs: Catalogs
    environment: str
    project_id: str | None

    def read(self, request: StackRequest) -> StackWish:
        """Return a stack as it shall be.

        Raises:
            PrerequisiteError: Template, version, answers or secret are wrong: all that can be seen
                of it at once.
            GateTimeoutError: The catalog was not loaded in time.
        """
        version = self._find_version(request)
        secret = self._read_secret(request)
        answers = {**request.answers, **secret}
        faults = [find_misfit(request.template, version, self.catalogs.server)]
        faults += find_faults_of_answers(version, answers)
        if found := [fault for fault in faults if fault]:
            raise self._refusal(request, "; ".join(found))
        return StackWish.of(
            request.name,
            version,
            answers,
            infrastructure=request.infrastructure,
            secret=secret.keys(),
        )

    def _find_version(self, request: StackRequest) -> TemplateVersion:
        rancher, server = self.catalogs.rancher, self.catalogs.server
        versions = self._read_versions(request)
        if request.version in versions:
            wanted = versions[request.version]
            return rancher.template_version(wanted, self.project_id)
        fitting = rancher.template_versions(request.template, self.project_id, server=server)
        latest = newest(fitting or {})
        if request.version is None and fitting and latest:
            return rancher.template_version(fitting[latest], self.project_id)
        wanted = request.version or "that fits"
        fault = say_missing_version(request.template, wanted, server, fitting or {})
        raise self._refusal(request, fault)

    def _read_versions(self, request: StackRequest) -> Mapping[str | None, str]:
        """Return the id of each version, once the catalog has been loaded."""
        rancher, found = self.catalogs.rancher, dict[str | None, str]()

        def look() -> list[str]:
            versions = rancher.template_versions(request.template, self.project_id)
            if versions is None:
                return self._find_reason(request)
            found.update(versions)
            return []

        self.catalogs.wait(_catalog_of(request), look)
        return found

    def _find_reason(self, request: StackRequest) -> list[str]:
        """Return what a template that is not there waits for.

        Raises:
            PrerequisiteError: Nothing: it will never be there.
        """
        rancher, catalog = self.catalogs.rancher, _catalog_of(request)
        catalogs = rancher.catalogs(self.project_id)
        if catalogs and catalog not in catalogs:
            names = ", ".join(sorted(catalogs))
            raise self._refusal(request, f"Rancher has no catalog {catalog}; it has: {names}")
        if rancher.catalog_templates(catalog, self.project_id):
            raise self._refusal(request, f"the catalog has no template {request.template}")
        return [f"Rancher has not loaded the catalog {catalog} yet"]

    def _read_secret(self, request: StackRequest) -> dict[str, str]:
        if request.secret is None:
            return {}
        held = self.catalogs.site.vault.read(request.secret)
        if held is None:
            raise self._refusal(
                request,
                f"there is no secret {request.secret} in AWS Secrets Manager: make it, with the"
                " answers as its keys",
            )
        return held

    def _refusal(self, request: StackRequest, fault: str) -> PrerequisiteError:
        return PrerequisiteError(
            f"The stack {request.name} of environment {self.environment}: {fault}."
        )


def _catalog_of(request: StackRequest) -> str:
    return request.template.partition(":")[0]
