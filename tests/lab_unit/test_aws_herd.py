"""Herds that are known to EC2 and never boot: read as if moto had written each instance."""

import pytest
from aws_lab import AwsLab, eventually

from lab.aws import SeededInstance
from lab.aws.gaps import herd_speed

PAGE = 50


def herd(prefix: str, size: int) -> list[SeededInstance]:
    return [
        SeededInstance(f"i-{prefix}{n:013x}", f"10.200.{n // 250}.{n % 250 + 2}", n % 10 != 9)
        for n in range(size)
    ]


def read(aws_lab: AwsLab, pool: str) -> list[dict]:
    pages = aws_lab.client("ec2").get_paginator("describe_instances")
    filters = [{"Name": "tag:Pool", "Values": [pool]}]
    return [
        {**instance, "reservation": reservation["ReservationId"]}
        for page in pages.paginate(Filters=filters)
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
    ]


def test_a_herd_is_read_as_moto_would_have_written_it(aws_lab, monkeypatch):
    aws_lab.aws.seed_herd(herd("aaaa", 30), {"Pool": "same", "Name": "a <herd> & more"})
    ec2 = aws_lab.client("ec2")
    ec2.create_tags(Resources=["i-aaaa0000000000003"], Tags=[{"Key": "Odd", "Value": "one"}])
    ec2.terminate_instances(InstanceIds=["i-aaaa0000000000004"])
    eventually(lambda: aws_lab.instance_state("i-aaaa0000000000004") == "terminated")
    ours = read(aws_lab, "same")

    monkeypatch.setattr(
        herd_speed, "_text", lambda one, context, _: herd_speed._written(one, context)
    )
    assert ours == read(aws_lab, "same")
    assert len({one["PrivateIpAddress"] for one in ours if "PrivateIpAddress" in one}) == 26


def test_a_large_herd_is_read_in_pages_and_two_instances_of_a_page_are_written(
    aws_lab, monkeypatch
):
    written = []

    def counted(reservation, context):
        written.append(reservation)
        return original(reservation, context)

    original = herd_speed._written
    monkeypatch.setattr(herd_speed, "_written", counted)
    monkeypatch.setattr(herd_speed, "_PAGE", PAGE)
    seeds = herd("bbbb", PAGE + 20)
    aws_lab.aws.seed_herd(seeds, {"Pool": "large"})

    assert [one["InstanceId"] for one in read(aws_lab, "large")] == [seed.id for seed in seeds]
    # the living and the dead of each of two pages; the dead differ by the second they died in
    assert 4 <= len(written) <= 8


def test_instances_that_are_asked_for_by_id_come_alone(aws_lab):
    seeds = herd("cccc", 5)
    aws_lab.aws.seed_herd(seeds, {"Pool": "asked"})
    ec2 = aws_lab.client("ec2")
    wanted = [seeds[3].id, seeds[1].id]

    found = ec2.describe_instances(InstanceIds=wanted)["Reservations"]
    assert [one["Instances"][0]["InstanceId"] for one in found] == sorted(wanted)
    with pytest.raises(ec2.exceptions.ClientError, match=r"i-0123456789abcdef0"):
        ec2.describe_instances(InstanceIds=[*wanted, "i-0123456789abcdef0"])


def test_each_instance_is_in_a_subnet_that_has_its_address(aws_lab):
    addresses = ["10.200.0.7", "10.201.255.250"]
    seeds = [SeededInstance(f"i-dddd{n:013x}", ip, alive=True) for n, ip in enumerate(addresses)]
    aws_lab.aws.seed_herd(seeds, {"Pool": "wide"})

    found = {one["PrivateIpAddress"]: one["SubnetId"] for one in read(aws_lab, "wide")}
    subnets = aws_lab.client("ec2").describe_subnets(SubnetIds=list(found.values()))["Subnets"]
    networks = {one["SubnetId"]: one["CidrBlock"] for one in subnets}
    assert {ip: networks[subnet] for ip, subnet in found.items()} == {
        "10.200.0.7": "10.200.0.0/16",
        "10.201.255.250": "10.201.0.0/16",
    }


def test_instances_of_others_are_known_apart_from_a_herd_whenever_they_come(aws_lab):
    aws_lab.aws.seed_herd(herd("eeee", 3), {"Pool": "before"})
    aws_lab.group("beside-a-herd", 1)
    members = eventually(lambda: aws_lab.members("beside-a-herd"))
    aws_lab.aws.seed_herd(herd("ffff", 3), {"Pool": "after"})

    assert [one.id for one in aws_lab.aws.instances()] == list(members)
