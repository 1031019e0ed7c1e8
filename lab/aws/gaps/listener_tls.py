"""A listener without TLS has no security policy.

moto: gives every listener `ELBSecurityPolicy-2016-08`.
AWS: only HTTPS and TLS listeners have one.
Why it matters: whoever reads the listeners would take an open one for an encrypted one.

Source: Elastic Load Balancing API reference, Listener.SslPolicy.
"""

from moto.elbv2.models import FakeListener

from lab.aws.moto_edge import patch

_WITH_TLS = ("HTTPS", "TLS")
_KEPT = "lab_ssl_policy"


def close() -> None:
    """Answer the policy only where there is something to encrypt."""

    def keep(self: FakeListener, policy: str | None) -> None:
        self.__dict__[_KEPT] = policy

    def look(self: FakeListener) -> str | None:
        return self.__dict__[_KEPT] if self.protocol in _WITH_TLS else None

    patch(FakeListener, "ssl_policy", property(look, keep))
