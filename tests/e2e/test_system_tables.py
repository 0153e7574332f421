"""What the node says about itself: queryable like any table."""

import uuid

import pytest

import cqlwire


def column(r, name):
    i = [c[2] for c in r.columns].index(name)
    return [row[i] for row in r.rows]


def test_local(server):
    c = server.connect()
    r = c.query("SELECT * FROM system.local WHERE key = 'local'")
    assert len(r.rows) == 1
    for name in ('cluster_name', 'partitioner', 'tokens', 'data_center', 'rack', 'host_id', 'release_version', 'schema_version',
                 'cql_version', 'native_protocol_version', 'rpc_address', 'rpc_port', 'broadcast_address', 'listen_address'):
        assert column(r, name)[0], name
    assert column(r, 'partitioner') == [b'org.apache.cassandra.dht.Murmur3Partitioner']
    assert column(r, 'bootstrapped') == [b'COMPLETED']
    assert int.from_bytes(column(r, 'rpc_port')[0], 'big') == server.port
    if server.controlled:
        assert column(r, 'release_version') == [b'5.0.0']
    host_id = uuid.UUID(bytes=column(r, 'host_id')[0])
    assert host_id.int
    assert c.query('SELECT host_id FROM system.local').rows[0][0] == host_id.bytes
    assert c.query('SELECT * FROM system.peers').rows == []
    assert c.query('SELECT * FROM system.peers_v2').rows == []


def test_schema_version_changes_with_the_schema(server, keyspace):
    c = server.connect()
    def version():
        return c.query('SELECT schema_version FROM system.local').rows[0][0]
    first = version()
    assert version() == first
    c.query(f'CREATE TABLE {keyspace}.t (k int PRIMARY KEY)')
    second = version()
    assert second != first
    c.query(f'INSERT INTO {keyspace}.t (k) VALUES (1)')
    assert version() == second


