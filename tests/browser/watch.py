"""Notes what must not happen on the page, whatever a test is about."""

from urllib.parse import urlsplit

from playwright.async_api import ConsoleMessage, Error, Page, Request, WebSocket


class Watch:
    """What went wrong in one tab: requests to strangers, broken policies, uncaught errors."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.faults: list[str] = []
        self._host = urlsplit(base_url).netloc
        page.on("request", self._see_request)
        page.on("websocket", self._see_socket)
        page.on("console", self._hear)
        page.on("pageerror", self._see_error)

    def _see_request(self, request: Request) -> None:
        self._check(request.url)

    def _see_socket(self, socket: WebSocket) -> None:
        self._check(socket.url)

    def _check(self, url: str) -> None:
        address = urlsplit(url)
        if address.scheme not in {"data", "blob"} and address.netloc != self._host:
            self.faults.append(f"asked a stranger: {url}")

    def _hear(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.faults.append(message.text)

    def _see_error(self, error: Error) -> None:
        self.faults.append(f"uncaught: {error.message}")
