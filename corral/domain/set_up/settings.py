"""Settings: which are to be written, and which cannot be."""

from corral.errors import PrerequisiteError

# The names under which Rancher says where a setting comes from; the first wins over the database.
# Source: cattle, TransformedEnvironmentProperties.java.
ENVIRONMENT_SOURCE = "Environment Variables"


def needs_setting(name: str, *, value: str, source: str, wanted: str) -> bool:
    """Say whether a setting is to be written.

    Raises:
        PrerequisiteError: An environment variable of the server wins over whatever is written.
    """
    if fault := find_setting_fault(name, value=value, source=source, wanted=wanted):
        raise PrerequisiteError(fault)
    return value != wanted


def find_setting_fault(name: str, *, value: str, source: str, wanted: str) -> str | None:
    """Return why a setting cannot be had; None if nothing speaks against it.

    A name that Rancher has never heard of is none: it takes any, and some have no value until
    somebody gives them one.

    Source: cattle, SettingManager.getByIdInternal, updateInternal.
    """
    if value == wanted or source != ENVIRONMENT_SOURCE:
        return None
    variable = "CATTLE_" + name.upper().replace(".", "_")
    return (
        f"Rancher's setting {name} is {value}, not {wanted}, and cannot be changed: the servers"
        f" were started with {variable}, which wins over it; start them without it."
    )