def test_host_id_and_schema_outlive_restarts(make_node):
    node = make_node()
    node.start()
    c = node.connect()
    c.query("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    c.query('CREATE TYPE ks.u (a int)')
    c.query("CREATE TABLE ks.t (p int, c text, v frozen<u>, PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c DESC) AND comment = 'x'")
    text = 'SELECT host_id, schema_version, tokens, cluster_name FROM system.local'
    before = c.query(text).rows, [r[3] for r in c.query('DESCRIBE KEYSPACE ks').rows]
    for restart in (node.kill, node.terminate):
        restart()
        node.start()
        c = node.connect()
        assert (c.query(text).rows, [r[3] for r in c.query('DESCRIBE KEYSPACE ks').rows]) == before


def test_schema_tables_are_tables(server, keyspace):
    c = server.connect()
    c.query(f'CREATE TABLE {keyspace}.a (k int, c int, v text, PRIMARY KEY (k, c))')
    c.query(f'CREATE TABLE {keyspace}.b (k int PRIMARY KEY)')
    q = f"FROM system_schema.columns WHERE keyspace_name = '{keyspace}'"
    want = [[b'a', b'c'], [b'a', b'k'], [b'a', b'v'], [b'b', b'k']]
    assert c.query(f'SELECT table_name, column_name {q}').rows == want
    assert c.query(f'SELECT table_name, column_name {q} LIMIT 2').rows == want[:2]
    assert c.query(f"SELECT table_name, column_name {q} AND table_name = 'a' AND column_name >= 'k'").rows == want[1:3]
    assert c.query(f'SELECT table_name, column_name {q} ORDER BY table_name DESC, column_name DESC').rows == want[::-1]
    assert c.query(f"SELECT column_name {q} AND kind = 'regular' ALLOW FILTERING").rows == [[b'v']]
    rows, state = [], None
    while True:
        r = c.query(f'SELECT table_name, column_name {q}', page_size=1, paging_state=state)
        rows, state = rows + r.rows, r.paging_state
        if state is None:
            break
    assert rows == want
    p = c.prepare('SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?')
    assert c.execute(p, [keyspace.encode()]).rows == [[b'a'], [b'b']]
    everything = c.query('SELECT keyspace_name, table_name FROM system_schema.tables').rows
    assert [b'system', b'local'] in everything and [keyspace.encode(), b'a'] in everything
    rows, state = [], None
    while True:
        r = c.query('SELECT keyspace_name, table_name FROM system_schema.tables', page_size=3, paging_state=state)
        rows, state = rows + r.rows, r.paging_state
        if state is None:
            break
    assert sorted(rows) == sorted(everything)


def test_virtual_tables(server):
    c = server.connect()
    keyspaces = column(c.query('SELECT keyspace_name FROM system_virtual_schema.keyspaces'), 'keyspace_name')
    assert b'system_views' in keyspaces and b'system_virtual_schema' in keyspaces
    tables = c.query("SELECT table_name FROM system_virtual_schema.tables WHERE keyspace_name = 'system_views'").rows
    assert [b'settings'] in tables and [b'clients'] in tables
    for [table] in tables:
        try:
            r = c.query(f'SELECT * FROM system_views.{table.decode()} LIMIT 3')
        except cqlwire.CqlError as e:
            assert table not in (b'settings', b'clients') and 'not implemented yet' in e.message, e
            continue
        described = c.query("SELECT column_name FROM system_virtual_schema.columns WHERE keyspace_name = 'system_views' "
                            f"AND table_name = '{table.decode()}'").rows
        assert sorted(x[2].encode() for x in r.columns) == sorted(d[0] for d in described), table
    settings = dict(c.query('SELECT name, value FROM system_views.settings').rows)
    assert settings[b'native_transport_port'] == str(server.port).encode()
    assert c.query("SELECT value FROM system_views.settings WHERE name = 'native_transport_port'").rows == [
        [str(server.port).encode()]]
    rows, state = [], None
    while True:
        r = c.query('SELECT name FROM system_views.settings', page_size=10, paging_state=state)
        rows, state = rows + r.rows, r.paging_state
        assert len(r.rows) <= 10 or not server.controlled  # Cassandra gives 11
        if state is None:
            break
    assert sorted(r[0] for r in rows) == sorted(settings)


def test_clients(server):
    c = cqlwire.Connection(server.host, server.port, 4, options={'DRIVER_NAME': 'a driver', 'DRIVER_VERSION': '1.2.3'})
    port = c.sock.getsockname()[1]
    c.query('SELECT key FROM system.local')
    r = c.query(f"SELECT * FROM system_views.clients WHERE address = '127.0.0.1' AND port = {port}")
    assert len(r.rows) == 1
    assert column(r, 'driver_name') == [b'a driver'] and column(r, 'driver_version') == [b'1.2.3']
    assert column(r, 'protocol_version') == [b'\0\0\0\4'] and column(r, 'connection_stage') == [b'ready']


@pytest.mark.parametrize('text', [
    'DROP TABLE system_views.settings', 'ALTER TABLE system_schema.tables ADD x int', 'DROP KEYSPACE system_schema',
    'CREATE TABLE system.x (k int PRIMARY KEY)', "UPDATE system_views.settings SET value = 'x' WHERE name = 'y'"])
def test_system_tables_are_not_for_users_to_change(server, text):
    c = server.connect()
    with pytest.raises(cqlwire.CqlError) as e:
        c.query(text)
    assert e.value.code in (0x2100, 0x2200)


def test_the_nodes_own_rows_are_not_for_users_to_write(make_node):
    """Where Cassandra lets a client ruin the node (it does), we refuse."""
    node = make_node()
    node.start()
    c = node.connect()
    for text in ("INSERT INTO system_schema.keyspaces (keyspace_name) VALUES ('x')", 'TRUNCATE system.local',
                 "DELETE FROM system.local WHERE key = 'local'", "UPDATE system.local SET rack = 'x' WHERE key = 'local'",
                 'TRUNCATE system_schema.tables', "INSERT INTO system.peers (peer) VALUES ('127.0.0.9')"):
        with pytest.raises(cqlwire.CqlError) as e:
            c.query(text)
        assert e.value.code in (0x2100, 0x2200), text
    assert c.query('SELECT key FROM system.local').rows == [[b'local']]
