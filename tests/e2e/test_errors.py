"""Errors reach the driver as the exceptions that applications catch, and leave the connection usable."""

import pytest
from cassandra import AlreadyExists, ConsistencyLevel, InvalidRequest, Unavailable
from cassandra.protocol import ConfigurationException, SyntaxException
from cassandra.query import SimpleStatement

import cqlwire


@pytest.mark.parametrize('version', [3, 4, 5])
def test_exceptions_of_the_driver(driver, keyspace, version):
    session = driver(protocol_version=version)
    session.set_keyspace(keyspace)
    session.execute('CREATE TABLE t (k int PRIMARY KEY, v int)')
    for text, exception, words in (
            ('SELEC * FROM t', SyntaxException, "line 1:0"),
            ('SELECT * FROM nosuch', InvalidRequest, 'table nosuch does not exist'),
            ('SELECT nosuch FROM t', InvalidRequest, 'Undefined column name nosuch'),
            ('SELECT * FROM t WHERE v = 1', InvalidRequest, 'ALLOW FILTERING'),
            ("INSERT INTO t (k) VALUES ('x')", InvalidRequest, 'Invalid STRING constant'),
            ('CREATE TABLE t (k int PRIMARY KEY)', AlreadyExists, 't'),
            (f"CREATE KEYSPACE {keyspace} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}",
             AlreadyExists, keyspace),
            ('CREATE TABLE u (k int PRIMARY KEY) WITH gc_grace_seconds = -1', ConfigurationException, 'gc_grace_seconds')):
        with pytest.raises(exception) as e:
            session.execute(text)
        assert words in str(e.value), text
        assert session.execute('SELECT count(*) FROM t').one()[0] == 0


def test_unavailable(driver, keyspace):
    session = driver()
    session.set_keyspace(keyspace)
    session.execute('CREATE TABLE t (k int PRIMARY KEY)')
    session.execute(f"ALTER KEYSPACE {keyspace} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 3}}")
    for text in ('SELECT * FROM t', 'INSERT INTO t (k) VALUES (1)'):
        with pytest.raises(Exception) as e:
            session.execute(SimpleStatement(text, consistency_level=ConsistencyLevel.QUORUM))
        cause = e.value if isinstance(e.value, Unavailable) else list(e.value.errors.values())[0]
        assert (cause.required_replicas, cause.alive_replicas) == (2, 1)
        session.execute(SimpleStatement(text, consistency_level=ConsistencyLevel.ONE))


def test_deeply_nested_statements(server):
    """Depth is limited: an error, not the end of the stack."""
    c = server.connect(5)
    for text in ('SELECT ' + '(' * 100_000, 'SELECT ' + 'abs(' * 50_000 + '1' + ')' * 50_000 + ' FROM system.local',
                 'INSERT INTO system.local (key) VALUES (' + '[' * 100_000 + ']' * 100_000 + ')',
                 'INSERT INTO system.local (key) VALUES (' + '{1:' * 50_000 + '1' + '}' * 50_000 + ')',
                 'CREATE TABLE x.y (k ' + 'frozen<list<' * 30_000 + 'int' + '>>' * 30_000 + ' PRIMARY KEY)',
                 'SELECT ' + '-' * 50_001 + '1 FROM system.local', 'SELECT * FROM t WHERE ' + '(' * 60_000 + 'k=1' + ')' * 60_000,
                 'SELECT key ' + '+ 1 ' * 50_000 + 'FROM system.local', '/*' * 100_000, "'" * 100_001, '$$' * 50_001,
                 "CREATE TABLE x.y (k '" + 'org.apache.cassandra.db.marshal.ListType(' * 20_000 + ")' PRIMARY KEY)"):
        with pytest.raises(cqlwire.CqlError) as e:
            c.query(text)
        assert e.value.code in (0x2000, 0x2200, 0x0000), text[:50]
        assert len(e.value.message) < 70_000
    assert c.query("SELECT key FROM system.local WHERE key = 'local'").rows == [[b'local']]


def test_statements_of_many_parts(server, keyspace):
    c = server.connect(5)
    c.query(f'CREATE TABLE {keyspace}.t (k int PRIMARY KEY, v int, l list<int>)')
    c.query(f"INSERT INTO {keyspace}.t (k, l) VALUES (1, [{', '.join(map(str, range(20_000)))}])")
    r = c.query(f"SELECT k, l FROM {keyspace}.t WHERE k IN ({', '.join(map(str, range(2_000)))})")
    assert len(r.rows) == 1 and len(r.rows[0][1]) == 4 + 20_000 * 8
    for n in (65_536, 100_000):
        with pytest.raises(cqlwire.CqlError):
            c.prepare(f"SELECT k FROM {keyspace}.t WHERE k IN ({', '.join('?' * n)})")


