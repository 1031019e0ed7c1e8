"""What Rancher is asked of hosts, and what it is to do with one: one method a call."""

from urllib.parse import quote

from corral.clients.rancher.answers import Answer, ContainerAnswer, HostAnswer
from corral.clients.rancher.paths import API, host_path, path_of
from corral.clients.rancher.transport import Transport
from corral.domain.hosts import Host
from corral.errors import RancherAnswerError, RancherGoneError


class HostCalls:
    """The calls about hosts; who has them brings the transport."""

    _transport: Transport

    def herd(self) -> list[Host]:
        """Return the hosts of all environments, to the last page; removed ones are left out.

        Only an administrator is shown all of them.

        Raises:
            RancherConflictError: The list moved while it was read, so that hosts may be missing.

        Source: Rancher v2-beta API, `GET /v2-beta/hosts`; cattle, account.type.admin settings.
        """
        return self._hosts(f"{API}/hosts")

    def hosts(self, project_id: str) -> list[Host]:
        """Return every host of one environment, to the last page; removed ones are left out.

        Source: Rancher v2-beta API, `GET /v2-beta/projects/{id}/hosts`.
        """
        hosts = self._hosts(f"{path_of('projects', project_id)}/hosts")
        return [host for host in hosts if host.project_id == project_id]

    def host(self, project_id: str, host_id: str) -> Host | None:
        """Return one host by its id, removed ones too; None if Rancher has no such row.

        Rows of removed hosts stay for two days.

        Source: cattle, defaults.properties (main_tables.purge.after.seconds).
        """
        path = host_path(project_id, host_id)
        try:
            host = self._transport.read(HostAnswer, path).plain()
        except RancherGoneError:
            return None
        if (host.id, host.project_id) != (host_id, project_id):
            raise RancherAnswerError(
                f"{self._transport.url}{path} is host {host.id} of environment {host.project_id}"
            )
        return host

    def act_on_host(self, project_id: str, host_id: str, action: str) -> None:
        """Have one action done to a host, in the scope of its environment.

        Raises:
            RancherConflictError: The host is not in a state for it.
            RancherGoneError: There is no such host.
        """
        path = f"{host_path(project_id, host_id)}?action={quote(action, safe='')}"
        self._transport.write(Answer, "POST", path)

    def is_busy(self, project_id: str, host_id: str) -> bool:
        """Say whether containers of users still run on a host.

        Raises:
            RancherGoneError: There is no such host.
        """
        path = f"{host_path(project_id, host_id)}/instances"
        containers = self._transport.read_all(ContainerAnswer, path)
        return any(container.keeps_busy for container in containers)

    def _hosts(self, path: str) -> list[Host]:
        rows = self._transport.read_all(HostAnswer, path, paged=True)
        return [row.plain() for row in rows if not row.is_removed]
