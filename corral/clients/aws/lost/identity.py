"""Finders of roles, of what machines wear of them, and of secrets: all have names of their own."""

import boto3

from corral.clients.aws.lost.shapes import Look, has_marks, open_client, tags_of
from corral.domain.adoption import Found, Wanted


def _role(session: boto3.Session, wanted: Wanted) -> Found | None:
    name = wanted.values["name"]
    role = open_client(session, "iam").get_role(RoleName=name)["Role"]
    return Found(name, is_ours=has_marks(wanted, tags_of(role.get("Tags", []))))


def _profile(session: boto3.Session, wanted: Wanted) -> Found | None:
    name = wanted.values["name"]
    client = open_client(session, "iam")
    profile = client.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    return Found(name, is_ours=has_marks(wanted, tags_of(profile.get("Tags", []))))


def _secret(session: boto3.Session, wanted: Wanted) -> Found | None:
    client = open_client(session, "secretsmanager")
    secret = client.describe_secret(SecretId=wanted.values["name"])
    if secret.get("DeletedDate"):
        return None
    return Found(secret["ARN"], is_ours=has_marks(wanted, tags_of(secret.get("Tags", []))))


FINDERS = {
    "aws_iam_instance_profile": Look("iam", _profile),
    "aws_iam_role": Look("iam", _role),
    "aws_secretsmanager_secret": Look("secretsmanager", _secret),
}
