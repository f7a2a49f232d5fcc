"""Starts the server: settings, logs, one process.

`main:app` is the same application for uvicorn's and gunicorn's command lines; each of their workers
is a node of its own.
"""

import asyncio
import sys

from app.logs import set_up_logs
from app.server import REFUSED, DrainingServer, HostedApplication, listen, server_config
from core.errors import SettingsError
from core.settings import Settings, load_settings


def main() -> int:
    """Serve until a signal comes. Returns the exit status; faults of set-up are one sentence."""
    try:
        return serve(load_settings())
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - for the person who started it
        return 2


def serve(settings: Settings) -> int:
    """Serve with these settings. Raises `SettingsError`."""
    set_up_logs(settings.log_level)
    # The port is taken before anything heavy is loaded: a port in use is told at once.
    listening = listen(settings)
    # Deferred for the same reason.
    from app.bootstrap.house import create_app

    app = create_app(settings)
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host

    def ready() -> None:
        print(f"Colloquy is ready: http://{shown}:{port}", flush=True)  # noqa: T201

    server = DrainingServer(server_config(app, settings), ready, app.drain)
    app.on_failure = server.stop
    loop_factory = server.config.get_loop_factory()
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(server.serve(sockets=[listening]))
    except KeyboardInterrupt:
        return 0
    return 0 if server.started and not server.failed else 1


def __getattr__(name: str) -> HostedApplication:
    """Make `app` when it is asked for: `python main.py` takes its port before it loads anything.

    Where the settings are wrong, the process ends with a sentence.
    """
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        app = hosted(load_settings())
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - for the person who started it
        sys.exit(REFUSED)
    # From now on it is found without being made.
    globals()[name] = app
    return app


def hosted(settings: Settings) -> HostedApplication:
    """Return the application for a server that somebody else starts."""
    set_up_logs(settings.log_level)
    from app.bootstrap.house import create_app

    return HostedApplication(create_app(settings), settings)


if __name__ == "__main__":
    sys.exit(main())
