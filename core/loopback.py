"""Knows the names by which a machine calls itself."""

from ipaddress import ip_address


def is_loopback(name: str) -> bool:
    """Return whether a host name or address, without brackets or port, is this machine's own."""
    if name.lower() == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def is_loopback_host(host: str) -> bool:
    """Return whether a Host header names this machine; the port does not matter."""
    if host.startswith("["):
        return is_loopback(host[1:].partition("]")[0])
    return is_loopback(host.partition(":")[0])
