"""Every type makes the round trip through the Python driver: bound, as literal, as key, at every protocol version."""

import datetime
import decimal
import ipaddress
import math
import random
import uuid

import pytest
from cassandra.util import Date, Duration, Time, OrderedMapSerializedKey, SortedSet

UTC = datetime.timezone.utc
D = decimal.Decimal


def utc(*args):
    return datetime.datetime(*args)


VALUES = {
    'ascii': ['', 'plain', "it's", '~' * 1000],
    'bigint': [0, 1, -1, 2**63 - 1, -2**63],
    'blob': [b'', b'\0', bytes(range(256)), b'x' * 100_000],
    'boolean': [True, False],
    'date': [Date('1970-01-01'), Date('2024-02-29'), Date(-1), Date(2**31 - 1), Date(-2**31)],
    'decimal': [D('0'), D('-0.00'), D('1.50'), D('-12345678901234567890.123456789'), D('1E+400'), D('1E-400')],
    'double': [0.0, -0.0, 1.5, -2.25e300, 5e-324, math.inf, -math.inf, math.nan],
    'duration': [Duration(0, 0, 0), Duration(1, 2, 3), Duration(-14, -3, -10**12), Duration(2**31 - 1, 2**31 - 1, 2**63 - 1)],
    'float': [0.0, 1.5, -0.25, math.inf, math.nan],
    'inet': ['127.0.0.1', '255.255.255.255', '::1', '2001:db8::ff00:42:8329'],
    'int': [0, 1, -1, 2**31 - 1, -2**31],
    'smallint': [0, -1, 2**15 - 1, -2**15],
    'text': ['', 'ascii', 'Ω≈ç√∫', '😀🏳️‍🌈', 'a\0b', 'line\nline', "quote ' and \" and $$", 'x' * 200_000],
    'time': [Time(0), Time('23:59:59.999999999'), Time(1)],
    'timestamp': [utc(1970, 1, 1), utc(1969, 12, 31, 23, 59, 59, 999000), utc(9999, 12, 31), utc(1, 1, 1),
                  utc(2024, 2, 29, 12, 30, 15, 123000)],
    'timeuuid': [uuid.UUID('e23f1e02-6f5f-11ee-b962-0242ac120002'), uuid.UUID('13814000-1dd2-11b2-8080-808080808080'),
                 uuid.UUID('ffffffff-ffff-1fff-bfff-ffffffffffff')],
    'tinyint': [0, -1, 127, -128],
    'uuid': [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1), uuid.UUID('550e8400-e29b-41d4-a716-446655440000')],
    'varint': [0, -1, 127, 128, -128, -129, 2**63, -2**63, 2**10_000, -2**10_000],
    'list<int>': [[1, 2, 3], [5, 5, 5], list(range(5000))],
    'set<text>': [{'b', 'a'}, {''}, {'Ω'}],
    'map<text, int>': [{'a': 1}, {'z': 1, 'a': 2, '': 3}],
    'frozen<list<frozen<map<int, text>>>>': [[], [{1: 'a'}, {}, {2: 'b', 1: 'c'}]],
    'map<int, frozen<set<uuid>>>': [{1: {uuid.UUID(int=1), uuid.UUID(int=2)}, -1: set()}],
    'tuple<int, text, frozen<list<int>>>': [(1, 'x', [1, 2]), (None, 'x', None), (1, None, [])],
    'vector<float, 3>': [[1.0, -2.5, 0.0]],
    'vector<text, 2>': [['a', 'longer text']],
    'vector<int, 4>': [[1, 2, 3, -4]],
    'set<inet>': [{'10.0.0.1', '::1'}],
    'list<duration>': [[Duration(1, 2, 3)]],
    'map<timeuuid, frozen<tuple<int, text>>>': [{uuid.UUID('e23f1e02-6f5f-11ee-b962-0242ac120002'): (1, 'a')}],
}
ORDERED = [t for t in VALUES if '<' not in t and t != 'duration'] + ['frozen<list<frozen<map<int, text>>>>', 'vector<int, 4>']


