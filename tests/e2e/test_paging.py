"""Paging: every page size gives the same rows, whatever happens between pages."""

import pytest
from cassandra.query import SimpleStatement

import cqlwire


def fill(c, keyspace, partitions=7, rows=53):
    c.query(f'CREATE TABLE {keyspace}.t (p int, c int, v text, s text STATIC, PRIMARY KEY (p, c))')
    insert = c.prepare(f'INSERT INTO {keyspace}.t (p, c, v) VALUES (?, ?, ?)')
    for p in range(partitions):
        for i in range(rows):
            c.execute(insert, [p.to_bytes(4, 'big'), i.to_bytes(4, 'big'), b'v' * (i % 7)])
    c.query(f"INSERT INTO {keyspace}.t (p, s) VALUES (1, 'static')")
    c.query(f"INSERT INTO {keyspace}.t (p, s) VALUES (1000, 'only static')")
    c.query(f'DELETE FROM {keyspace}.t WHERE p = 2 AND c >= 10 AND c < 20')
    c.query(f'DELETE FROM {keyspace}.t WHERE p = 3 AND c = 52')
    c.query(f'DELETE FROM {keyspace}.t WHERE p = 4')


def all_pages(c, text, size, values=None, limit=100_000, state=None):
    rows, pages = [], 0
    while True:
        r = c.query(text, values, page_size=size, paging_state=state)
        assert len(r.rows) <= size
        rows += r.rows
        pages += 1
        assert pages < limit
        if r.paging_state is None:
            return rows
        state = r.paging_state


QUERIES = ('SELECT * FROM {}.t', 'SELECT p, c FROM {}.t WHERE p = 1', 'SELECT c FROM {}.t WHERE p = 2 ORDER BY c DESC',
           'SELECT * FROM {}.t LIMIT 100', 'SELECT p, c FROM {}.t PER PARTITION LIMIT 3', 'SELECT DISTINCT p, s FROM {}.t',
           'SELECT p, c FROM {}.t WHERE p IN (1, 2, 3)', 'SELECT c FROM {}.t WHERE p = 1 AND c IN (1, 5, 50, 60)',
           'SELECT c FROM {}.t WHERE p = 1 AND c > 10 AND c < 40', 'SELECT p, c FROM {}.t WHERE c > 40 ALLOW FILTERING',
           'SELECT p, c FROM {}.t WHERE token(p) > 0', "SELECT p, c FROM {}.t WHERE v = 'vv' LIMIT 20 ALLOW FILTERING",
           'SELECT p, c FROM {}.t WHERE p IN (1, 2, 3) PER PARTITION LIMIT 2 LIMIT 5', 'SELECT count(*) FROM {}.t')


@pytest.mark.parametrize('version', [3, 4, 5])
def test_every_page_size_gives_the_same_rows(server, keyspace, version):
    c = server.connect(version)
    fill(c, keyspace)
    for text in QUERIES:
        want = c.query(text.format(keyspace)).rows
        assert want
        for size in (1, 2, 3, 10, 52, 53, 54, 1000):
            assert all_pages(c, text.format(keyspace), size) == want, (text, size)


def test_paging_state_of_another_connection_and_version(server, keyspace):
    connections = [server.connect(v) for v in (5, 4, 5)]
    fill(connections[0], keyspace)
    text = f'SELECT p, c FROM {keyspace}.t'
    want = connections[0].query(text).rows
    rows, state, i = [], None, 0
    while True:
        r = connections[0 if i % 2 else 2].query(text, page_size=7, paging_state=state)
        rows, state, i = rows + r.rows, r.paging_state, i + 1
        if state is None:
            break
    assert rows == want


def test_paging_survives_schema_changes_and_writes(server, keyspace):
    c = server.connect(5)
    fill(c, keyspace)
    text = f'SELECT p, c FROM {keyspace}.t'
    want = c.query(text).rows
    first = c.query(text, page_size=20)
    c.query(f'ALTER TABLE {keyspace}.t ADD added int')
    c.query(f'ALTER TABLE {keyspace}.t DROP v')
    c.query(f'CREATE TABLE {keyspace}.other (k int PRIMARY KEY)')
    p, i = want[19]
    c.query(f'DELETE FROM {keyspace}.t WHERE p = ? AND c = ?', [p, i])  # the very row that the state names
    assert first.rows + all_pages(c, text, 20, state=first.paging_state) == want


