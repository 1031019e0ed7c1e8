"""Access control by GitHub: shut first, opened for those who are named once a person has come.

Rancher's own page does it the other way round and is open to everybody meanwhile. Closed first,
corral's key is the only way in: it exchanges the person's code without logging anybody in, and
makes that person an administrator by hand.

Source: rancher-auth-service, UpdateConfig; cattle, AbstractTokenUtil.isAllowed (required).
"""

import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from corral.clients.rancher.access import NotReadyError, Person
from corral.clients.rancher.set_up.guests import LOOKS, await_shut_door
from corral.clients.rancher.set_up.people import (
    People,
    find_ids,
    identities_of,
    look_up,
    people_secret,
    read_people,
    write_people,
)
from corral.clients.rancher.set_up.site import Site
from corral.clients.rancher.vault import admin_secret
from corral.cluster import GithubAccess
from corral.domain.set_up.access import (
    AccessFound,
    AccessMove,
    Application,
    next_access_move,
)
from corral.domain.set_up.identities import (
    Identity,
    identities_let_in,
    ids_by_identity,
    missing_sentence,
)
from corral.domain.set_up.steps import Did, Step
from corral.errors import CodeRefusedError, PrerequisiteError, RancherUnsettledError

NOBODY_NEW = "required"
STATE_BYTES = 12
MOST_TRIES = 2
"""How often one run takes the same step: what did not hold twice, holds later or never."""


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """What a person is asked for: a code from this page of GitHub, which hands `state` back."""

    url: str
    state: str


@dataclass(frozen=True, slots=True)
class GithubDoor:
    """Access control by GitHub of one Rancher, as the cluster file wants it.

    `others` are those whose ids are needed besides those who are let in.
    """

    site: Site
    access: GithubAccess
    others: tuple[Identity, ...] = ()

    @property
    def wanted(self) -> tuple[Identity, ...]:
        """Everybody whose id is needed."""
        return tuple(dict.fromkeys([*identities_let_in(self.access), *self.others]))

    def steps(self) -> Iterator[Step]:
        """Take every step that needs no person.

        Raises:
            PrerequisiteError: The cluster file, the secret or Rancher does not allow it.
            RancherUnsettledError: A step does not hold; servers disagree about it.
        """
        opened, taken = False, Counter[AccessMove]()
        while (move := self.next_move()) not in (AccessMove.KEEP, AccessMove.ASK_FOR_CODE):
            _check_tries(move, taken)
            yield self._take(move)
            opened = move is AccessMove.LET_IN
            remains = partial(self._remains, move)
            self.site.patience.wait(str(move), remains, passes=LOOKS)
            await_shut_door(self.site)
        if move is AccessMove.KEEP and not opened:
            yield Step("access control", Did.KEPT)

    def next_move(self) -> AccessMove:
        """Look, and return what is to be done next."""
        application, people = read_application(self.site, self.access), read_people(self.site)
        found = find_github_access(self.site, application, people)
        unknown = people.known(can_look_up=False).unknown(self.wanted)
        is_useful = found.is_by("github") and found.application_saved and bool(unknown)
        may = is_useful and bool(identities_of(self.site.administrator(), people))
        return next_access_move(self.access, found, people.known(can_look_up=may), self.others)

    def request(self) -> CodeRequest | None:
        """Return what a person is to be asked for; None if nobody has to come."""
        if self.next_move() is not AccessMove.ASK_FOR_CODE:
            return None
        state = secrets.token_hex(STATE_BYTES)
        application = read_application(self.site, self.access)
        return CodeRequest(application.authorize_url(state), state)

    def admit(self, code: str) -> Step:
        """Use up a person's code: learn who they are and who everybody else is.

        Raises:
            CodeRefusedError: Another code, or another person's, may do.
            PrerequisiteError: The secret is wrong, or GitHub does not know a name.
        """
        person = self._exchange(code)
        user = person.user
        if user is None:
            raise CodeRefusedError("GitHub does not say whose code this is: ask it for another.")
        own = ids_by_identity(person.identities)
        if not own.keys() & set(identities_let_in(self.access)):
            names = ", ".join(map(str, identities_let_in(self.access)))
            raise CodeRefusedError(
                f"{user.login} is in none of those whom the cluster file lets in ({names}), but"
                " would be made an administrator: a member of one of them has to come."
            )
        rancher = self.site.administrator()
        found = find_ids(rancher, person.access_token, person.identities, self.wanted)
        missing = [identity for identity in self.wanted if identity not in found]
        if missing:
            raise PrerequisiteError(missing_sentence(missing, user.login))
        people = replace(
            read_people(self.site),
            login=user.login,
            user_id=user.external_id,
            access_token=person.access_token,
            ids=found,
        )
        write_people(self.site, people)
        return Step(f"{user.login} of GitHub", Did.CREATED)

    def _exchange(self, code: str) -> Person:
        """Have Rancher show the code to GitHub; a server that is not ready yet is waited for."""
        rancher, met = self.site.administrator(), list[Person]()

        def show() -> list[str]:
            try:
                met.append(rancher.spend_code(code))
            except NotReadyError as error:
                return [str(error)]
            return []

        try:
            self.site.patience.wait("GitHub's answer to the code", show)
        except PrerequisiteError as error:
            raise PrerequisiteError(
                f"{error}: correct client_id and client_secret in the secret {self.access.secret}"
                " and run again."
            ) from None
        return met[0]

    def _take(self, move: AccessMove) -> Step:
        people, rancher = read_people(self.site), self.site.administrator()
        application = read_application(self.site, self.access)
        found = find_github_access(self.site, application, people)
        if move is AccessMove.SAVE_APPLICATION:
            kept = found if found.is_by("github") else AccessFound(enabled=True, provider="")
            rancher.save_github_access(application, kept.mode or NOBODY_NEW, kept.allowed)
            write_people(self.site, replace(people, application=application.fingerprint))
            is_new = kept is not found
            return Step("OAuth application of GitHub", Did.CREATED if is_new else Did.CHANGED)
        if move is AccessMove.LOOK_UP:
            look_up(self.site, people, people.known(can_look_up=True).unknown(self.wanted))
            return Step("names at GitHub", Did.CHANGED)
        if move is AccessMove.MAKE_ADMINISTRATOR:
            rancher.create_github_administrator(people.user_id, people.login)
            return Step(f"administrator {people.login}", Did.CREATED)
        allowed = [people.ids[identity] for identity in identities_let_in(self.access)]
        rancher.save_github_access(application, self.access.mode, allowed)
        return Step("access control", Did.CHANGED if found.allowed else Did.CREATED)

    def _remains(self, move: AccessMove) -> list[str]:
        """Say what is wrong while a step that was taken does not show."""
        return ["Rancher does not show it yet"] if self.next_move() is move else []


