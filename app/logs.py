"""Sets structured logs up: one line an event, an event name and keys."""

import logging
import sys
import warnings

import structlog


def set_up_logs(level: str) -> None:
    """Let our logs and the libraries' go to standard error, from `level` up."""
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    # The access log writes query strings, and those can carry secrets.
    logging.getLogger("uvicorn.access").disabled = True
    for chatty in ("httpx", "httpcore", "openai", "alembic", "mcp", "uvicorn.error"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))
    # What it can't read it writes out whole, and that may be anything.
    logging.getLogger("mcp.client").setLevel(logging.CRITICAL)
    # A library of a library says this at every start; nothing here uses SOCKS.
    warnings.filterwarnings("ignore", message="SOCKS support in urllib3")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer()
            if sys.stderr.isatty()
            else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