def test_paging_survives_a_restart(make_node):
    node = make_node()
    node.start()
    c = node.connect(5)
    c.query("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    fill(c, 'ks')
    text = 'SELECT p, c, v, s FROM ks.t'
    want = c.query(text).rows
    rows, state = [], None
    for restart in (node.kill, node.terminate, node.kill):
        r = c.query(text, page_size=50, paging_state=state)
        rows, state = rows + r.rows, r.paging_state
        restart()
        node.start()
        c = node.connect(5)
    assert rows + all_pages(c, text, 50, state=state) == want


def test_hostile_paging_states(server, keyspace):
    """Whatever bytes come as paging state: an error or rows, never harm."""
    c = server.connect(5)
    fill(c, keyspace, 3, 10)
    text = f'SELECT p, c FROM {keyspace}.t'
    state = c.query(text, page_size=3).paging_state
    hostile = [b'', b'\0', b'\xff' * 8, b'x' * 100_000, state[:-1], state[1:], state + b'\0', state * 2]
    hostile += [state[:i] + bytes([state[i] ^ 0xff]) + state[i + 1:] for i in range(len(state))]
    for s in hostile:
        try:
            c.query(text, page_size=3, paging_state=s)
        except cqlwire.CqlError as e:
            assert e.code in (0x000A, 0x2200) or not server.controlled, e
    other = f'SELECT c FROM {keyspace}.t WHERE p = 1 ORDER BY c DESC'
    try:
        c.query(other, page_size=3, paging_state=state)
    except cqlwire.CqlError as e:
        assert e.code in (0x000A, 0x2200), e
    assert all_pages(c, text, 3) == c.query(text).rows


def test_negative_page_size(server, keyspace):
    c = server.connect(5)
    fill(c, keyspace, 2, 5)
    try:
        r = c.query(f'SELECT * FROM {keyspace}.t', page_size=-1)
        assert len(r.rows) >= 10
    except cqlwire.CqlError as e:
        assert e.code in (0x000A, 0x2200)


def test_driver_pages(cql):
    cql.execute('CREATE TABLE t (p int, c int, v text, PRIMARY KEY (p, c))')
    insert = cql.prepare('INSERT INTO t (p, c, v) VALUES (?, ?, ?)')
    futures = [cql.execute_async(insert, (i % 10, i, 'x' * 100)) for i in range(3000)]
    for f in futures:
        f.result()
    for size in (1, 7, 100, 5000):
        if size == 1:
            rows = list(cql.execute(SimpleStatement('SELECT p, c FROM t WHERE p = 3', fetch_size=size)))
            assert [r.c for r in rows] == list(range(3, 3000, 10))
        else:
            rows = list(cql.execute(SimpleStatement('SELECT p, c FROM t', fetch_size=size)))
            assert sorted((r.p, r.c) for r in rows) == sorted((i % 10, i) for i in range(3000))


def test_large_partition(server, keyspace, request):
    """A partition much larger than an answer may be is read in pages, forwards and backwards."""
    c = server.connect(5)
    c.query(f'CREATE TABLE {keyspace}.t (p int, c int, v blob, PRIMARY KEY (p, c))')
    insert = c.prepare(f'INSERT INTO {keyspace}.t (p, c, v) VALUES (1, ?, ?)')
    n = 20_000
    for start in range(0, n, 200):
        c.batch([(insert, [i.to_bytes(4, 'big'), bytes(100)]) for i in range(start, start + 200)], kind=1)
    for order, want in (('ASC', range(n)), ('DESC', range(n - 1, -1, -1))):
        rows = all_pages(c, f'SELECT c FROM {keyspace}.t WHERE p = 1 ORDER BY c {order}', 997)
        assert [int.from_bytes(r[0], 'big') for r in rows] == list(want)
    assert int.from_bytes(c.query(f'SELECT count(*) FROM {keyspace}.t WHERE p = 1').rows[0][0], 'big') == n
