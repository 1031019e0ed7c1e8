"""Templates of environments, which come from the catalog, and the stacks that they bring along.

cattle: ProjectTemplateService.java, CatalogServiceImpl.java, SystemStackUpdate.java
"""

import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

import yaml

from lab.rancher import timings
from lab.rancher.catalog.templates import (
    Template,
    TemplateVersion,
    all_templates,
    find_template,
)
from lab.rancher.catalog.versions import is_between
from lab.rancher.engine import is_active
from lab.rancher.rows import Account, ProjectTemplate, Row, Stack
from lab.rancher.schema.accounts import PROJECT_TEMPLATE
from lab.rancher.schema.stacks import STACK

if TYPE_CHECKING:
    from lab.rancher.cluster import RancherCluster

DEFAULT: Final = "Cattle"
"""cattle: project.template.default.name"""
ORCHESTRATIONS: Final = {
    "k8s": "kubernetes",
    "swarm": "swarm",
    "mesos": "mesos",
    "windows": "windows",
}
"""What an environment is run by, if it has a stack of that template; later ones win.

cattle: SystemStackUpdate.chooseOrchestration
"""


class ProjectTemplates:
    """Loads templates and gives environments their stacks."""

    def __init__(self, cluster: "RancherCluster") -> None:
        self._cluster = cluster
        self._store = cluster.store
        cluster.engine.handle("account", "create", self._account_created)
        cluster.engine.handle("projectTemplate", "create", self._template_created)
        cluster.store.listen(self._follow)

    def load(self) -> None:
        """Make a template of each that the catalog has for this Rancher."""
        for template in all_templates():
            if template.base != "project":
                continue
            version = self._default(template)
            if version is not None:
                self._make(version)

    def go_on(self) -> None:
        """Start what waits for a host that is there already."""
        for account_id in self._store.stacks_to_start:
            self._cluster.clockwork.after(timings.LOOK, partial(self.start_stacks, account_id))

    def start_stacks(self, account_id: int | None) -> None:
        """Start the services of the stacks that came with an environment, once it has a host.

        cattle: SystemStackUpdate.startStacks
        """
        stacks = self._store.stacks_to_start.get(account_id or 0, [])
        if not stacks or not self._cluster.health.has_hosts(account_id):
            return
        started = [self._cluster.stacks.start_services(one) for one in stacks]
        if all(started):
            del self._store.stacks_to_start[account_id or 0]
        else:
            self._cluster.clockwork.after(timings.LOOK, partial(self.start_stacks, account_id))

    def _default(self, template: Template) -> TemplateVersion | None:
        """Return the template's default version if it fits, else the newest that does."""
        rancher = self._cluster.settings().get("rancher.server.version")
        fitting = [
            one
            for one in template.versions
            if is_between(one.minimum_rancher_version, rancher, one.maximum_rancher_version)
        ]
        named = [one for one in fitting if one.version == template.default_version]
        return next(iter(named or reversed(fitting)), None)

    def _make(self, version: TemplateVersion) -> None:
        project = yaml.safe_load(version.files["project.yml"])
        row = ProjectTemplate(
            kind=PROJECT_TEMPLATE.name,
            name=project["name"],
            description=project["description"],
            created=time.time(),
            external_id=f"catalog://{version.id}",
            stacks=project["stacks"],
        )
        self._store.project_templates.add(row)
        self._cluster.engine.create("projectTemplate", row)

    def _template_created(self, row: Row) -> bool:
        """Give the environment Default its template, if it has none.

        cattle: ProjecttemplateCreate.java
        """
        default = self._store.accounts.where("uuid", "adminProject")[0]
        if row.name == DEFAULT and default.project_template_id is None:
            default.project_template_id = row.id
            self._create_stacks(default)
        return True

    def _account_created(self, row: Row) -> bool:
        if isinstance(row, Account):
            self._create_stacks(row)
        return True

    def _create_stacks(self, account: Account) -> None:
        """Make the stacks of an environment's template; what the catalog has not is left out.

        cattle: SystemStackUpdate.createStacks, CatalogServiceImpl.deploy
        """
        template = self._store.project_templates.get(account.project_template_id)
        if template is None:
            return
        for wanted in template.stacks:
            found = find_template(str(wanted["templateId"]))
            version = self._default(found) if found is not None else None
            if version is not None:
                stack = self._deploy(account, wanted, version)
                self._store.stacks_to_start.setdefault(account.id, []).append(stack)
        self.start_stacks(account.id)

    def _deploy(
        self, account: Account, wanted: Mapping[str, object], version: TemplateVersion
    ) -> Stack:
        row = Stack(
            kind=STACK.name,
            name=str(wanted["name"]),
            created=time.time(),
            account_id=account.id,
            external_id=f"catalog://{version.id}",
            docker_compose=version.docker_compose,
            rancher_compose=version.rancher_compose,
            system=True,
        )
        self._store.stacks.add(row)
        self._cluster.engine.create("stack", row)
        return row

    def _follow(self, base: str, row: Row) -> None:
        if base == "host" and row.account_id in self._store.stacks_to_start and is_active(row):
            self.start_stacks(row.account_id)


def orchestration(template: ProjectTemplate) -> str:
    """Return what runs environments of a template.

    cattle: AccountCreateFilter.java
    """
    kinds = {str(one["templateId"]).rpartition("*")[2] for one in template.stacks}
    found = [name for kind, name in ORCHESTRATIONS.items() if kind in kinds]
    return found[-1] if found else "cattle"
