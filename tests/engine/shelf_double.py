"""What lies beside the states, in a folder: keeps every version, as the bucket does."""

from dataclasses import dataclass
from pathlib import Path

from corral.clients.terraform import Watch


@dataclass
class FolderShelf:
    """Objects as folders of versions; the newest one counts, and an empty one is a removed one."""

    root: Path

    def read(self, key: str) -> tuple[str, str] | None:
        versions = self._versions(key)
        return (versions[-1].read_text(), versions[-1].name) if versions else None

    def write(self, key: str, text: str) -> None:
        folder = self.root / key
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{len(list(folder.iterdir())):06}").write_text(text)

    def remove(self, key: str, tag: str) -> None:
        (self.root / key / tag).write_text("")

    def _versions(self, key: str) -> list[Path]:
        folder = self.root / key
        every = sorted(folder.iterdir()) if folder.is_dir() else []
        return [path for path in every if path.read_text()]


def lonely_watch(folder: Path) -> Watch:
    """Return a watch of somebody who knows of nobody else, and writes into a folder."""
    return Watch(
        run="the-only-one",
        name="the-only-one",
        shelf=FolderShelf(folder),
        ended_at=lambda _: None,
        tell=lambda _: None,
        find=lambda _: None,
    )
