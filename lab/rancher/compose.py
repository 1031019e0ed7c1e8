"""Compose files, read into services as Rancher makes them. Pure.

rancher-compose-executor: executor/handlers/project.go; rancher-compose: template, lookup
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

GLOBAL: Final = "io.rancher.scheduler.global"
_NOT_SERVICES: Final = frozenset({"version", "catalog", ".catalog"})
_CONDITION: Final = re.compile(r'\{\{-?\s*if eq \.Values\.(\w+) "(.*?)"\s*-?\}\}')
_END: Final = re.compile(r"\{\{-?\s*end\s*-?\}\}")
_VARIABLE: Final = re.compile(r"\$\{(\w+)\}")


class ComposeError(Exception):
    """The files make no services, and the message says why."""


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """One service as the files want it."""

    name: str
    launch_config: dict[str, object]
    """`imageUuid`, `labels` and `environment`, as the API shows them."""
    scale: int
    is_global: bool
    has_check: bool


def read_services(
    docker_compose: str | None, rancher_compose: str | None, answers: Mapping[str, str]
) -> list[ServicePlan]:
    """Return the services of two files; questions without an answer have their default.

    Raises:
        ComposeError: a file is no YAML, or a service has no image.

    """
    about = _load(rancher_compose or "")
    values = {**_defaults(about), **answers}
    services = _services(_load(_decide(docker_compose or "", values)))
    beside = _services(about)
    return [
        _plan(name, _filled(given, values), _filled(beside.get(name) or {}, values))
        for name, given in services.items()
    ]


def _plan(name: str, given: object, beside: object) -> ServicePlan:
    if not isinstance(given, dict) or not isinstance(given.get("image"), str):
        raise ComposeError(f"Service {name} has no image")
    more = beside if isinstance(beside, dict) else {}
    labels = given.get("labels") or {}
    config: dict[str, object] = {
        "imageUuid": f"docker:{given['image']}",
        "labels": labels,
        "environment": given.get("environment") or {},
    }
    return ServicePlan(
        name=name,
        launch_config=config,
        scale=int(more.get("scale", 1)),
        is_global=str(labels.get(GLOBAL, "")).lower() == "true",
        has_check=bool(more.get("health_check")),
    )


def _load(text: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ComposeError(f"Could not parse the compose file: {error}") from error
    if not isinstance(found, dict):
        raise ComposeError("Could not parse the compose file: it is no mapping")
    return found


def _services(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the services of a file, whether it is of version 1 or 2."""
    if str(document.get("version", "1")) != "1":
        return dict(document.get("services") or {})
    return {name: value for name, value in document.items() if name not in _NOT_SERVICES}


def _defaults(about: Mapping[str, Any]) -> dict[str, str]:
    catalog = about.get(".catalog") or about.get("catalog") or {}
    return {
        one["variable"]: str(one.get("default", ""))
        for one in catalog.get("questions", [])
        if "variable" in one
    }


def _decide(text: str, values: Mapping[str, str]) -> str:
    """Return a file without the parts whose condition is not met; no other template is read."""
    return "\n".join(_kept(text.splitlines(), values))


def _kept(lines: Iterable[str], values: Mapping[str, str]) -> Iterable[str]:
    keep = True
    for line in lines:
        condition = _CONDITION.search(line)
        if condition:
            keep = values.get(condition[1]) == condition[2]
        elif _END.search(line):
            keep = True
        elif keep:
            yield line


def _filled(value: object, values: Mapping[str, str]) -> object:
    """Return a part of a file with its variables replaced."""
    if isinstance(value, dict):
        return {key: _filled(one, values) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, values) for one in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: str(values.get(found[1], "")), value)
    return value
