"""Run by test_scylla_driver.py in an environment of its own (.venv-scylla): ScyllaDB's Python driver against the node.

scylla_client.py HOST PORT KEYSPACE: exits 0 and prints what it saw, or fails.
"""

import decimal
import logging
import sys
import time
import uuid

from cassandra.cluster import Cluster
from cassandra.query import BatchStatement, SimpleStatement

logging.basicConfig(level=logging.WARNING)
host, port, keyspace = sys.argv[1], int(sys.argv[2]), sys.argv[3]

for version, compression in ((3, False), (4, True), (4, False)):
    cluster = Cluster([host], port=port, protocol_version=version, compression=compression, connect_timeout=30)
    session = cluster.connect(keyspace)
    session.default_timeout = 60
    table = f'scylla_{version}_{int(compression)}'
    session.execute(f'CREATE TABLE {table} (p int, c text, a bigint, d decimal, u uuid, m map<text, int>, s set<text>, '
                    'PRIMARY KEY (p, c))')
    assert table in cluster.metadata.keyspaces[keyspace].tables
    insert = session.prepare(f'INSERT INTO {table} (p, c, a, d, u, m, s) VALUES (?, ?, ?, ?, ?, ?, ?)')
    rows = {(p, str(c)): (p * 1000 + c, decimal.Decimal(c) / 8, uuid.UUID(int=c), {'x': c}, {'s', str(c)})
            for p in range(20) for c in range(50)}
    for f in [session.execute_async(insert, (*k, *v)) for k, v in rows.items()]:
        f.result()
    for size in (7, 100, 5000):
        got = {(r.p, r.c): (r.a, r.d, r.u, dict(r.m), set(r.s))
               for r in session.execute(SimpleStatement(f'SELECT * FROM {table}', fetch_size=size))}
        assert got == rows
    select = session.prepare(f'SELECT a FROM {table} WHERE p = ? AND c = ?')
    for k, v in list(rows.items())[::37]:
        assert session.execute(select, k).one().a == v[0]
    batch = BatchStatement()
    for c in range(10):
        batch.add(insert, (1000, str(c), c, None, None, {}, None))
    session.execute(batch)
    assert len(list(session.execute(f'SELECT c FROM {table} WHERE p = 1000'))) == 10
    try:
        session.execute('SELECT * FROM nosuch')
        raise AssertionError('no error')
    except Exception as e:
        assert 'nosuch' in str(e), e
    # its own queries carry USING TIMEOUT when it believes to speak to ScyllaDB
    session.execute(f"SELECT * FROM {table} USING TIMEOUT 2000ms") if len(sys.argv) > 4 else None
    time.sleep(0.5)
    pools = list(session._pools.values())
    shards = [len(getattr(p, '_connections', ())) for p in pools]
    sharding = [getattr(h, 'sharding_info', None) for h in cluster.metadata.all_hosts()]
    print(f'version {version}, compression {compression}: sharding {[(s.shards_count, s.shard_aware_port) for s in sharding if s]}, '
          f'connections {shards}')
    if len(sys.argv) > 4:
        assert sharding[0] and sharding[0].shards_count >= 1, 'the node announced no sharding'
        limit = time.monotonic() + 20
        while len(pools[0]._connections) < sharding[0].shards_count and time.monotonic() < limit:
            time.sleep(0.1)
        assert len(pools[0]._connections) == sharding[0].shards_count, 'the pool has not a connection for each shard'
    cluster.shutdown()
print('ok')