def test_not_utf8(server):
    c = server.connect(5)
    for text in (b'SELECT \xff FROM t', b"SELECT * FROM system.local WHERE key = '\xc0\xaf'", b'\0', b'', b'SELECT\0* FROM t'):
        with pytest.raises(cqlwire.CqlError) as e:
            c.query(text)
        assert e.value.code in (0x2000, 0x2200, 0x000A), text
    assert c.query("SELECT key FROM system.local WHERE key = 'local'").rows == [[b'local']]


def test_statements_that_are_not_built_yet_say_so(server, keyspace):
    """Each statement of the grammar is known: done, or refused with a clear error, never a crash."""
    c = server.connect(5)
    c.query(f'CREATE TABLE {keyspace}.t (k int PRIMARY KEY, v int)')
    for text in ('CREATE INDEX ON {ks}.t (v)', 'DROP INDEX {ks}.i', 'CREATE ROLE r', 'LIST ROLES', 'LIST USERS',
                 "CREATE FUNCTION {ks}.f (a int) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS 'return a;'",
                 'DROP FUNCTION {ks}.f', 'CREATE AGGREGATE {ks}.a (int) SFUNC f STYPE int', 'DROP AGGREGATE {ks}.a',
                 "CREATE TRIGGER x ON {ks}.t USING 'x'", 'DROP TRIGGER x ON {ks}.t', 'DROP ROLE r', 'GRANT r TO s',
                 'CREATE MATERIALIZED VIEW {ks}.mv AS SELECT * FROM {ks}.t WHERE k IS NOT NULL AND v IS NOT NULL PRIMARY KEY (v, k)',
                 'DROP MATERIALIZED VIEW {ks}.mv', 'SELECT JSON * FROM {ks}.t', "INSERT INTO {ks}.t JSON '{{\"k\": 1}}'",
                 'INSERT INTO {ks}.t (k) VALUES (1) IF NOT EXISTS', 'UPDATE {ks}.t SET v = 1 WHERE k = 1 IF v = 2',
                 'DELETE FROM {ks}.t WHERE k = 1 IF EXISTS', 'GRANT SELECT ON {ks}.t TO r', 'LIST ALL PERMISSIONS',
                 "ADD IDENTITY 'x' TO ROLE r", 'CREATE USER u', "SELECT mask_default(v) FROM {ks}.t"):
        try:
            c.query(text.format(ks=keyspace))
        except cqlwire.CqlError as e:
            assert e.code in (0x2200, 0x2100, 0x0000, 0x2300, 0x2400), (text, e)
            assert e.message, text
    assert c.query("SELECT key FROM system.local WHERE key = 'local'").rows == [[b'local']]


def test_consistency_and_timeout_in_the_text(server, keyspace):
    """Our extension of CQL; Cassandra has no such clause."""
    if not server.controlled:
        pytest.skip('Cassandra has no USING CONSISTENCY')
    c = server.connect(5)
    c.query(f'CREATE TABLE {keyspace}.t (k int PRIMARY KEY, v int)')
    c.query(f'INSERT INTO {keyspace}.t (k, v) VALUES (1, 1) USING CONSISTENCY QUORUM AND TTL 1000 AND TIMEOUT 2s')
    c.query(f'UPDATE {keyspace}.t USING TIMEOUT 500ms AND CONSISTENCY LOCAL_QUORUM AND TIMESTAMP 9000000000000000 SET v = 2 WHERE k = 1')
    r = c.query(f'SELECT v, writetime(v) FROM {keyspace}.t WHERE k = 1 USING CONSISTENCY ONE AND TIMEOUT 2s')
    assert r.rows == [[b'\0\0\0\2', (9000000000000000).to_bytes(8, 'big')]]
    c.query(f'BEGIN BATCH USING CONSISTENCY ALL INSERT INTO {keyspace}.t (k) VALUES (5); APPLY BATCH')
    c.query(f'DELETE FROM {keyspace}.t USING CONSISTENCY QUORUM WHERE k = 5')
    with pytest.raises(cqlwire.CqlError):
        c.query(f'SELECT v FROM {keyspace}.t USING CONSISTENCY MANY')
    c.query(f"ALTER KEYSPACE {keyspace} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 3}}")
    for text in (f'SELECT v FROM {keyspace}.t USING CONSISTENCY QUORUM',
                 f'INSERT INTO {keyspace}.t (k) VALUES (2) USING CONSISTENCY QUORUM',
                 f'BEGIN BATCH USING CONSISTENCY QUORUM INSERT INTO {keyspace}.t (k) VALUES (5); APPLY BATCH'):
        with pytest.raises(cqlwire.CqlError) as e:
            c.query(text)
        assert e.value.code == 0x1000 and e.value.fields == dict(cl='QUORUM', required=2, alive=1), text
    c.query(f'SELECT v FROM {keyspace}.t USING CONSISTENCY ONE', cl='QUORUM')  # the text wins over the protocol
