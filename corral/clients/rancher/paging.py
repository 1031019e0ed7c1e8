"""Long lists of Rancher's, read page by page so that no row is lost and none counts twice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from corral.clients.rancher.answers import N, Page
from corral.errors import RancherAnswerError, RancherConflictError

PAGE_SIZE: Final = 3000
"""The largest page that cattle gives; more is cut to this.

Source: cattle, ParseCollectionAttributes.java.
"""
OVERLAP: Final = 50
"""How many rows of a page are asked for again with the next one.

A page begins after so many rows, and rows leave the list while it is read: those behind them move
up, into the page that was read already. As long as the next page begins with a row that is known,
nothing was missed. Rows are in the order of their ids, so new ones only come at the end.

Source: cattle, AbstractJooqResourceManager.java (addSort, processPaginationResult).
"""


def read_pages(
    read: Callable[[Mapping[str, str]], Page[N]], where: str, *, paged: bool
) -> Iterator[N]:
    """Yield each row of a list once.

    Args:
        read: Returns one page, given the parameters that say which.
        where: The list, for messages.
        paged: Whether a page that does not say whether more follows is none.

    Raises:
        RancherConflictError: The list moved while it was read, so that rows may be missing.
        RancherAnswerError: The pages make no sense.
    """
    page = _checked(read({"limit": str(PAGE_SIZE)}), where, paged=paged)
    known: set[str] = set()
    yield from _new(page.data, known)
    place = 0
    while page.following is not None:
        if page.following <= place:
            raise RancherAnswerError(f"{where} pages in a circle")
        place = page.following
        overlap = min(OVERLAP, len(page.data) // 2)
        start = {"limit": str(PAGE_SIZE), "marker": f"m{place - overlap}"}
        page = _checked(read(start), where, paged=paged)
        if overlap and not (page.data and page.data[0].id in known):
            raise RancherConflictError(
                f"{where} moved by {overlap} rows or more while it was read: read it again"
            )
        yield from _new(page.data, known)


def _new(rows: Sequence[N], known: set[str]) -> Iterator[N]:
    """Yield the rows that are not known yet, and know them from now on."""
    for row in rows:
        if row.id not in known:
            known.add(row.id)
            yield row


def _checked(page: Page[N], where: str, *, paged: bool) -> Page[N]:
    if page.pagination is None and (paged or len(page.data) >= PAGE_SIZE):
        raise RancherAnswerError(
            f"{where} holds {len(page.data)} rows and does not say whether more follow"
        )
    return page
