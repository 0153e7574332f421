"""Bytes that no client would send: a protocol error or a closed connection, never harm to the server or to others.

Not for HELENUS_E2E_HOST: some of this ends a real Cassandra (it allocates what a hostile length says).
"""

import os
import random
import socket
import struct

import pytest

import cqlwire
from cqlwire import OP, envelope, frame_v5, string

pytestmark = pytest.mark.skipif('HELENUS_E2E_HOST' in os.environ, reason='it would harm the server that others use')
STARTUP = struct.pack('>H', 1) + string('CQL_VERSION') + string('3.0.0')
QUERY = cqlwire.long_string("SELECT key FROM system.local WHERE key = 'local'")


def opened(server, version, startup=True):
    c = cqlwire.Connection(server.host, server.port, version, startup=startup)
    c.sock.settimeout(20)
    return c


def outcome(c):
    """'error' with its code, 'closed', or 'answer'."""
    try:
        _, _, _, opcode, body = c.receive()
    except (ConnectionError, BrokenPipeError):
        return 'closed', None
    if opcode == OP['ERROR']:
        return 'error', struct.unpack('>i', body[:4])[0]
    return 'answer', opcode


def check_alive(server):
    c = opened(server, 5)
    assert c.query("SELECT key FROM system.local WHERE key = 'local'").rows == [[b'local']]
    c.close()


def send_and_end(c, data):
    """Sends bytes and says that no more will come; whatever the server does, it must do it now."""
    try:
        c.sock.sendall(data)
        c.sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.mark.parametrize('version', [3, 4])
@pytest.mark.parametrize('length', [-1, -2**31, 2**31 - 1, 257 << 20, 17 << 20])
def test_hostile_envelope_lengths(server, version, length):
    c = opened(server, version)
    send_and_end(c, struct.pack('>BBhBi', version, 0, 1, OP['QUERY'], length) + b'x' * 100)
    kind, code = outcome(c)
    assert kind in ('error', 'closed')
    assert code in (None, 0x000A, 0x2200)
    check_alive(server)


def test_hostile_lengths_before_startup(server):
    for version in (3, 4, 5):
        for length in (-1, 2**31 - 1, 100 << 20):
            c = opened(server, version, startup=False)
            send_and_end(c, struct.pack('>BBhBi', version, 0, 1, OP['STARTUP'], length) + b'x' * 100)
            assert outcome(c)[0] in ('error', 'closed')
    check_alive(server)


