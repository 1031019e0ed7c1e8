"""AWS's error answers, in the form that each protocol's clients understand.

Source: botocore's parsers, which read exactly these forms, one a protocol.
"""

import json
import uuid
from http import HTTPStatus
from xml.sax.saxutils import escape

_CODES = {
    HTTPStatus.BAD_REQUEST: "ValidationError",
    HTTPStatus.FORBIDDEN: "AccessDenied",
    HTTPStatus.NOT_FOUND: "ResourceNotFound",
    HTTPStatus.CONFLICT: "Conflict",
    HTTPStatus.TOO_MANY_REQUESTS: "Throttling",
    HTTPStatus.INTERNAL_SERVER_ERROR: "InternalFailure",
    HTTPStatus.SERVICE_UNAVAILABLE: "ServiceUnavailable",
}
_EC2_CODES = {
    HTTPStatus.FORBIDDEN: "UnauthorizedOperation",
    HTTPStatus.TOO_MANY_REQUESTS: "RequestLimitExceeded",
    HTTPStatus.INTERNAL_SERVER_ERROR: "InternalError",
    HTTPStatus.SERVICE_UNAVAILABLE: "Unavailable",
}


def code_for(status: int, protocol: str) -> str:
    """Return the error code that goes with a status."""
    known = {**_CODES, **(_EC2_CODES if protocol == "ec2" else {})}
    code = known.get(HTTPStatus(status)) if status in set(HTTPStatus) else None
    if code is None:
        code = "InternalFailure" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "ClientError"
    return code + "Exception" if "json" in protocol else code


def error_body(service: str, protocol: str, status: int, code: str, message: str) -> bytes:
    """Return the body of an error answer of a service."""
    request_id = str(uuid.uuid4())
    if "json" in protocol:
        return json.dumps({"__type": code, "message": message}).encode()
    error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if protocol == "ec2":
        return (
            f"<Response><Errors><Error>{error}</Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        ).encode()
    if service == "s3":
        return f"<Error>{error}<RequestId>{request_id}</RequestId></Error>".encode()
    side = "Receiver" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "Sender"
    return (
        f"<ErrorResponse><Error><Type>{side}</Type>{error}</Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode()


def content_type(protocol: str) -> str:
    """Return the content type of a protocol's answers."""
    return "application/x-amz-json-1.1" if "json" in protocol else "text/xml"