def plain(v):
    """A value as plain Python, so that what was sent and what came back compare."""
    if isinstance(v, float) and math.isnan(v):
        return 'NaN'
    if isinstance(v, (SortedSet, set, frozenset)):
        return sorted((plain(x) for x in v), key=repr)
    if isinstance(v, (dict, OrderedMapSerializedKey)):
        return sorted(((plain(k), plain(x)) for k, x in v.items()), key=repr)
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if isinstance(v, float):
        return repr(v)
    if isinstance(v, decimal.Decimal):
        return v.as_tuple() if v else abs(v).as_tuple()  # there is no negative zero in CQL
    if isinstance(v, str):
        try:
            return str(ipaddress.ip_address(v))
        except ValueError:
            return v
    return v


def plain_key(v):
    return v.normalize() if isinstance(v, decimal.Decimal) else plain(v)


def name_of(cql_type):
    return ''.join(c if c.isalnum() else '_' for c in cql_type)


@pytest.mark.parametrize('version', [3, 4, 5])
def test_bound_values(driver, keyspace, version):
    session = driver(protocol_version=version)
    session.set_keyspace(keyspace)
    for t, values in VALUES.items():
        if version == 3 and 'vector' in t:
            continue
        table = f'v_{name_of(t)}'
        session.execute(f'CREATE TABLE {table} (k int PRIMARY KEY, v {t})')
        insert = session.prepare(f'INSERT INTO {table} (k, v) VALUES (?, ?)')
        select = session.prepare(f'SELECT v FROM {table} WHERE k = ?')
        for i, v in enumerate([*values, None]):
            session.execute(insert, (i, v))
            got = session.execute(select, (i,)).one().v
            assert plain(got) == plain(v), (t, v if len(repr(v)) < 200 else '...')


@pytest.mark.parametrize('t', ORDERED)
def test_values_as_keys(cql, t):
    """As partition key and as clustering key, in both orders. A decimal key is kept by value: 1.50 comes back as 1.5."""
    plain = plain_key
    values = [v for v in VALUES[t] if not (t in ('text', 'blob') and len(v) > 60_000)]
    values = [v for v in values if not isinstance(v, decimal.Decimal) or v != 0 or str(v) == '0']
    cql.execute(f'CREATE TABLE pk (k {t} PRIMARY KEY, v int)')
    cql.execute(f'CREATE TABLE up (p int, c {t}, v int, PRIMARY KEY (p, c))')
    cql.execute(f'CREATE TABLE down (p int, c {t}, v int, PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c DESC)')
    for table, key in (('up', 'p, c'), ('down', 'p, c')):
        insert = cql.prepare(f'INSERT INTO {table} ({key}, v) VALUES (1, ?, ?)')
        select = cql.prepare(f'SELECT c, v FROM {table} WHERE p = 1 AND c = ?')
        for i, v in enumerate(values):
            cql.execute(insert, (v, i))
        for i, v in enumerate(values):
            row = cql.execute(select, (v,)).one()
            assert row is not None and row.v == i and plain(row.c) == plain(v), (table, v)
    up = [plain(r.c) for r in cql.execute('SELECT c FROM up WHERE p = 1')]
    down = [plain(r.c) for r in cql.execute('SELECT c FROM down WHERE p = 1')]
    assert len(up) == len(values) and down == up[::-1]
    assert [plain(r.c) for r in cql.execute('SELECT c FROM up WHERE p = 1 ORDER BY c DESC')] == down
    insert = cql.prepare('INSERT INTO pk (k, v) VALUES (?, ?)')
    select = cql.prepare('SELECT k, v FROM pk WHERE k = ?')
    for i, v in enumerate(values):
        if v in ('', b''):
            continue
        cql.execute(insert, (v, i))
        row = cql.execute(select, (v,)).one()
        assert row.v == i and plain(row.k) == plain(v)


