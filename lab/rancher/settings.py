"""Settings of a server: what its environment, the database and the packaged defaults say."""

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Final

DATABASE = "Database"
ENVIRONMENT = "Environment Variables"
DEFAULT_ENVIRONMENT = "Default Environment Variables"
PACKAGED = "Code Packaged Defaults"
"""cattle: ConfigConfig.java and the archaius sources' names"""

AGENT_IMAGE = "rancher/agent:v1.2.11"

DEFAULTS: Final[Mapping[str, str]] = {
    "access.log": "",
    "account.version": "2",
    "agent.disconnect.after.seconds": "180",
    "agent.ping.reconnect.after.failed.count": "6",
    "agent.ping.timeout.seconds": "15",
    "api.auth.jwt.token.expiry": "57600000",
    "api.host": "",
    "api.security.enabled": "false",
    "api.ui.index": "//releases.rancher.com/ui/1.6.52",
    "bootstrap.required.image": AGENT_IMAGE,
    "bootstrap.required.windows.image": "rancher/agent-windows:v0.2.0",
    "catalog.url": '{"catalogs":{"library":{"url":"https://git.rancher.io/rancher-catalog.git",'
    '"branch":"v1.6-release"}}}',
    "cattle.version": "v0.183.83",
    "cluster.checkin.misses": "3",
    "cluster.checkin.seconds": "5",
    "docker.register.command": "sudo docker run --rm --privileged %s"
    "-v /var/run/docker.sock:/var/run/docker.sock -v /var/lib/rancher:/var/lib/rancher %s %s",
    "docker.register.windows.command": 'docker run --rm -v "C:\\Program Files\\rancher:'
    'C:\\Program Files\\rancher" %s',
    "engine.install.url": "https://releases.rancher.com/install-docker/19.03.sh",
    "host.remove.delay.seconds": "-1",
    "host.remove.delay.startup.seconds": "900",
    "lb.instance.image": "rancher/lb-service-haproxy:v0.9.14",
    "main_tables.purge.after.seconds": "172800",
    "newest.docker.version": "v19.03.2",
    "object.remove.time.delay.seconds": "-600",
    "project.template.default.name": "Cattle",
    "rancher.cli.version": "v0.6.14",
    "rancher.compose.version": "v0.12.5",
    "registration.token.period.millis": "315360000000",
    "supported.docker.range": "~v1.12.3 || ~v1.13.0 || ~v17.03.0 || ~v17.06.0 || ~v17.09.0"
    " || ~v17.12.0 || ~v18.03.0 || ~v18.06.0 || ~v18.09.0 || ~v19.03.2",
    "task.agent.ping.schedule": "5",
    "telemetry.opt": "",
    "ui.show.custom.host": "true",
    "ui.show.system": "default_hide",
    "upgrade.manager": "mandatory",
    "vm.enabled": "false",
}
"""cattle: META-INF/cattle/*/defaults.properties (those of them that operators meet)"""

PUBLIC: Final = frozenset(
    {
        "account.version",
        "api.auth.local.validate.description",
        "api.auth.shibboleth.redirect.whitelist",
        "api.host",
        "api.ui.index",
        "catalog.url",
        "cattle.version",
        "docker.machine.version",
        "engine.install.url",
        "go.machine.service.version",
        "ipsec.service.enable.healthcheck",
        "lb.instance.image",
        "newest.docker.version",
        "project.template.default.name",
        "rancher.cli.darwin.url",
        "rancher.cli.linux.url",
        "rancher.cli.version",
        "rancher.cli.windows.url",
        "rancher.compose.darwin.url",
        "rancher.compose.linux.url",
        "rancher.compose.version",
        "rancher.compose.windows.url",
        "rancher.server.image",
        "rancher.server.version",
        "supported.docker.range",
        "swarm.tls.port",
        "telemetry.opt",
        "ui.feedback.form",
        "ui.show.custom.host",
        "ui.show.system",
        "vm.enabled",
    }
)
"""What others than admins may read.

cattle: api-server/defaults.properties (settings.public)
"""

SECRET: Final = frozenset(
    {
        "api.auth.azure.admin.password",
        "api.auth.github.client.secret",
        "api.auth.ldap.openldap.service.account.password",
        "api.auth.ldap.service.account.password",
    }
)
"""What nobody may read the value of.

cattle: SettingsFilter.java
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `value` is the database's if it is there, `active_value` what counts."""

    name: str
    value: str | None
    active_value: str | None
    source: str | None
    in_db: bool


def _from_environment(
    environment: Mapping[str, str], prefix: str, contains: str = ""
) -> dict[str, str]:
    """Return the settings that variables such as CATTLE_API_HOST give; a blank one gives none.

    A variable without the prefix is one of a longer name, so that HOME is the default of `home`.
    cattle: AbstractTransformedEnvironmentProperties.java
    """
    return {
        name.removeprefix(prefix).lower().replace("_", "."): value
        for name, value in environment.items()
        if contains in name and value.strip()
    }


class Settings:
    """The settings as one server sees them."""

    def __init__(
        self, database: MutableMapping[str, str], environment: Mapping[str, str], version: str
    ) -> None:
        self._database = database
        packaged = {
            **DEFAULTS,
            "rancher.server.image": version,
            "rancher.server.version": version,
        }
        self._sources: tuple[tuple[str, Mapping[str, str]], ...] = (
            (ENVIRONMENT, _from_environment(environment, "CATTLE_", "CATTLE")),
            (DATABASE, database),
            (DEFAULT_ENVIRONMENT, _from_environment(environment, "DEFAULT_CATTLE_")),
            (PACKAGED, packaged),
        )

    def get(self, name: str) -> str:
        """Return what counts, or nothing."""
        return self.look_up(name).active_value or ""

    def number(self, name: str) -> float:
        """Return a setting that is a number."""
        return float(self.get(name) or DEFAULTS[name])

    def is_on(self, name: str) -> bool:
        """Return a setting that is true or false."""
        return self.get(name).lower() == "true"

    def look_up(self, name: str) -> Setting:
        """Return a setting, of whatever name: one that nobody made has no value.

        cattle: SettingManager.getSettingByName
        """
        source, active = next(
            ((source, values[name]) for source, values in self._sources if name in values),
            (None, None),
        )
        in_db = name in self._database
        value = self._database[name] if in_db else active
        return Setting(name, value, active, source, in_db)

    def all(self) -> Iterator[Setting]:
        """Yield every setting that has a value, by name: those of the environment as well.

        cattle: SettingManager.getSettings
        """
        names = {name for _, values in self._sources for name in values}
        for name in sorted(names):
            yield self.look_up(name)

    def write(self, name: str, value: str | None) -> None:
        """Put a setting into the database."""
        self._database[name] = value or ""

    def reset(self, name: str) -> None:
        """Take a setting out of the database."""
        self._database.pop(name, None)
