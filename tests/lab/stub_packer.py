"""A stand-in for Packer that makes an image of EC2 at once, where a test is about what comes after.

Usage: stub_packer.py version | build -var-file=FILE ... TEMPLATE
"""

import json
import sys
from pathlib import Path
from typing import Any

import boto3


def main(argv: list[str]) -> int:
    if argv[0] == "version":
        sys.stdout.write("Packer v1.6.6\n")
        return 0
    option = next(word for word in argv if word.startswith("-var-file="))
    variables = json.loads(Path(option.partition("=")[2]).read_text())
    image = f"{variables['region']}:{_bake(variables)}"
    sys.stdout.write(f"1,amazon-ebs.node,artifact,0,id,{image}\n")
    return 0


def _bake(variables: dict[str, Any]) -> str:
    """Make an image of a machine that ends, as Packer does, and tag it at the end."""
    ec2 = boto3.client("ec2", region_name=variables["region"])
    made = ec2.run_instances(ImageId=variables["source_image"], MinCount=1, MaxCount=1)
    builder = made["Instances"][0]["InstanceId"]
    image = ec2.create_image(InstanceId=builder, Name=variables["image_name"])["ImageId"]
    ec2.terminate_instances(InstanceIds=[builder])
    tags = [{"Key": key, "Value": value} for key, value in variables["image_tags"].items()]
    ec2.create_tags(Resources=[image], Tags=tags)
    return str(image)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
