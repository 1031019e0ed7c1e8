"""Settings as resources: their id is their name."""

from lab.rancher.bodies import validated
from lab.rancher.call import Call
from lab.rancher.managers import CREATED, Manager
from lab.rancher.problems import invalid, not_found
from lab.rancher.rendering import Document, collection, readable_names
from lab.rancher.rows import Row
from lab.rancher.schema.shape import ResourceType
from lab.rancher.schema.system import SETTING
from lab.rancher.settings import PUBLIC, SECRET, Setting


class SettingManager(Manager[Row]):
    """Settings and active settings, which are the same.

    cattle: SettingManager.java
    """

    def __init__(self, kind: ResourceType) -> None:
        super().__init__(kind)

    def browse(self, call: Call) -> Document:
        """Answer all settings the caller may see. No filter works on them but `all=false`.

        cattle: SettingsFilter.java
        """
        everything = call.parameters.get("all", "").lower() != "false"
        found = [
            one
            for one in call.settings.all()
            if one.name in PUBLIC or (everything and self._may_see(call, one.name))
        ]
        return collection(call, self.kind, [self._document(call, one) for one in found])

    def read(self, call: Call, resource_id: str) -> Document:
        """Answer one setting; one that nobody made is there too, without a value."""
        if not self._may_see(call, resource_id):
            raise not_found()
        return self._document(call, call.settings.look_up(resource_id))

    def follow(self, call: Call, resource_id: str, link: str) -> Document:
        """Answer that a setting has no links."""
        del call, resource_id, link
        raise not_found()

    def create(self, call: Call) -> tuple[int, Document]:
        """Make a setting, or overwrite it."""
        values = validated(SETTING, call.caller.role, call.body, call.cluster.store, create=True)
        name = values.get("name")
        if not isinstance(name, str) or not name:
            raise invalid("MissingRequired", "name")
        return CREATED, self._write(call, name, values.get("value"))

    def update(self, call: Call, resource_id: str) -> Document:
        """Write a setting to the database, whether it counts there or not."""
        values = validated(SETTING, call.caller.role, call.body, call.cluster.store, create=False)
        if "value" not in values:
            return self.read(call, resource_id)
        return self._write(call, resource_id, values["value"])

    def delete(self, call: Call, resource_id: str) -> Document:
        """Take a setting out of the database; 404 if it is not there.

        cattle: SettingManager.removeFromStore
        """
        if not call.settings.look_up(resource_id).in_db:
            raise not_found()
        call.settings.reset(resource_id)
        return self.read(call, resource_id)

    def _write(self, call: Call, name: str, value: object) -> Document:
        call.settings.write(name, None if value is None else str(value))
        return self.read(call, name)

    @staticmethod
    def _may_see(call: Call, name: str) -> bool:
        return call.caller.sees_all or name in PUBLIC

    def _document(self, call: Call, setting: Setting) -> Document:
        readable = readable_names(self.kind.name, call.caller.role)
        hidden = setting.name in SECRET
        fields: Document = {
            "name": setting.name,
            "value": None if hidden else setting.value,
            "activeValue": None if hidden else setting.active_value,
            "source": setting.source,
            "inDb": setting.in_db,
        }
        return {
            "id": setting.name,
            "type": SETTING.name,
            "links": {"self": call.urls.resource("settings", setting.name)},
            "actions": {},
            **{name: value for name, value in fields.items() if name in readable},
        }
