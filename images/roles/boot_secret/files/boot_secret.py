#!/opt/corral-node/bin/python3
"""Writes one field of a secret of Secrets Manager as an environment file that root alone may read.

The region is the one of /etc/corral/node.json, the right to read the machine's own role.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

NODE = Path("/etc/corral/node.json")
PATIENCE = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 6})


def read(secret: str, field: str) -> str:
    """Return the field's value; it has no line break, which an environment file could not hold."""
    region = json.loads(NODE.read_text())["region"]
    manager = boto3.client("secretsmanager", region_name=region, config=PATIENCE)
    value = json.loads(manager.get_secret_value(SecretId=secret)["SecretString"])[field]
    if not isinstance(value, str) or not value or len(value.split()) != 1:
        raise ValueError("it is no word")
    return value


def write(path: Path, line: str) -> None:
    """Write a file that only root may read, also while it is written."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(line)


def main() -> None:
    """Do it, or end with one sentence about what failed; never with a value."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("secret", "field", "variable", "to"):
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args()
    what = f"field {given.field} of secret {given.secret} was not read"
    try:
        value = read(given.secret, given.field)
    except (OSError, BotoCoreError, ClientError) as error:
        sys.exit(f"{what}: {error}")
    except (ValueError, KeyError, TypeError):
        sys.exit(f"{what}: the secret is no JSON, or has no such word in it")
    write(Path(given.to), f"{given.variable}={value}\n")


if __name__ == "__main__":
    main()
