"""Which Host and Origin a request may name: DNS rebinding and other sites' pages are kept out."""

import ipaddress
import socket
from collections.abc import Iterable


def own_names(extra: Iterable[str] = ()) -> frozenset[str]:
    """Return the names of this machine, in lower case."""
    host = socket.gethostname().lower()
    bare = host.split(".")[0]
    return frozenset(
        {"localhost", "lifeecho.local", host, bare, f"{bare}.local", *(e.lower() for e in extra)}
    )


def host_allowed(host: str | None, local_address: str, names: frozenset[str]) -> bool:
    """Whether a Host header names this server.

    ``local_address`` is the address at which the connection arrived, so that every address of
    the machine is its own exactly where it is used.
    """
    name = host_name(host)
    if name is None:
        return False
    if name in names:
        return True
    try:
        address = ipaddress.ip_address(name)
        arrived = ipaddress.ip_address(local_address.partition("%")[0])
    except ValueError:
        return False
    return address == arrived or (address.is_loopback and arrived.is_loopback)


def origin_allowed(origin: str | None, host: str | None, scheme: str) -> bool:
    """Whether an Origin, if any, is the very address under which the server was asked."""
    return origin is None or (host is not None and origin.lower() == f"{scheme}://{host.lower()}")


def is_loopback(address: str) -> bool:
    """Whether this is an address that only this machine itself can come from or go to."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def host_name(host: str | None) -> str | None:
    """Return a Host header's name without its port, in lower case; None where it is no host."""
    if not host:
        return None
    host = host.strip().lower()
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        return name if bracket and _port(rest) else None
    name, colon, port = host.partition(":")
    return name.rstrip(".") if name and _port(colon + port) else None


def _port(rest: str) -> bool:
    return rest == "" or (rest.startswith(":") and rest[1:].isascii() and rest[1:].isdigit())
