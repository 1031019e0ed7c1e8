"""A cluster of machines: the lab's AWS, balancer, Rancher, machines and sink of alerts together."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests
from aiohttp import web
from aws_lab import AwsLab, eventually
from machines_surroundings import JOIN, PAGERDUTY, RANCHER, SERVE, user_data

from lab import alerts
from lab.machines import Machines, Names, RancherImages
from lab.rancher import RancherCluster

DATABASE = "rancher-db.corral.test"


class Cluster:
    """One lab with everything on it that Terraform and the flow would have made."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lab = AwsLab(root, scale=20.0)
        self._sink = self.lab.run(self._take_alerts())
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
        self.serve()
        self.make_environment_key()
        self.host = self.launch_host()

    def serve(self) -> None:
        """Launch a control node, and wait until it answers behind the balancer."""
        self.server = self.launch(SERVE, "serve")
        targets = [{"Id": self.server, "Port": 8080}]
        self.client("elbv2").register_targets(TargetGroupArn=self.target_group, Targets=targets)
        eventually(self.answers_ping, 60)

    def launch_host(self) -> str:
        """Launch a host and see it join."""
        host = self.launch(JOIN, "join")
        eventually(lambda: "node ended with 0" in self.console(host), 40)
        return host

    def call(self, function: Callable[..., object], *arguments: object) -> object:
        """Call a function on the lab's loop."""

        async def on_loop() -> object:
            return function(*arguments)

        return self.lab.run(on_loop())

    def stop(self) -> None:
        # Whatever does not end in time, moto is put back: other tests of this process use it.
        with ExitStack() as stack:
            stack.callback(self.lab.stop)
            stack.callback(lambda: self.lab.run(self._sink.cleanup()))
            stack.callback(lambda: self.lab.run(self.machines.stop()))

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

    @property
    def rancher(self) -> RancherCluster:
        return self.images.clusters["lab-database"]

    def hosts(self) -> list[dict[str, Any]]:
        return self.rancher.stored_hosts()

    def row(self, instance_id: str) -> dict[str, Any]:
        """Return the host of a machine as Rancher stores it."""
        rows = [row for row in self.hosts() if row["labels"]["aws.instance_id"] == instance_id]
        assert len(rows) == 1
        return rows[0]

    def containers(self, host_id: str) -> list[str]:
        """Return the names of the containers of users that are on a host."""
        instances = self.call(lambda: list(self.rancher.store.instances))
        return sorted(
            one.name
            for one in instances
            if f"1h{one.host_id}" == host_id
            and not one.system
            and one.removed is None
            and one.name != "rancher-agent"
        )

    def alerts(self) -> list[dict[str, Any]]:
        """Return what people were told, in its order."""
        rows = self.lab.world.journal.rows()
        return [row["body"] for row in rows if row["target"] == "alerts"]

    async def _take_alerts(self) -> web.AppRunner:
        runner = web.AppRunner(alerts.application(self.lab.world), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        self.lab.world.alerts_url = f"http://{host}:{port}"
        return runner

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
                "alerts": PAGERDUTY,
            },
        )
