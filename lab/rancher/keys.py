"""API keys and passwords: credentials that people and programs call with."""

import secrets

from lab.rancher.bodies import Values
from lab.rancher.call import Call
from lab.rancher.managers import Manager
from lab.rancher.problems import invalid
from lab.rancher.rendering import Document
from lab.rancher.rows import Credential
from lab.rancher.schema.shape import ResourceType
from lab.rancher.states import REMOVED


def new_access_key() -> str:
    """Return a public value.

    cattle: ApiKeyCreate (20 hexadecimal digits)
    """
    return secrets.token_hex(10).upper()


def new_secret_key() -> str:
    """Return a secret value: 40 letters and digits."""
    alphabet = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    return "".join(secrets.choice(alphabet) for _ in range(40))


class CredentialManager(Manager[Credential]):
    """API keys and passwords of the API."""

    def __init__(self, kind: ResourceType) -> None:
        super().__init__(kind)

    def document(self, call: Call, row: Credential) -> Document:
        """Return a credential; its secret is null but in the answer to its creation."""
        document = super().document(call, row)
        document["secretValue"] = None
        return document

    def create(self, call: Call) -> tuple[int, Document]:
        """Make a credential and show its secret, this once.

        cattle: test_apikey.py (test_api_key_create)
        """
        status, document = super().create(call)
        row = self.find(call, str(document["id"]))
        document["secretValue"] = row.secret_value
        return status, document

    def make(self, call: Call, values: Values) -> Credential:
        """Make a credential; the keys are made up unless an admin gives them.

        cattle: test_apikey.py (test_api_key_422_on_identical_keys)
        """
        public_value = values.get("public_value") or new_access_key()
        if any(
            key.kind == self.kind.kind and key.state != REMOVED
            for key in call.cluster.store.credentials.where("public_value", public_value)
        ):
            raise invalid("NotUnique", "publicValue")
        secret_value = values.get("secret_value") or new_secret_key()
        owner = values.get("account_id")
        row = Credential(
            kind=self.kind.kind or self.kind.name,
            name=_text(values.get("name")),
            description=_text(values.get("description")),
            account_id=owner if isinstance(owner, int) else call.caller.account.id,
            public_value=str(public_value),
            secret_value=str(secret_value),
        )
        return self.store_new(call, row)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
