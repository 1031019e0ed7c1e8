"""What is set up inside Rancher: who may come in, environments, registries, catalog stacks."""

from typing import Annotated, Literal

from pydantic import Field

from corral.cluster.values import (
    CatalogTemplate,
    EcrAddress,
    Hostname,
    Name,
    Part,
    RancherVersion,
    RegistryAddress,
    StackName,
    TeamSlug,
)


class LocalAccess(Part):
    """One administrator with a password that corral makes and keeps in Secrets Manager."""

    kind: Literal["local"]


class GithubAccess(Part):
    """People log in with GitHub, or with GitHub Enterprise."""

    kind: Literal["github"]
    organizations: tuple[str, ...] = Field(default=(), description="Whose members may come in.")
    teams: tuple[TeamSlug, ...] = Field(default=(), description="As `organization/team`.")
    mode: Literal["restricted", "required"] = Field(
        default="restricted",
        description="restricted also lets members of environments in, required does not.",
    )
    secret: str = Field(
        description="Secret of AWS with client_id and client_secret of the OAuth application."
    )
    hostname: Hostname | None = Field(default=None, description="Of GitHub Enterprise.")


Access = Annotated[LocalAccess | GithubAccess, Field(discriminator="kind")]


class Member(Part):
    """Somebody who may work in an environment."""

    id: str = Field(min_length=1, description="As people write it: octocat, acme, acme/ops.")
    kind: Literal["rancher_id", "github_user", "github_org", "github_team"]
    role: Literal["owner", "member", "restricted", "readonly"]


class PasswordRegistry(Part):
    """A registry of images with one user and password."""

    kind: Literal["password"]
    address: RegistryAddress
    secret: str = Field(description="Secret of AWS with username and password.")


class EcrRegistry(Part):
    """A registry of ECR, whose passwords live twelve hours."""

    kind: Literal["ecr"]
    address: EcrAddress
    refresher: Literal["stack", "flow"] = Field(
        default="flow",
        description="Who renews the password: the flow renew-registries, or Rancher's own stack.",
    )
    secret: str | None = Field(
        default=None,
        description="For the stack: secret of AWS with aws_access_key_id, aws_secret_access_key.",
    )


Registry = Annotated[PasswordRegistry | EcrRegistry, Field(discriminator="kind")]


class CatalogStack(Part):
    """A stack from a catalog of Rancher."""

    name: StackName
    template: CatalogTemplate = Field(description="As `library:infra*route53`.")
    version: str = Field(min_length=1, description="As the catalog writes it: v0.7.17-rancher1.")
    answers: dict[str, str] = Field(
        default_factory=dict, description="To the template's questions; the rest keeps its default."
    )
    secret: str | None = Field(
        default=None, description="Secret of AWS with further answers, those that nobody may read."
    )
    infrastructure: bool = Field(
        default=False, description="Belongs to the environment, not to its users."
    )


class Environment(Part):
    """One environment of Rancher."""

    name: Name
    description: str = ""
    template: str = Field(
        default="Cattle", min_length=1, description="Rancher's template; never changed later."
    )
    members: tuple[Member, ...] | None = Field(
        default=None,
        description="All members beside the administrator; null leaves whoever is one.",
    )
    registries: tuple[Registry, ...] = ()
    stacks: tuple[CatalogStack, ...] = ()

    @property
    def named_members(self) -> tuple[Member, ...]:
        """Who is on the list, if there is one."""
        return self.members or ()


class RancherSpec(Part):
    """Which Rancher, and what is set up in it."""

    version: RancherVersion = Field(description="Tag of rancher/server.")
    access: Access = LocalAccess(kind="local")
    settings: dict[str, str] = Field(
        default_factory=dict, description="Further settings of Rancher by name."
    )
    environments: tuple[Environment, ...] = Field(min_length=1)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Names of the secrets of AWS that must be there before a build."""
        access = self.access
        named = [access.secret if isinstance(access, GithubAccess) else None]
        for environment in self.environments:
            named += [stack.secret for stack in environment.stacks]
            named += [registry.secret for registry in environment.registries]
        return tuple(dict.fromkeys(name for name in named if name))
