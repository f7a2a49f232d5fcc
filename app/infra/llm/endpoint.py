"""Names the server that a model lives on."""

from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from core.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go.

    authority: host and port as the `Host` header has them.
    path: what stands before `/chat/completions`; no slash at its end.
    """

    host: str
    port: int
    is_tls: bool
    authority: str
    path: str

    def request(self, method: str, path: str, headers: dict[str, str]) -> bytes:
        """Return the head of a request, open for more headers: no blank line at its end."""
        lines = [f"{method} {self.path}{path} HTTP/1.1", f"host: {self.authority}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, ""]).encode("latin-1")


def read_endpoint(url: str, setting: str) -> Endpoint:
    """Return the endpoint of a URL. Raises `SettingsError` naming the setting it came from."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise SettingsError(f"{setting}: is not a URL") from None
    is_plain = url.isascii() and url.isprintable() and " " not in url.strip()
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
        raise SettingsError(f"{setting}: must be a URL like https://api.openai.com/v1")
    is_tls = parts.scheme == "https"
    return Endpoint(
        host=parts.hostname,
        port=port or (443 if is_tls else 80),
        is_tls=is_tls,
        authority=parts.netloc.rpartition("@")[2],
        path=parts.path.rstrip("/"),
    )


def needs_proxy(endpoint: Endpoint) -> bool:
    """Say whether `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` put a proxy before it."""
    proxies = getproxies()
    scheme = "https" if endpoint.is_tls else "http"
    if scheme not in proxies and "all" not in proxies:
        return False
    return not proxy_bypass(endpoint.authority)
