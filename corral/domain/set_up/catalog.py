"""Templates of Rancher's catalogs: which version is meant, whether it fits, what it asks for."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from corral.domain.set_up.versions import fits, sort_key

SCHEME: Final = "catalog://"
ECR_TEMPLATE: Final = "library:infra*ecr"


@dataclass(frozen=True, slots=True)
class Question:
    """What a template asks whoever deploys it; `options` empty allows any answer."""

    variable: str
    default: str = ""
    is_required: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """One version of a template: whom it fits, what it asks, and what it is made of.

    `id` is as `library:infra*ecr:1`; `minimum` and `maximum` are versions of Rancher, "" is no
    limit; the two files are as the catalog holds them. `upgrade` is the id of the version that
    Rancher offers to whoever has this one, "" where there is none.
    """

    id: str
    version: str
    minimum: str = ""
    maximum: str = ""
    questions: tuple[Question, ...] = ()
    docker_compose: str = field(default="", repr=False)
    rancher_compose: str = field(default="", repr=False)
    upgrade: str = ""

    @property
    def external_id(self) -> str:
        """What a stack that is made of it carries."""
        return f"{SCHEME}{self.id}"


def newest(versions: Collection[str]) -> str | None:
    """Return the newest of some versions; None of none."""
    return max(versions, key=sort_key, default=None)


def say_missing_version(template: str, wanted: str, server: str, fitting: Collection[str]) -> str:
    """Return the fault of a version that its template does not have."""
    offered = ", ".join(sorted(fitting, key=sort_key)) or "none"
    return f"{template} has no version {wanted}; those that fit Rancher {server}: {offered}"


def find_misfit(template: str, version: TemplateVersion, server: str) -> str:
    """Return the fault of a version that does not fit the server; "" if it fits."""
    if fits(server, minimum=version.minimum, maximum=version.maximum):
        return ""
    limits = [("from", version.minimum), ("up to", version.maximum)]
    needed = " ".join(f"{word} {limit}" for word, limit in limits if limit)
    return f"{template} {version.version} is for Rancher {needed}, and this one is {server}"


def find_faults_of_answers(version: TemplateVersion, answers: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the answers, without quoting one: some are secret."""
    asked = {question.variable: question for question in version.questions}
    unknown = [
        f"{version.id} does not ask {name!r}; it asks: {', '.join(asked) or 'nothing'}"
        for name in answers
        if name not in asked
    ]
    lacking = [
        f"{version.id} needs an answer to {question.variable!r}"
        for question in version.questions
        if question.is_required and not (answers.get(question.variable) or question.default)
    ]
    wrong = [
        f"the answer to {name!r} of {version.id} is none of: {', '.join(asked[name].options)}"
        for name, answer in answers.items()
        if name in asked and asked[name].options and answer not in asked[name].options
    ]
    return [*unknown, *lacking, *wrong]


def fill_in(version: TemplateVersion, answers: Mapping[str, str]) -> dict[str, str]:
    """Return the answers to all questions; those that nobody answered keep their default."""
    return {question.variable: question.default for question in version.questions} | dict(answers)
