import socket

import pytest

from tools.localcloud import ports


def test_localstack_s_own_port_is_taken_if_it_is_free_and_any_free_one_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        # It stands for 4566, which may be in use on this machine.
        monkeypatch.setattr(ports, "PREFERRED_PORT", port)
        chosen = ports.choose_port()
        assert chosen != port
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", chosen))
    assert ports.choose_port() == port