def test_numbers_come_back_in_their_order(cql):
    """Random numbers of each numeric type come back in the order of mathematics."""
    rng = random.Random(1)
    makers = {
        'int': lambda: rng.randint(-2**31, 2**31 - 1) >> rng.randint(0, 31),
        'bigint': lambda: rng.randint(-2**63, 2**63 - 1) >> rng.randint(0, 63),
        'varint': lambda: rng.randint(-2**200, 2**200) >> rng.randint(0, 200),
        'double': lambda: rng.uniform(-1, 1) * 10.0 ** rng.randint(-300, 300),
        'decimal': lambda: D(rng.randint(-10**20, 10**20)) * D(10) ** rng.randint(-30, 30),
        'timestamp': lambda: utc(2000, 1, 1) + datetime.timedelta(seconds=rng.randint(-10**10, 10**10)),
        'text': lambda: ''.join(chr(rng.choice([97, 122, 0xe9, 0x3a9, 0x4e2d, 0x1f600])) for _ in range(rng.randint(0, 8))),
        'blob': lambda: bytes(rng.choice([0, 1, 127, 128, 255]) for _ in range(rng.randint(0, 6))),
    }
    for t, make in makers.items():
        values = {make() for _ in range(300)}
        cql.execute(f'CREATE TABLE n_{t} (p int, c {t}, d {t}, PRIMARY KEY (p, c, d)) WITH CLUSTERING ORDER BY (c ASC, d DESC)')
        insert = cql.prepare(f'INSERT INTO n_{t} (p, c, d) VALUES (1, ?, ?)')
        for v in values:
            cql.execute(insert, (v, v))
        key = (lambda v: v.encode()) if t == 'text' else None
        want = sorted(values, key=key)
        assert [r.c for r in cql.execute(f'SELECT c FROM n_{t} WHERE p = 1')] == want, t
        first, last = len(want) // 6, len(want) * 5 // 6
        slice_ = cql.prepare(f'SELECT c FROM n_{t} WHERE p = 1 AND c > ? AND c <= ?')
        assert [r.c for r in cql.execute(slice_, (want[first], want[last]))] == want[first + 1:last + 1], t
        assert [r.c for r in cql.execute(f'SELECT c FROM n_{t} WHERE p = 1 ORDER BY c DESC')] == want[::-1], t


def test_user_types(driver, keyspace):
    session = driver()
    session.set_keyspace(keyspace)
    session.execute('CREATE TYPE addr (street text, zip int, tags frozen<set<text>>)')
    session.execute('CREATE TABLE t (k int PRIMARY KEY, a addr, f frozen<addr>, l list<frozen<addr>>, m map<text, frozen<addr>>)')

    class Addr:
        def __init__(self, street, zip, tags, country=None):
            self.street, self.zip, self.tags = street, zip, tags

        def __eq__(self, other):
            return (self.street, self.zip, set(self.tags or ())) == (other.street, other.zip, set(other.tags or ()))

    session.cluster.register_user_type(keyspace, 'addr', Addr)
    a, b = Addr('Main', 5, {'x', 'y'}), Addr(None, 7, None)
    insert = session.prepare('INSERT INTO t (k, a, f, l, m) VALUES (?, ?, ?, ?, ?)')
    session.execute(insert, (1, a, b, [a, b], {'one': a}))
    row = session.execute('SELECT * FROM t WHERE k = 1').one()
    assert row.a == a and row.f == b and row.l == [a, b] and row.m['one'] == a
    session.execute('ALTER TYPE addr ADD country text')
    row = session.execute('SELECT a.zip AS zip, f FROM t WHERE k = 1').one()
    assert row.zip == 5


