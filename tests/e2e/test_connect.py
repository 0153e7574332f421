"""Connections: versions, compression, negotiation, prepared statements, events."""

import socket
import struct
import time

import pytest

import cqlwire


@pytest.mark.parametrize('version', [3, 4, 5])
@pytest.mark.parametrize('compression', [False, 'lz4', 'snappy'])
def test_driver_connects(driver, keyspace, version, compression):
    if version == 5 and compression == 'snappy':
        pytest.skip('version 5 has no snappy')
    session = driver(protocol_version=version, compression=compression)
    session.set_keyspace(keyspace)
    assert session.cluster.control_connection._connection.protocol_version == version
    compressor = session.cluster.control_connection._connection.compressor
    assert bool(compressor) == bool(compression)
    session.execute('CREATE TABLE t (k int PRIMARY KEY, v text)')
    text = 'compressible ' * 5000
    session.execute('INSERT INTO t (k, v) VALUES (%s, %s)', (1, text))
    assert session.execute('SELECT v FROM t WHERE k = 1').one().v == text
    prepared = session.prepare('INSERT INTO t (k, v) VALUES (?, ?)')
    for i in range(50):
        session.execute(prepared, (i, str(i)))
    rows = session.execute('SELECT k, v FROM t')
    assert sorted(r.k for r in rows) == list(range(50))


def test_driver_negotiates_the_version(driver):
    """The driver starts at 0x42 and steps down on the words of the error only."""
    session = driver(protocol_version=None)
    assert session.cluster.protocol_version == 5
    assert session.execute('SELECT release_version FROM system.local').one().release_version.startswith('5.0')


@pytest.mark.parametrize('version', [0, 7, 0x40, 0x41, 0x42, 0x7f])
def test_other_versions_are_refused_with_the_words_that_drivers_read(server, version):
    c = cqlwire.Connection(server.host, server.port, version, startup=False)
    c.send(cqlwire.OP['OPTIONS'], b'')
    answer = c.receive()
    assert answer[3] == cqlwire.OP['ERROR']
    code, = struct.unpack('>i', answer[4][:4])
    message = answer[4][6:].decode()
    assert code == 0x000A
    assert 'nvalid or unsupported protocol version (%d)' % version in message
    assert '3/v3, 4/v4, 5/v5' in message


def test_supported(server):
    for version in (3, 4, 5):
        c = cqlwire.Connection(server.host, server.port, version, startup=False)
        options = c.options()
        assert {'lz4', 'snappy'} <= set(options['COMPRESSION'])
        assert '5/v5' in options['PROTOCOL_VERSIONS']
        assert options['CQL_VERSION'] == ['3.4.7']
        c.close()


def test_startup_errors(server):
    def answer(options, version=4):
        c = cqlwire.Connection(server.host, server.port, version, startup=False)
        opcode, _, body = c.request(cqlwire.OP['STARTUP'], c.string_map(options))
        c.close()
        return opcode, cqlwire.Reader(body)

    for options in ({}, {'CQL_VERSION': '2.0.0'}, {'CQL_VERSION': 'x'}, {'CQL_VERSION': '3.0.0', 'COMPRESSION': 'zip'}):
        opcode, r = answer(options)
        assert opcode == cqlwire.OP['ERROR'], options
        assert r.int() in (0x000A, 0x2200), options
    opcode, r = answer({'CQL_VERSION': '3.0.0', 'COMPRESSION': 'snappy'}, 5)
    assert opcode == cqlwire.OP['ERROR']
    assert answer({'CQL_VERSION': '3.0.0', 'DRIVER_NAME': 'x', 'UNKNOWN_OPTION': 'y'})[0] == cqlwire.OP['READY']


def test_a_query_before_startup_is_refused(server):
    for version in (3, 4, 5):
        c = cqlwire.Connection(server.host, server.port, version, startup=False)
        opcode, _, body = c.request(cqlwire.OP['QUERY'], cqlwire.long_string('SELECT * FROM system.local') + b'\0\1\0\0\0\0')
        assert opcode == cqlwire.OP['ERROR']
        assert cqlwire.Reader(body).int() == 0x000A


def test_many_requests_in_flight_on_one_connection(server):
    """Answers carry the stream of their request, whatever the order."""
    for version in (4, 5):
        c = server.connect(version)
        body = cqlwire.long_string("SELECT key FROM system.local WHERE key = 'local'") + c.params(
            'ONE', None, None, 0, None, None, None, None, False)
        streams = list(range(1, 513)) + [32767]
        for stream in streams:
            c.send(cqlwire.OP['QUERY'], body, stream)
        seen = sorted(c.receive()[2] for _ in streams)
        assert seen == sorted(streams)
        c.close()


