"""This machine's environment in Rancher, with the keys that its secret holds."""

from collections.abc import Callable
from typing import TypeVar

from corral_node.config import JoinConfig
from corral_node.errors import RefusedError
from corral_node.rancher import Rancher
from corral_node.secrets import read_secret

KEYS = ("project_id", "access_key", "secret_key")
ALERTS = "alerts"

Found = TypeVar("Found")


class Environment:
    """Remembers keys for as long as Rancher takes them, and reads them again when it does not."""

    def __init__(self, config: JoinConfig) -> None:
        self._config = config
        self._known: Rancher | None = None
        self.alerts = ""
        """Apprise URLs, one a line, as the secret held them when it was read last."""

    def ask(self, look: Callable[[Rancher], Found]) -> Found:
        """Look at something in the environment and return what was found.

        Raises:
            NotYetError: The secret could not be read, or whatever the look raises.
        """
        rancher = self._rancher()
        try:
            return look(rancher)
        except RefusedError:
            self._known = None  # the secret may hold other keys by now
            rancher.close()
            raise

    def _rancher(self) -> Rancher:
        if self._known is None:
            secret = read_secret(self._config.region, self._config.secret_id, KEYS, (ALERTS,))
            self.alerts = secret.pop(ALERTS)
            self._known = Rancher(self._config.rancher_url, **secret)
        return self._known