def test_literals_of_the_driver(cql):
    """Values that the driver writes into the text of a statement (a decimal not: it rounds it)."""
    for t in ('ascii', 'bigint', 'blob', 'boolean', 'date', 'double', 'inet', 'int', 'text', 'time', 'timestamp',
              'timeuuid', 'uuid', 'varint', 'list<int>', 'set<text>', 'map<text, int>'):
        cql.execute(f'CREATE TABLE l_{name_of(t)} (k int PRIMARY KEY, v {t})')
        for i, v in enumerate(VALUES[t]):
            if isinstance(v, float) and not math.isfinite(v):
                continue
            if t == 'date' and (v.days_from_epoch < -700_000 or v.days_from_epoch > 2_900_000):
                continue
            if t == 'timestamp' and v.year < 2:
                continue
            cql.execute(f'INSERT INTO l_{name_of(t)} (k, v) VALUES (%s, %s)', (i, v))
            got = cql.execute(f'SELECT v FROM l_{name_of(t)} WHERE k = {i}').one().v
            assert plain(got) == plain(v), (t, v)


def test_large_values(cql):
    cql.execute('CREATE TABLE big (k int, c int, v blob, PRIMARY KEY (k, c))')
    insert = cql.prepare('INSERT INTO big (k, c, v) VALUES (?, ?, ?)')
    rng = random.Random(2)
    values = {i: rng.randbytes(n) for i, n in enumerate((1, 1 << 16, (1 << 20) + 1, 8 << 20))}
    for c, v in values.items():
        cql.execute(insert, (1, c, v))
    for c, v in values.items():
        assert cql.execute(f'SELECT v FROM big WHERE k = 1 AND c = {c}').one().v == v
    assert [len(r.v) for r in cql.execute('SELECT v FROM big WHERE k = 1')] == [len(v) for v in values.values()]


def test_large_keys(cql):
    """Keys up to 65,535 bytes, alike for hundreds of bytes, in both orders."""
    cql.execute('CREATE TABLE pk (k text PRIMARY KEY, v int)')
    cql.execute('CREATE TABLE ck (k int, a text, b blob, v int, PRIMARY KEY (k, a, b)) WITH CLUSTERING ORDER BY (a DESC, b ASC)')
    keys = ['p' * 600 + x for x in ('', 'a', 'b', 'a' * 5000)] + ['q' * 65_535, 'q' * 65_000 + 'r']
    insert = cql.prepare('INSERT INTO pk (k, v) VALUES (?, ?)')
    select = cql.prepare('SELECT k, v FROM pk WHERE k = ?')
    for i, k in enumerate(keys):
        cql.execute(insert, (k, i))
    for i, k in enumerate(keys):
        row = cql.execute(select, (k,)).one()
        assert (row.k, row.v) == (k, i)
    assert {r.k for r in cql.execute('SELECT k FROM pk')} == set(keys)
    insert = cql.prepare('INSERT INTO ck (k, a, b, v) VALUES (1, ?, ?, ?)')
    select = cql.prepare('SELECT a, b, v FROM ck WHERE k = 1 AND a = ? AND b = ?')
    rows = [(a, b) for a in [*keys[:4], 'q' * 60_000] for b in (b'', b'x' * 700, b'x' * 700 + b'\0', b'y' * 2000)]
    shuffled = rows[:]
    random.Random(3).shuffle(shuffled)
    for i, (a, b) in enumerate(shuffled):
        cql.execute(insert, (a, b, i))
    want = sorted(rows, key=lambda r: r[1])
    want.sort(key=lambda r: r[0], reverse=True)
    assert [(r.a, r.b) for r in cql.execute('SELECT a, b FROM ck WHERE k = 1')] == want
    for i, (a, b) in enumerate(shuffled):
        assert cql.execute(select, (a, b)).one().v == i
    delete = cql.prepare('DELETE FROM ck WHERE k = 1 AND a = ?')
    cql.execute(delete, (keys[0],))
    assert [(r.a, r.b) for r in cql.execute('SELECT a, b FROM ck WHERE k = 1')] == [r for r in want if r[0] != keys[0]]
    for bad in ('k' * 65_536, 'k' * 100_000):
        with pytest.raises(Exception, match='65535|maximum'):
            cql.execute(cql.prepare('INSERT INTO pk (k, v) VALUES (?, 0)'), (bad,))
