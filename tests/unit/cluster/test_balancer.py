"""The balancers' settings are the shipped ones, with the cluster's own addresses."""

from pathlib import Path

import pytest

from core.settings import Settings
from scripts.cluster import balancer as chosen
from scripts.cluster.balancer import Front, balancer
from scripts.cluster.part import ClusterError, Places

FRONT = Front("127.0.0.1", 9000, [9001, 9002], upload_bytes=5, silence_seconds=30)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """Folders, and a machine on which everything is installed."""
    monkeypatch.setattr(chosen, "_program", lambda name: f"/bin/{name}")
    places = Places(tmp_path)
    places.cluster.mkdir()
    return places


def test_nginx_gets_the_addresses_and_the_limits(places: Places) -> None:
    part = balancer(FRONT, places, "nginx")
    text = (places.cluster / "nginx" / "nginx.conf").read_text()

    assert part.command[0] == "/bin/nginx"
    assert "server 127.0.0.1:9001 max_fails=1 fail_timeout=2s;" in text
    assert text.count("server 127.0.0.1:") == 2
    assert "listen 127.0.0.1:9000 backlog" in text
    assert "client_max_body_size 5;" in text
    assert "proxy_read_timeout 30s;" in text
    assert "/tmp/" not in text


def test_haproxy_gets_the_addresses_and_the_limits(places: Places) -> None:
    balancer(FRONT, places, "haproxy")
    text = (places.cluster / "haproxy.cfg").read_text()

    assert text.count("server node-1 127.0.0.1:9001") == 2
    assert text.count("server node-") == 4
    assert "bind 127.0.0.1:9000 backlog" in text
    assert "body_size gt 5 " in text
    assert "timeout tunnel 30s" in text


def test_an_address_of_version_6_is_written_in_brackets() -> None:
    assert Front("::1", 9000, [], 0, 0).address == "[::1]:9000"


def test_the_limits_follow_the_settings() -> None:
    settings = Settings(_env_file=None, upload_max_bytes=2048, beat_seconds=10)
    front = Front.from_settings(settings, 9000, [9001])
    assert (front.upload_bytes, front.silence_seconds) == (2048 + 1024 * 1024, 30)


@pytest.mark.parametrize(
    ("here", "first"), [({"nginx", "haproxy"}, "nginx"), ({"haproxy"}, "haproxy"), (set(), "relay")]
)
def test_the_first_that_is_installed_is_taken(
    places: Places, monkeypatch: pytest.MonkeyPatch, here: set[str], first: str
) -> None:
    monkeypatch.setattr(chosen, "_program", lambda name: name if name in here else None)
    assert balancer(FRONT, places, "").name == first


@pytest.mark.parametrize(
    ("wanted", "says"), [("nginx", "apt-get install nginx"), ("caddy", "must be one of")]
)
def test_one_that_is_not_here_is_told_in_a_sentence(
    places: Places, monkeypatch: pytest.MonkeyPatch, wanted: str, says: str
) -> None:
    monkeypatch.setattr(chosen, "_program", lambda name: None)
    with pytest.raises(ClusterError, match=says):
        balancer(FRONT, places, wanted)
