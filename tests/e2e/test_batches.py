"""BATCH messages and statements through the driver and the wire."""

import pytest
from cassandra import InvalidRequest
from cassandra.query import BatchStatement, BatchType

import cqlwire


def test_batches_of_the_driver(cql):
    cql.execute('CREATE TABLE a (k int, c int, v text, PRIMARY KEY (k, c))')
    cql.execute('CREATE TABLE b (k int PRIMARY KEY, v int)')
    pa = cql.prepare('INSERT INTO a (k, c, v) VALUES (?, ?, ?)')
    pb = cql.prepare('UPDATE b SET v = ? WHERE k = ?')
    for kind in (BatchType.LOGGED, BatchType.UNLOGGED):
        batch = BatchStatement(kind)
        for i in range(20):
            batch.add(pa, (i % 3, i, 'v%d' % i))
            batch.add(pb, (i, i))
        batch.add('DELETE FROM a WHERE k = 0 AND c = 99')
        batch.add('INSERT INTO b (k, v) VALUES (%s, %s)', (100, 100))
        cql.execute(batch)
        assert {(r.k, r.c, r.v) for r in cql.execute('SELECT * FROM a')} == {(i % 3, i, 'v%d' % i) for i in range(20)}
        assert {(r.k, r.v) for r in cql.execute('SELECT * FROM b')} == {(i, i) for i in [*range(20), 100]}
        cql.execute('TRUNCATE a')
        cql.execute('TRUNCATE b')


def test_one_timestamp_for_a_batch(server, keyspace):
    c = server.connect(5)
    c.query(f'CREATE TABLE {keyspace}.t (k int PRIMARY KEY, v int)')
    c.batch([(f'INSERT INTO {keyspace}.t (k, v) VALUES (1, 1)', []), (f'INSERT INTO {keyspace}.t (k, v) VALUES (2, 2)', [])],
            timestamp=4242)
    rows = c.query(f'SELECT writetime(v) FROM {keyspace}.t').rows
    assert [int.from_bytes(r[0], 'big') for r in rows] == [4242, 4242]
    c.batch([(f'INSERT INTO {keyspace}.t (k, v) VALUES (3, 1)', []), (f'INSERT INTO {keyspace}.t (k, v) VALUES (4, 2)', [])])
    rows = c.query(f'SELECT writetime(v) FROM {keyspace}.t WHERE k IN (3, 4)').rows
    assert rows[0] == rows[1]


def test_batch_errors(server, keyspace):
    c = server.connect(5)
    c.query(f'CREATE TABLE {keyspace}.t (k int PRIMARY KEY, v int)')
    good = (f'INSERT INTO {keyspace}.t (k, v) VALUES (1, 1)', [])
    for bad, code in (((f'SELECT * FROM {keyspace}.t', []), 0x2200), (('TRUNCATE nosuch.t', []), 0x2200), (('garbage', []), 0x2000),
                      ((f'INSERT INTO {keyspace}.t (k, v) VALUES (?, ?)', [b'\0\0\0\1']), 0x2200),
                      ((f"INSERT INTO {keyspace}.t (k, v) VALUES ('x', 1)", []), 0x2200)):
        with pytest.raises(cqlwire.CqlError) as e:
            c.batch([good, bad])
        assert e.value.code == code, bad
    assert c.query(f'SELECT * FROM {keyspace}.t').rows == []
    assert c.batch([]).kind == 'void'
    assert c.batch([good] * 3).kind == 'void'
    body = b'\7\0\0\0\1\0\0\0\0'  # a type that is none
    opcode, _, answer = c.request(cqlwire.OP['BATCH'], body)
    assert opcode == cqlwire.OP['ERROR'] and cqlwire.Reader(answer).int() == 0x000A


def test_a_large_batch_is_warned_of_and_a_too_large_one_refused(server, keyspace):
    c = server.connect(5)
    c.query(f'CREATE TABLE {keyspace}.t (k int PRIMARY KEY, v blob)')
    p = c.prepare(f'INSERT INTO {keyspace}.t (k, v) VALUES (?, ?)')
    r = c.batch([(p, [i.to_bytes(4, 'big'), bytes(1000)]) for i in range(12)])
    assert any('exceeding specified threshold' in w for w in r.warnings), r.warnings
    with pytest.raises(cqlwire.CqlError) as e:
        c.batch([(p, [i.to_bytes(4, 'big'), bytes(1000)]) for i in range(100, 160)])
    assert e.value.code == 0x2200 and 'Batch too large' in e.value.message
    assert len(c.query(f'SELECT k FROM {keyspace}.t').rows) == 12


def test_batch_text(cql):
    cql.execute('CREATE TABLE t (k int PRIMARY KEY, v int)')
    cql.execute('BEGIN UNLOGGED BATCH INSERT INTO t (k, v) VALUES (1, 1); UPDATE t SET v = 2 WHERE k = 2; APPLY BATCH')
    assert {(r.k, r.v) for r in cql.execute('SELECT * FROM t')} == {(1, 1), (2, 2)}
    with pytest.raises(InvalidRequest):
        cql.execute('BEGIN BATCH INSERT INTO t (k, v) VALUES (3, 3); INSERT INTO nosuch (k) VALUES (1); APPLY BATCH')
    assert cql.execute('SELECT * FROM t WHERE k = 3').one() is None
