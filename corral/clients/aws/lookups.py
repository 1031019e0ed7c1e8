"""What must be there before a build: image, certificate, DNS zone."""

from dataclasses import dataclass

import boto3

from corral.clients.aws.calls import CONFIG, translated
from corral.errors import AmbiguousError, PrerequisiteError


@dataclass(frozen=True, slots=True)
class Image:
    """A machine image."""

    image_id: str
    name: str


def newest_image(session: boto3.Session, name: str) -> Image:
    """Return the newest available image of this account whose name matches.

    Args:
        session: Region and credentials.
        name: With `*` and `?` as wildcards.

    Raises:
        PrerequisiteError: None matches.

    """
    with translated("ec2"):
        answer = session.client("ec2", config=CONFIG).describe_images(
            Owners=["self"],
            Filters=[
                {"Name": "name", "Values": [name]},
                {"Name": "state", "Values": ["available"]},
            ],
        )
    images = sorted(answer["Images"], key=lambda image: image["CreationDate"])
    if not images:
        raise PrerequisiteError(
            f"No image of this account in {session.region_name} is named {name}:"
            " bake one first, or correct image_name in the cluster file."
        )
    return Image(images[-1]["ImageId"], images[-1]["Name"])


def issued_certificate(session: boto3.Session, domain: str) -> str:
    """Return the ARN of the issued certificate for a name; the one valid longest, of several.

    By the certificate's own name, as the control plane's stack finds it: a wildcard is not seen.

    Raises:
        PrerequisiteError: None is issued.

    """
    with translated("acm"):
        pages = session.client("acm", config=CONFIG).get_paginator("list_certificates")
        found = [
            certificate
            for page in pages.paginate(CertificateStatuses=["ISSUED"])
            for certificate in page["CertificateSummaryList"]
            if certificate["DomainName"] == domain
        ]
    if not found:
        raise PrerequisiteError(
            f"No issued certificate for {domain} in {session.region_name}: request one in ACM,"
            " or let corral make it with `certificate: create`."
        )
    best = max(found, key=lambda certificate: str(certificate.get("NotAfter", "")))
    return best["CertificateArn"]


def hosted_zone(session: boto3.Session, name: str) -> str:
    """Return the id of the public hosted zone of this name.

    Raises:
        PrerequisiteError: There is none.
        AmbiguousError: There are several, and only a human knows which one answers.

    """
    wanted = f"{name.rstrip('.')}."
    with translated("route53"):
        answer = session.client("route53", config=CONFIG).list_hosted_zones_by_name(DNSName=wanted)
    found = [
        zone["Id"].rsplit("/", maxsplit=1)[-1]
        for zone in answer["HostedZones"]
        if zone["Name"] == wanted and not zone.get("Config", {}).get("PrivateZone")
    ]
    if not found:
        raise PrerequisiteError(
            f"Route 53 has no public zone {name}: make it, or correct the zone in the cluster file."
        )
    if len(found) > 1:
        raise AmbiguousError(f"The public zone {name}", found)
    return found[0]
