"""Whom Rancher lets in, asked so often that every server behind the balancer has its say."""

from collections.abc import Iterator, Sequence

from corral.clients.rancher.client import RancherClient
from corral.clients.rancher.set_up.site import Site

LOOKS = 3
"""How many looks in a row a step has to show in."""
QUESTIONS = 5
"""How often one thing is asked in a look: as often as there are servers at most, since each answers
by what it has read last, and the balancer asks them in turn."""


def await_shut_door(site: Site) -> None:
    """Wait until every server lets corral's own key in, and no stranger.

    Raises:
        GateTimeoutError: One did not in time.
    """
    site.patience.wait("access control", lambda: find_wrong_guests(site), passes=LOOKS)


def find_wrong_guests(site: Site) -> Sequence[str]:
    """Return what is wrong while a server lets strangers in, or keeps corral's own key out."""
    stranger, administrator = site.stranger(), site.administrator()
    wrong = ["it answers strangers"] if any(_ask(stranger)) else []
    return wrong if all(_ask(administrator)) else [*wrong, "it refuses corral's key"]


def _ask(guest: RancherClient) -> Iterator[bool]:
    """Ask whichever servers the balancer chooses whether they let somebody in."""
    return (guest.is_accepted() for _ in range(QUESTIONS))