def test_garbage(server):
    rng = random.Random(5)
    for i in range(200):
        c = opened(server, 4, startup=False)
        send_and_end(c, rng.randbytes(rng.randint(1, 3000)))
        try:
            while c.sock.recv(1 << 16):
                pass
        except ConnectionError:
            pass
        c.close()
    for first in (b'GET / HTTP/1.1\r\nHost: x\r\n\r\n', b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', b'\0' * 10_000, b'\xff' * 10_000):
        c = opened(server, 4, startup=False)
        send_and_end(c, first)
        try:
            while c.sock.recv(1 << 16):
                pass
        except ConnectionError:
            pass
        c.close()
    check_alive(server)


def v5_cases():
    good = frame_v5(envelope(5, OP['OPTIONS'], b'', 1))
    for i in range(len(good)):
        yield f'byte {i} flipped', good[:i] + bytes([good[i] ^ 0x5a]) + good[i + 1:]
    yield 'empty payload', frame_v5(b'')
    yield 'half an envelope header, said to be whole', frame_v5(b'\5\0\0')
    yield 'envelope longer than its frame, said to be whole', frame_v5(envelope(5, OP['OPTIONS'], b'')[:-4] + b'\0\0\x10\0')
    yield 'trailing bytes', frame_v5(envelope(5, OP['OPTIONS'], b'', 1) + b'xyz')
    yield 'huge envelope', frame_v5(struct.pack('>BBhBi', 5, 0, 1, OP['QUERY'], 2**31 - 1) + b'x', False)
    yield 'negative envelope', frame_v5(struct.pack('>BBhBi', 5, 0, 1, OP['QUERY'], -5) + b'x')
    yield 'negative envelope in pieces', frame_v5(struct.pack('>BBhBi', 5, 0, 1, OP['QUERY'], -5) + b'x', False)
    yield 'wrong version inside', frame_v5(envelope(4, OP['OPTIONS'], b'', 1))
    yield 'unframed envelope', envelope(5, OP['OPTIONS'], b'', 1) * 3


@pytest.mark.parametrize('name', [n for n, _ in v5_cases()])
def test_broken_frames_of_version_5(server, name):
    data = dict(v5_cases())[name]
    c = opened(server, 5)
    send_and_end(c, data)
    try:
        kind, code = outcome(c)
        assert kind in ('closed', 'answer') or code == 0x000A, (kind, code)
        if 'flipped' in name:
            assert kind != 'answer', 'a damaged frame was believed'
    except (ValueError, struct.error):
        raise
    check_alive(server)


@pytest.mark.parametrize('version', [3, 4, 5])
def test_truncated_and_mutilated_bodies(server, version):
    """Every request body, cut at each byte and with each byte changed."""
    c = opened(server, version)
    p = c.prepare("SELECT key FROM system.local WHERE key = ?")
    params = c.params('ONE', [b'local', None], None, 10, b'state', 'SERIAL', 5, None, False)
    bodies = {
        'QUERY': QUERY + params, 'PREPARE': cqlwire.long_string('SELECT key FROM system.local') + (b'\0\0\0\0' if version == 5 else b''),
        'EXECUTE': string(p.query_id) + (string(p.metadata_id) if version == 5 else b'') + c.params(
            'ONE', [b'local'], None, 10, None, None, 5, None, True),
        'BATCH': b'\0\0\1\0' + cqlwire.long_string('DELETE FROM a.b WHERE c = 1') + b'\0\1\0\0\0\1x\0\1' + (
            b'\0\0\0\0' if version == 5 else b'\0'),
        'REGISTER': struct.pack('>H', 2) + string('SCHEMA_CHANGE') + string('STATUS_CHANGE'), 'STARTUP': STARTUP, 'OPTIONS': b'',
        'AUTH_RESPONSE': cqlwire.value(b'\0user\0password'),
    }
    rng = random.Random(version)
    for name, body in bodies.items():
        variants = [body[:i] for i in range(len(body))] + [body + b'x']
        variants += [body[:i] + bytes([rng.choice((0, 0x7f, 0x80, 0xff))]) + body[i + 1:] for i in range(len(body))]
        for variant in variants:
            try:
                c.send(OP[name], variant, 11)
                _, _, stream, opcode, answer = c.receive()
            except (ConnectionError, BrokenPipeError):
                c = opened(server, version)
                continue
            assert opcode in (OP['ERROR'], OP['RESULT'], OP['READY'], OP['SUPPORTED'])
            if name == 'STARTUP' or opcode == OP['READY'] and name == 'REGISTER':
                c.close()
                c = opened(server, version)
    check_alive(server)


@pytest.mark.parametrize('version', [3, 4, 5])
def test_unknown_opcodes_and_flags(server, version):
    for opcode in (0, 2, 3, 6, 8, 12, 0x0e, 0x10, 0x11, 0x42, 0xff):
        c = opened(server, version)
        c.send(opcode, b'', 5)
        assert outcome(c)[0] in ('error', 'closed')
        c.close()
    for flags in (0x08, 0x80, 0xf8):
        c = opened(server, version)
        c.send(OP['OPTIONS'], b'', 5, flags)
        assert outcome(c)[0] in ('error', 'closed', 'answer')
        c.close()
    c = opened(server, version)
    c.send(OP['QUERY'], QUERY + struct.pack('>HI' if version == 5 else '>HB', 1, 0xffffffff if version == 5 else 0xff), 5)
    assert outcome(c)[0] in ('error', 'closed')
    check_alive(server)


@pytest.mark.parametrize('version', [3, 4, 5])
@pytest.mark.parametrize('count', [0xffff, 0x8000])
def test_hostile_counts(server, version, count):
    """Counts that promise more than the body holds."""
    c = opened(server, version)
    flag = b'\0\0\0\1' if version == 5 else b'\1'
    for body, opcode in ((QUERY + b'\0\1' + flag + struct.pack('>H', count), 'QUERY'),
                         (b'\0' + struct.pack('>H', count), 'BATCH'), (struct.pack('>H', count), 'REGISTER'),
                         (QUERY + b'\0\1' + flag + struct.pack('>Hi', 1, 2**31 - 1), 'QUERY'),
                         (QUERY + b'\0\1' + flag + struct.pack('>Hi', 1, -3), 'QUERY'),
                         (struct.pack('>i', 2**31 - 1) + b'x', 'QUERY'), (struct.pack('>i', -1), 'QUERY'), (b'', 'QUERY')):
        c.send(OP[opcode], body, 6)
        kind, code = outcome(c)
        assert kind in ('error', 'closed'), body
        if kind == 'closed':
            c = opened(server, version)
    check_alive(server)


def test_compressed_bombs_and_rubbish(server):
    """Bodies that claim to be compressed: wrong lengths, rubbish, a claim of gigabytes."""
    import lz4.block
    bomb = lz4.block.compress(bytes(8 << 20), store_size=False)
    for version in (3, 4):
        for compression in ('lz4', 'snappy'):
            for body in (b'', b'\0', b'\xff' * 50, struct.pack('>i', 2**31 - 1) + b'\0', struct.pack('>i', -1) + b'\0',
                         struct.pack('>i', 5) + b'\x50abc', struct.pack('>i', 1 << 30) + bomb, struct.pack('>i', 10) + bomb,
                         b'\xff\xff\xff\xff\x07' + b'abc', b'\xff\xff\xff\x7f' + bytes(100)):
                c = cqlwire.Connection(server.host, server.port, version, options={'COMPRESSION': compression})
                c.sock.settimeout(20)
                c.send(OP['QUERY'], body, 4, 1)
                assert outcome(c)[0] in ('error', 'closed'), (compression, body[:10])
                c.close()
        c = opened(server, version)
        c.send(OP['QUERY'], b'\0\0\0\5abcde', 4, 1)  # compressed though nothing was agreed
        assert outcome(c)[0] in ('error', 'closed')
    check_alive(server)


def test_compressed_frames_of_version_5(server):
    import lz4.block

    def frame(payload, claimed=None, packed=None, self_contained=True):
        packed = lz4.block.compress(payload, store_size=False) if packed is None else packed
        header = (len(packed) | (len(payload) if claimed is None else claimed) << 17 | int(self_contained) << 34).to_bytes(5, 'little')
        return header + cqlwire.crc24(header).to_bytes(3, 'little') + packed + cqlwire.crc32(packed).to_bytes(4, 'little')

    request = envelope(5, OP['OPTIONS'], b'', 1)
    for name, data, good in (('good', frame(request), True), ('stored', frame(request, 0, request), True),
                             ('claims more', frame(request, 100_000), False), ('claims less', frame(request, 3), False),
                             ('rubbish', frame(request, None, b'\xff' * 30), False), ('bad header', b'\1' + frame(request)[1:], False),
                             ('bad payload', frame(request)[:-1] + b'x', False)):
        c = cqlwire.Connection(server.host, server.port, 5, options={'COMPRESSION': 'lz4'})
        c.sock.settimeout(20)
        send_and_end(c, data)
        answer = b''
        try:
            while part := c.sock.recv(1 << 16):
                answer += part
        except ConnectionError:
            pass
        assert (b'PROTOCOL_VERSIONS' in answer) == good, name
        c.close()
    check_alive(server)


def test_half_open_requests_do_not_hold_others(server):
    """Connections that stop in the middle of everything, while another one works."""
    stuck = []
    for data in (b'', b'\4', envelope(4, OP['STARTUP'], STARTUP)[:-1], envelope(4, OP['OPTIONS'])[:5]):
        for _ in range(20):
            c = opened(server, 4, startup=False)
            c.sock.sendall(data)
            stuck.append(c)
    for _ in range(20):
        c = opened(server, 5)
        c.sock.sendall(frame_v5(envelope(5, OP['QUERY'], QUERY + b'\0\1\0\0\0\0', 3))[:-3])
        stuck.append(c)
    for _ in range(50):
        check_alive(server)
    for c in stuck:
        c.close()
    check_alive(server)


def test_clients_that_vanish(server, keyspace):
    """Resets in the middle of requests and answers."""
    c = opened(server, 5)
    c.query(f'CREATE TABLE {keyspace}.t (k int, c int, v blob, PRIMARY KEY (k, c))')
    p = c.prepare(f'INSERT INTO {keyspace}.t (k, c, v) VALUES (1, ?, ?)')
    for i in range(100):
        c.execute(p, [i.to_bytes(4, 'big'), bytes(10_000)])
    for version in (4, 5):
        for _ in range(50):
            d = opened(server, version)
            for _ in range(5):
                d.send(OP['QUERY'], cqlwire.long_string(f'SELECT * FROM {keyspace}.t') + (
                    b'\0\1\0\0\0\0' if version == 5 else b'\0\1\0'), 3)
            d.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            d.close()
    check_alive(server)


def test_long_names_and_values(server, keyspace):
    c = opened(server, 5)
    for text in (f"CREATE TABLE {keyspace}.{'t' * 10_000} (k int PRIMARY KEY)", f"CREATE TABLE {keyspace}.t ({'c' * 100_000} int PRIMARY KEY)",
                 f"USE {'k' * 70_000}", f"SELECT {'f' * 70_000}(k) FROM {keyspace}.t", f"SELECT * FROM {'x' * 70_000}.{'y' * 70_000}",
                 'SELECT "' + 'q' * 1_000_000 + '" FROM system.local'):
        try:
            c.query(text)
        except cqlwire.CqlError as e:
            assert e.code in (0x2000, 0x2200, 0x2300), text[:60]
        except (ConnectionError, ValueError):
            assert not server.controlled
            c = opened(server, 5)
    check_alive(server)
