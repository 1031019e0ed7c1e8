"""A stand-in for GitHub: OAuth for one application, and who is in which organisation and team."""

from lab.github.directory import CLIENT_ID, CLIENT_SECRET
from lab.github.hub import ENTERPRISE_HOST, GitHub, Reply, UnreachableError
from lab.github.web import application

__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "ENTERPRISE_HOST",
    "GitHub",
    "Reply",
    "UnreachableError",
    "application",
]