def read_application(site: Site, access: GithubAccess) -> Application:
    """Return the OAuth application.

    Raises:
        PrerequisiteError: The secret is missing, or lacks a value.
    """
    if access.secret in (admin_secret(site.cluster), people_secret(site.cluster)):
        raise PrerequisiteError(
            f"The secret {access.secret} is corral's own: keep the OAuth application in another."
        )
    kept = site.vault.read(access.secret) or {}
    lacking = [key for key in ("client_id", "client_secret") if not kept.get(key)]
    if lacking:
        raise PrerequisiteError(
            f"The secret {access.secret} has no {' and no '.join(lacking)}: make an OAuth"
            f" application at GitHub whose callback is {site.public_url}, and put both there."
        )
    return Application(kept["client_id"], kept["client_secret"], access.hostname)


def find_github_access(site: Site, application: Application, people: People) -> AccessFound:
    """Return access control as it is; of GitHub's only what GitHub's has."""
    found = find_access(site)
    if not found.is_by("github"):
        return found
    rancher = site.administrator()
    config = rancher.github_access()
    shown = config.github_config
    is_saved = people.application == application.fingerprint and (
        shown.client_id,
        shown.hostname,
    ) == (application.client_id, application.hostname or "")
    return replace(
        found,
        mode=config.access_mode,
        allowed=config.allowed,
        application_saved=is_saved,
        has_administrator=bool(rancher.github_administrators()),
    )


def find_access(site: Site) -> AccessFound:
    """Return whether access control is on, and whose it is."""
    rancher = site.first_administrator()
    return AccessFound(
        enabled=rancher.setting("api.security.enabled").effective == "true",
        provider=rancher.setting("api.auth.provider.configured").effective,
    )


def _check_tries(move: AccessMove, taken: Counter[AccessMove]) -> None:
    """Count a step that is about to be taken.

    Raises:
        RancherUnsettledError: It was taken often enough.
    """
    if taken[move] == MOST_TRIES:
        raise RancherUnsettledError(
            f"Rancher does not keep it: this run had {MOST_TRIES} times to {move}, and some server"
            " still answers as if it had not. Look whether all servers use the same database, and"
            " run again."
        )
    taken[move] += 1
