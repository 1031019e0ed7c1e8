"""Errors as Rancher's API words them."""

from typing import Final

TEXTS: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method not allowed",
    409: "Conflict",
    422: "Unprocessable entity",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
"""Codes of errors that are a bare status.

gdapi: ResponseCodes.java
"""


class ApiError(Exception):
    """One call that is answered with an error object."""

    def __init__(
        self,
        status: int,
        code: str | None = None,
        message: str | None = None,
        *,
        detail: str | None = None,
        field: str | None = None,
    ) -> None:
        self.status = status
        self.code = code or TEXTS.get(status, "Error")
        self.message = message or (None if code else self.code)
        self.detail = detail
        self.field = field
        super().__init__(f"{status} {self.code}")

    def document(self, error_id: str) -> dict[str, object]:
        """Return the error object. Message and detail may be null.

        gdapi: ErrorImpl.java
        """
        document: dict[str, object] = {
            "id": error_id,
            "type": "error",
            "links": {},
            "actions": {},
            "status": self.status,
            "code": self.code,
            "message": self.message,
            "detail": self.detail,
        }
        if self.field is not None:
            document["fieldName"] = self.field
        return document


def not_found() -> ApiError:
    """Nothing has that address, or the caller may not know of it."""
    return ApiError(404)


def not_allowed() -> ApiError:
    """The verb is not in the schema for this caller, or not for the row's state."""
    return ApiError(405)


def conflict() -> ApiError:
    """The row's state does not permit the process (any more).

    cattle: AbstractJooqResourceManager.handleException
    """
    return ApiError(409)


def invalid(code: str, field: str) -> ApiError:
    """A field of the body is not as the schema says.

    gdapi: ValidationHandler.java
    """
    return ApiError(422, code, field=field)