def test_version_5_packs_and_splits_envelopes(server):
    """Many envelopes in one frame, and one envelope in many frames, cut anywhere."""
    c = server.connect(5)
    one = cqlwire.envelope(5, cqlwire.OP['OPTIONS'], b'', 7)
    c.sock.sendall(cqlwire.frame_v5(one * 100))
    assert [c.receive()[2:4] for _ in range(100)] == [(7, cqlwire.OP['SUPPORTED'])] * 100
    text = 'SELECT key FROM system.local /* ' + 'x' * 400_000 + ' */'
    body = cqlwire.long_string(text) + c.params('ONE', None, None, 0, None, None, None, None, False)
    data = cqlwire.envelope(5, cqlwire.OP['QUERY'], body, 9)
    frames = b''.join(cqlwire.frame_v5(data[i:i + 100_001], False) for i in range(0, len(data), 100_001))
    for i in range(0, len(frames), 4093):
        c.sock.sendall(frames[i:i + 4093])
    answer = c.receive()
    assert answer[2:4] == (9, cqlwire.OP['RESULT'])
    c.close()


def test_bytes_that_arrive_one_by_one(server):
    c = cqlwire.Connection(server.host, server.port, 4, startup=False)
    data = cqlwire.envelope(4, cqlwire.OP['STARTUP'], c.string_map({'CQL_VERSION': '3.0.0'}))
    for i in range(len(data)):
        c.sock.sendall(data[i:i + 1])
    assert c.receive()[3] == cqlwire.OP['READY']


def test_prepared_statement_is_known_on_other_connections(server, keyspace):
    a, b = server.connect(5), server.connect(5)
    a.query(f'CREATE TABLE {keyspace}.t (k int PRIMARY KEY, v int)')
    p = a.prepare(f'INSERT INTO {keyspace}.t (k, v) VALUES (?, ?)')
    assert a.prepare(f'INSERT INTO {keyspace}.t (k, v) VALUES (?, ?)').query_id == p.query_id
    b.execute(p, [b'\0\0\0\1', b'\0\0\0\2'])
    assert a.query(f'SELECT * FROM {keyspace}.t').rows == [[b'\0\0\0\1', b'\0\0\0\2']]


def test_unknown_prepared_statement(server):
    c = server.connect(5)
    p = c.prepare('SELECT key FROM system.local')
    p.query_id = b'0123456789abcdef'
    with pytest.raises(cqlwire.CqlError) as e:
        c.execute(p)
    assert e.value.code == 0x2500
    assert e.value.fields['id'] == p.query_id.hex()


@pytest.mark.parametrize('version', [4, 5])
def test_result_metadata_follows_the_schema(server, keyspace, version):
    """After ALTER TABLE a statement is either unknown (prepare it again) or answers with the new columns."""
    c = server.connect(version)
    c.query(f'CREATE TABLE {keyspace}.t (k int PRIMARY KEY, v int)')
    c.query(f'INSERT INTO {keyspace}.t (k, v) VALUES (1, 2)')
    text = f'SELECT * FROM {keyspace}.t'
    p = c.prepare(text)
    first = c.execute(p, skip_metadata=True)
    assert [x[2] for x in first.columns] == ['k', 'v'] and first.no_metadata
    c.query(f'ALTER TABLE {keyspace}.t ADD w text')
    try:
        second = c.execute(p, skip_metadata=version == 5)
    except cqlwire.CqlError as e:
        assert e.code == 0x2500 and e.fields['id'] == p.query_id.hex()
        if version == 5:
            stale = p.metadata_id
            p = c.prepare(text)
            assert p.metadata_id != stale
            p.metadata_id = stale  # what a client does that prepared elsewhere: its idea of the columns is old
        else:
            p = c.prepare(text)
        second = c.execute(p, skip_metadata=version == 5)
    assert [x[2] for x in second.columns] == ['k', 'v', 'w']
    assert second.rows == [[b'\0\0\0\1', b'\0\0\0\2', None]]
    if version == 5:
        assert second.new_metadata_id and second.new_metadata_id != p.metadata_id and not second.no_metadata
        p.metadata_id, p.columns = second.new_metadata_id, second.columns
        third = c.execute(p, skip_metadata=True)
        assert third.no_metadata and third.rows == second.rows


