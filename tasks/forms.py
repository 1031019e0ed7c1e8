"""Forms of Prefect: what only a person can give, asked for while the run waits."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run
from prefect.states import Running
from pydantic import Field

from corral.clients.rancher.set_up import CodeRequest
from corral.cluster import ClusterSpec, GithubAccess
from corral.domain.plans import PlanSummary, Ruling
from corral.domain.set_up.identities import identities_let_in
from corral.errors import ApprovalNeededError, GateTimeoutError
from tasks import connect

POLL_S = 2

Form = TypeVar("Form", bound=RunInput)


class GithubCode(RunInput):
    """What a person brings from GitHub."""

    code: str = Field(
        title="Code",
        description="The address that GitHub sent the browser to, or the code in it.",
        min_length=1,
    )


class PlanApproval(RunInput):
    """What a person says to a plan."""

    approve: bool = Field(
        default=False,
        title="Approve",
        description="Whether the plan that is shown here may be applied.",
    )


@dataclass(frozen=True)
class Waiting:
    """What a form waits for."""

    what: str
    otherwise: str
    """What is the case if nobody comes."""


def ask_for_code(
    spec: ClusterSpec, access: GithubAccess, request: CodeRequest, refusal: str = ""
) -> str:
    """Pause the run until somebody fills in the form, and return what they entered.

    Args:
        spec: The cluster.
        access: Whom the cluster file lets in.
        request: The page of GitHub that gives a code.
        refusal: Why the code before this one did not do.

    Raises:
        GateTimeoutError: Nobody came.
    """
    get_run_logger().info("The run pauses until somebody brings a code from %s", request.url)
    form = GithubCode.with_initial_data(description=form_text(spec, access, request, refusal))
    waiting = Waiting(
        "A code of GitHub in the run's form",
        "nobody brought one: Rancher stays shut; run again when somebody is there",
    )
    return pause_with(form, "github", waiting).code


def ask_for_approval(key: str, changes: PlanSummary) -> None:
    """Pause the run until somebody has read what a plan would do, and agrees to it.

    Args:
        key: Of the stack's state, `lab/database`.
        changes: What the plan would do, judged.

    Raises:
        ApprovalNeededError: They do not agree.
        GateTimeoutError: Nobody came.
    """
    needed = changes.refusals(Ruling.NEEDS_APPROVAL)
    get_run_logger().info("The run pauses until somebody approves the plan of %s", key)
    form = PlanApproval.with_initial_data(description=approval_text(key, changes))
    waiting = Waiting(
        f"An approval of the plan of {key} in the run's form",
        "nobody gave one, nothing was changed; run again when somebody is there",
    )
    if not pause_with(form, "approval", waiting).approve:
        raise ApprovalNeededError(changes.stack, [*needed, "It was shown, and was not approved."])


def judge_name(name: str, confirm: str, ask_for_name: Callable[[], str], *, ask: bool) -> str:
    """Return why a name does not count as typed in full, as a sentence; "" if somebody typed it.

    Args:
        name: What is to be typed before something begins that cannot be taken back.
        confirm: What whoever started the run has typed already.
        ask_for_name: Pauses the run with a form, and returns what somebody typed into it.
        ask: Whether the run may pause with a form.

    Raises:
        GateTimeoutError: Nobody came to fill in the form.
    """
    if not confirm and not ask:
        return f"Nobody typed its name: pass confirm={name}, if that is wanted."
    typed = (confirm or ask_for_name()).strip()
    return "" if typed == name else f"`{typed}` was typed, and its name is `{name}`."


def pause_with(form: type[Form], kind: str, waiting: Waiting) -> Form:
    """Pause the run with a form until somebody fills it in, and return what they entered.

    The process stays and looks every few seconds; it goes on giving signs of life. Each form has a
    key of its own, so that a run that is retried asks anew and takes no answer that is used up.

    Raises:
        GateTimeoutError: Nobody came.
    """
    seconds = connect.settings().form_deadline_s
    try:
        return pause_flow_run(
            wait_for_input=form, timeout=seconds, poll_interval=POLL_S, key=f"{kind}-{uuid4()}"
        )
    except FlowPauseTimeout:
        _leave_pause()
        deadline = timedelta(seconds=seconds)
        raise GateTimeoutError(waiting.what, deadline, [waiting.otherwise]) from None


def _leave_pause() -> None:
    """Take the run out of its pause, or Prefect puts a sentence of its own in our error's place."""
    with get_client(sync_client=True) as client:
        state = client.read_flow_run(UUID(flow_run.id)).state
        if state and state.is_paused():
            client.set_flow_run_state(UUID(flow_run.id), Running(), force=True)


def approval_text(key: str, changes: PlanSummary) -> str:
    """Return what a person reads over the form of an approval, as Markdown."""
    minutes = connect.settings().form_deadline_s / 60
    return f"""The plan of **{key}** needs somebody's approval. If it is given, exactly this plan is
applied, unless the state moves on meanwhile: then the stack is planned anew, and what differs from
this is asked for again. The form waits for {minutes:.0f} minutes.

{changes.as_markdown()}"""


def form_text(
    spec: ClusterSpec, access: GithubAccess, request: CodeRequest, refusal: str = ""
) -> str:
    """Return what a person reads over the form, as Markdown."""
    let_in = ", ".join(map(str, identities_let_in(access)))
    minutes = connect.settings().form_deadline_s / 60
    again = f"**{refusal}**\n\n" if refusal else ""
    return f"""{again}Rancher of the cluster **{spec.name}** has GitHub's log-in, and waits for its
first person. Until then nobody can log in; nothing but corral's own key opens it.

1. Be logged in to GitHub as somebody who is in {let_in}, and in every team that the cluster file
   names. This account becomes an administrator of Rancher, and corral looks names up with it: an
   account for machines does as well.
2. Open [this page of GitHub]({request.url}) and press *Authorize*.
3. GitHub sends the browser to Rancher, with `?code=` in the address. Whatever the page shows, copy
   the whole address into this form, within ten minutes.

The form waits for {minutes:.0f} minutes. A code is used up by its use, so that it is harmless that
Prefect keeps it."""
