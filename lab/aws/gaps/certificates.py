"""A certificate is issued when its validation records are found in DNS.

moto: issues every certificate a minute after it was asked for, whatever DNS says.
AWS: looks for the CNAME of each name and stays at `PENDING_VALIDATION` without them.
Why it matters: a stack that forgets the records would pass, and one that has them waits a minute.

Source: AWS Certificate Manager user guide, DNS validation.
"""

import math

from moto import settings
from moto.acm.models import CertBundle

from lab.aws.dns import alias_of
from lab.aws.moto_edge import Backends, patch


def close(backends: Backends) -> None:
    """Look into the account's zones before a certificate's state is told."""
    patch(settings, "ACM_VALIDATION_WAIT", math.inf)

    def check(self: CertBundle) -> None:
        original(self)
        if self.type != "AMAZON_ISSUED" or self.status != "PENDING_VALIDATION":
            return
        options = self.describe()["Certificate"]["DomainValidationOptions"]
        if all(alias_of(backends, option["ResourceRecord"]["Name"]) for option in options):
            self.status = "ISSUED"

    original = patch(CertBundle, "check", check)