def test_statement_prepared_on_a_dropped_table(server, keyspace):
    c = server.connect(5)
    c.query(f'CREATE TABLE {keyspace}.t (k int PRIMARY KEY)')
    p = c.prepare(f'SELECT * FROM {keyspace}.t')
    c.query(f'DROP TABLE {keyspace}.t')
    with pytest.raises(cqlwire.CqlError) as e:
        c.execute(p)
    assert e.value.code in (0x2500, 0x2200)
    c.query(f'CREATE TABLE {keyspace}.t (k text PRIMARY KEY)')
    c.query(f"INSERT INTO {keyspace}.t (k) VALUES ('x')")
    p = c.prepare(f'SELECT * FROM {keyspace}.t')
    assert c.execute(p).rows == [[b'x']]


def test_schema_events(server, keyspace):
    listener, other = server.connect(5), server.connect(4)
    listener.register('SCHEMA_CHANGE', 'STATUS_CHANGE', 'TOPOLOGY_CHANGE')
    q = other.query
    q(f'CREATE TYPE {keyspace}.u (a int)')
    q(f'CREATE TABLE {keyspace}.t (k int PRIMARY KEY)')
    q(f'ALTER TABLE {keyspace}.t ADD v int')
    q(f'DROP TABLE {keyspace}.t')
    q(f'ALTER TYPE {keyspace}.u ADD b int')
    q(f'DROP TYPE {keyspace}.u')
    q(f'ALTER KEYSPACE {keyspace} WITH durable_writes = false')
    want = [('SCHEMA_CHANGE', *x) for x in (
        ('CREATED', 'TYPE', keyspace, 'u'), ('CREATED', 'TABLE', keyspace, 't'), ('UPDATED', 'TABLE', keyspace, 't'),
        ('DROPPED', 'TABLE', keyspace, 't'), ('UPDATED', 'TYPE', keyspace, 'u'), ('DROPPED', 'TYPE', keyspace, 'u'),
        ('UPDATED', 'KEYSPACE', keyspace))]
    got = []
    while len(got) < len(want):
        opcode_event = listener.receive()
        assert opcode_event[2] == -1 and opcode_event[3] == cqlwire.OP['EVENT']
        event = listener.event(cqlwire.Reader(opcode_event[4]))
        if keyspace in event:
            got.append(event)
    assert got == want
    other.sock.settimeout(0.3)
    with pytest.raises((socket.timeout, TimeoutError)):
        other.receive()  # it registered for nothing


def test_driver_sees_schema_changes_of_others(driver, keyspace):
    a, b = driver(), driver()
    assert 'later' not in a.cluster.metadata.keyspaces[keyspace].tables
    b.execute(f'CREATE TABLE {keyspace}.later (k int PRIMARY KEY)')
    limit = time.monotonic() + 30
    while 'later' not in a.cluster.metadata.keyspaces[keyspace].tables:
        assert time.monotonic() < limit
        time.sleep(0.05)


def test_custom_payload_is_read_over(server):
    """A request may carry a payload that the server does not know."""
    c = server.connect(4)
    payload = struct.pack('>H', 1) + cqlwire.string('key') + cqlwire.value(b'value')
    body = cqlwire.long_string('SELECT key FROM system.local') + c.params('ONE', None, None, 0, None, None, None, None, False)
    c.send(cqlwire.OP['QUERY'], payload + body, 3, 0x04)
    assert c.receive()[2:4] == (3, cqlwire.OP['RESULT'])


def test_keyspace_of_a_request(server, keyspace):
    c = server.connect(5)
    c.query('CREATE TABLE t (k int PRIMARY KEY)', keyspace=keyspace)
    c.query('INSERT INTO t (k) VALUES (5)', keyspace=keyspace)
    p = c.prepare('SELECT k FROM t', keyspace=keyspace)
    assert c.execute(p).rows == [[b'\0\0\0\5']]
    with pytest.raises(cqlwire.CqlError) as e:
        c.query('SELECT * FROM t')
    assert e.value.code == 0x2200


def test_now_in_seconds_is_accepted(server, keyspace):
    """Version 5 lets a request say what time it is: expiry is judged by it."""
    c = server.connect(5)
    c.query(f'CREATE TABLE {keyspace}.t (k int PRIMARY KEY, v int)')
    c.query(f'INSERT INTO {keyspace}.t (k, v) VALUES (1, 1) USING TTL 1000')

    def rows_at(now_s):
        body = cqlwire.long_string(f'SELECT k FROM {keyspace}.t') + struct.pack('>HIi', 1, 0x100, now_s)
        return c.call(cqlwire.OP['QUERY'], body).rows

    assert rows_at(int(time.time())) == [[b'\0\0\0\1']]
    assert rows_at(int(time.time()) + 2000) == []
