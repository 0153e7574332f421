"""native_transport_max_concurrent_connections and ..._per_ip: those above are closed, those below are let in again."""

import socket
import time

import pytest

import cqlwire


def connect(node, source='127.0.0.1'):
    """A socket from that address, or None when the server closed it."""
    s = socket.create_connection((node.host, node.port), timeout=30, source_address=(source, 0))
    s.sendall(cqlwire.envelope(4, cqlwire.OP['OPTIONS']))
    try:
        if s.recv(1):
            return s
    except ConnectionError:
        pass
    s.close()
    return None


def connect_again(node, **where):
    """The server hears of a close when it reads: soon."""
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        s = connect(node, **where)
        if s:
            return s
        time.sleep(0.01)
    pytest.fail('a connection was closed, but no new one is let in')


def test_per_address(make_node):
    node = make_node('--native-transport-max-concurrent-connections-per-ip', '3')
    node.start()
    opened = [connect(node) for _ in range(3)]
    assert all(opened)
    assert connect(node) is None
    assert connect(node) is None
    other = [connect(node, source='127.0.0.2') for _ in range(3)]
    assert all(other)
    assert connect(node, source='127.0.0.2') is None
    opened.pop().close()
    opened.append(connect_again(node))
    assert connect(node) is None
    # Many addresses with nothing open are not kept for ever, and those in use are kept.
    for i in range(1200):
        s = connect(node, source=f'127.1.{i // 250}.{i % 250 + 1}')
        assert s
        s.close()
    assert connect(node) is None
    assert connect(node, source='127.0.0.2') is None
    for s in opened + other:
        s.close()


def test_in_total(make_node):
    node = make_node('--native-transport-max-concurrent-connections', '5')
    node.start()
    opened = [connect(node, source=f'127.0.0.{i + 1}') for i in range(5)]
    assert all(opened)
    assert connect(node) is None
    opened.pop().close()
    opened.append(connect_again(node))
    for s in opened:
        s.close()
