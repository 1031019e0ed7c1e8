"""Control node and host as in a cluster: the lab's AWS, balancer, Rancher and machines together."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from aws_lab import AwsLab, eventually
from machines_surroundings import JOIN, RANCHER, SERVE, user_data

from lab.machines import Machines, Names, NoMachineError, RancherImages

DATABASE = "rancher-db.corral.test"


class Cluster:
    """One lab with everything on it that Terraform and the flow would have made."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lab = AwsLab(root, scale=30.0)
        self.names = Names(self.lab.world, self.lab.aws, self.lab.balancer, root / "tls")
        self.images = RancherImages(self.lab.world, self.lab.aws, self.names)
        self.machines = Machines(self.lab.world, self.lab.aws, self.names, self.images.on)
        self.lab.run(self.machines.start())
        self.vpc, self.subnets = self.lab.network()
        self.client("iam").create_instance_profile(InstanceProfileName="lab-node")
        self._make_database()
        self._make_balancer()

    def build(self) -> None:
        """Launch a control node, set Rancher up, launch a host and see it join."""
        self.server = self.launch(SERVE, "serve")
        targets = [{"Id": self.server, "Port": 8080}]
        self.client("elbv2").register_targets(TargetGroupArn=self.target_group, Targets=targets)
        eventually(self.answers_ping, 60)
        self.make_environment_key()
        self.host = self.launch(JOIN, "join")
        eventually(lambda: "node ended with 0" in self.console(self.host), 40)

    def call(self, function: Callable[..., object], *arguments: object) -> object:
        """Call a function on the lab's loop."""

        async def on_loop() -> object:
            return function(*arguments)

        return self.lab.run(on_loop())

    def stop(self) -> None:
        self.lab.run(self.machines.stop())
        self.lab.stop()

    def client(self, service: str) -> Any:
        return self.lab.client(service)

    def hold(self, name: str, value: dict[str, str]) -> None:
        self.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(value))

    def launch(self, config: dict, verb: str) -> str:
        ec2 = self.client("ec2")
        reservation = ec2.run_instances(
            ImageId=ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"],
            MinCount=1, MaxCount=1, InstanceType="m5.large", SubnetId=self.subnets[0],
            UserData=user_data(config, f"corral-{verb}.service"),
            IamInstanceProfile={"Name": "lab-node"},
        )  # fmt: skip
        return reservation["Instances"][0]["InstanceId"]

    def address(self, instance_id: str) -> str:
        return self.lab.aws.instance(instance_id).private_ip

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        return requests.request(method, self.lab.world.rancher_url + path, timeout=5, **options)

    def answers_ping(self) -> bool:
        return self.ask("GET", "/ping").text == "pong\n"

    def hosts(self) -> list[dict[str, Any]]:
        return self.images.clusters["lab-database"].stored_hosts()

    def console(self, instance_id: str) -> str:
        path = self.root / "machines" / instance_id
        return "\n".join(log.read_text() for log in sorted(path.glob("*.log")))

    def _name(self, name: str, target: str, **alias: Any) -> None:
        route53 = self.client("route53")
        zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
        record: dict[str, Any] = {"Name": name, "Type": "A" if alias else "CNAME"}
        record |= alias or {"TTL": 60, "ResourceRecords": [{"Value": target}]}
        change = {"Action": "UPSERT", "ResourceRecordSet": record}
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})

    def _make_database(self) -> None:
        rds = self.client("rds")
        rds.create_db_instance(
            DBInstanceIdentifier="lab-database", DBInstanceClass="db.t3.small", Engine="mysql",
            AllocatedStorage=20, DBName="cattle", MasterUsername="cattle",
            MasterUserPassword="pa55-database",
        )  # fmt: skip
        (database,) = self.lab.aws.databases()
        self._name(DATABASE, database.address)
        self.hold("lab/database", {"username": "cattle", "password": "pa55-database"})

    def _make_balancer(self) -> None:
        elb = self.client("elbv2")
        balancer = elb.create_load_balancer(Name="lab", Subnets=self.subnets)["LoadBalancers"][0]
        self.target_group = elb.create_target_group(
            Name="lab", Protocol="HTTP", Port=8080, VpcId=self.vpc, HealthCheckPath="/ping",
            HealthCheckIntervalSeconds=10, HealthCheckTimeoutSeconds=5,
            HealthyThresholdCount=2, UnhealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
        acm = self.client("acm").request_certificate(DomainName=RANCHER)["CertificateArn"]
        elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTPS", Port=443,
            Certificates=[{"CertificateArn": acm}],
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.target_group}],
        )  # fmt: skip
        target = {
            "HostedZoneId": balancer["CanonicalHostedZoneId"],
            "DNSName": balancer["DNSName"],
            "EvaluateTargetHealth": False,
        }
        self._name(RANCHER, "", AliasTarget=target)

    def make_environment_key(self) -> None:
        """Do what the flow does before hosts come: api.host, a key of the environment, a secret."""
        self.ask("PUT", "/v2-beta/settings/api.host", json={"value": f"https://{RANCHER}"})
        project = self.ask("GET", "/v2-beta/projects").json()["data"][0]["id"]
        key = self.ask("POST", "/v2-beta/apikeys", json={"accountId": project}).json()
        self.hold(
            "lab/environments/default",
            {
                "url": f"https://{RANCHER}",
                "project_id": project,
                "access_key": key["publicValue"],
                "secret_key": key["secretValue"],
            },
        )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One control node behind the balancer, and one host; the tests tell their story in order."""
    cluster = Cluster(tmp_path_factory.mktemp("whole"))
    try:
        cluster.build()
        yield cluster
    finally:
        cluster.stop()
    assert not psutil.Process().children(recursive=True)


def test_a_host_joined_the_server_that_another_machine_serves(cluster):
    row = cluster.hosts()[0]

    assert (
        row["labels"].items()
        >= {
            "role": "web",
            "env": "default",
            "aws.instance_id": cluster.host,
            "aws.account_id": "123456789012",
            "aws.region": "us-east-1",
        }.items()
    )
    assert row["agentIpAddress"] == cluster.address(cluster.host)


def test_the_same_host_is_back_after_a_stop(cluster):
    cluster.client("ec2").stop_instances(InstanceIds=[cluster.host])
    eventually(lambda: "power off" in cluster.console(cluster.host), 20)
    eventually(lambda: cluster.hosts()[0]["agentState"] == "reconnecting", 20)
    cluster.client("ec2").start_instances(InstanceIds=[cluster.host])

    eventually(lambda: cluster.hosts()[0]["agentState"] == "active", 20)
    assert [row["id"] for row in cluster.hosts()] == ["1h1"]
    eventually(lambda: cluster.console(cluster.host).count("node ended with 0") == 2, 20)


def test_a_partitioned_host_is_lost_and_found(cluster):
    cluster.call(cluster.machines.partition, cluster.host, 5.0)

    eventually(lambda: cluster.hosts()[0]["agentState"] == "reconnecting", 20)
    eventually(lambda: cluster.hosts()[0]["agentState"] == "active", 20)


def test_a_crashed_host_stays_behind_in_rancher(cluster):
    cluster.lab.run(cluster.machines.crash(cluster.host))
    cluster.call(cluster.lab.aws.crash, cluster.host)

    eventually(lambda: cluster.hosts()[0]["agentState"] == "disconnected", 40)
    assert cluster.hosts()[0]["removed"] is None
    with pytest.raises(NoMachineError, match="no machine is switched on"):
        cluster.call(cluster.machines.partition, cluster.host, 5.0)


def test_a_server_with_a_wrong_password_exits_and_is_started_again(cluster):
    secrets = cluster.client("secretsmanager")
    wrong = json.dumps({"username": "cattle", "password": "wr0ng"})
    secrets.create_secret(Name="lab/wrong", SecretString=wrong)
    database = {**SERVE["database"], "secret_id": "lab/wrong"}
    node = cluster.launch({**SERVE, "database": database}, "serve")
    eventually(lambda: "started from" in cluster.console(node), 30)
    server = cluster.machines.find(node).docker.find("rancher-server")

    eventually(lambda: server.restarts > 2, 20)
    assert server.log[0] == "STARTUP FAILED: Access denied for user 'cattle' (using password: YES)"
