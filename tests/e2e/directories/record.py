#!/usr/bin/env python3
"""Records a data directory as the present helenusd writes it, with the answers that it gives.

    HELENUSD=build/release/bin/helenusd tests/e2e/directories/record.py v1

writes v1.tar.gz: `data/` (one part flushed, the rest only in the commit log, after a kill -9) and `answers.json`. Such a file is
never recorded again: test_old_directory.py opens each of them with every later version. A new one is recorded when the format grows.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import helenus  # noqa: E402

OPTIONS = ('--shards', '4', '--loops', '1', '--num-tokens', '4', '--commitlog-segment-size', '1MiB', '--cluster-name', 'recorded')

SCHEMA = '''
CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}
CREATE KEYSPACE "Quoted" WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1} AND durable_writes = true
CREATE TYPE ks.address (street text, number int, tags frozen<set<text>>)
CREATE TABLE ks.types (k int PRIMARY KEY, a ascii, b bigint, c blob, d boolean, e decimal, f double, g float, h inet, i smallint, j text, k2 time, l timestamp, m timeuuid, n tinyint, o uuid, p varchar, q varint, r date, s duration, t frozen<list<int>>, u tuple<int, text>, v vector<float, 3>, w ks.address, x frozen<ks.address>)
CREATE TABLE ks.collections (k text PRIMARY KEY, l list<int>, s set<text>, m map<text, bigint>, n map<int, frozen<list<text>>>)
CREATE TABLE ks.wide (p int, q text, c int, d timestamp, v text, s text static, PRIMARY KEY ((p, q), c, d)) WITH CLUSTERING ORDER BY (c DESC, d ASC) AND comment = 'wide' AND gc_grace_seconds = 864000
CREATE TABLE ks.plain (k int, c int, v text, PRIMARY KEY (k, c))
CREATE TABLE ks.long_keys (k blob, c text, v int, PRIMARY KEY (k, c))
CREATE TABLE ks.altered (k int PRIMARY KEY, gone text, stays text)
CREATE TABLE ks.truncated (k int PRIMARY KEY, v int)
CREATE TABLE ks.dropped (k int PRIMARY KEY, v int)
CREATE TABLE ks.ttl (k int PRIMARY KEY, v text) WITH default_time_to_live = 315360000
CREATE TABLE "Quoted"."Table" ("Key" text PRIMARY KEY, "select" int)
'''

TYPES = ("INSERT INTO ks.types (k, a, b, c, d, e, f, g, h, i, j, k2, l, m, n, o, p, q, r, s, t, u, v, w, x) VALUES (%d, 'ascii', %d, 0x00ff, true, "
         "-12345678901234567890.0123, 1.5e300, -0.25, '2001:db8::1', -32768, 'häß', '08:12:54.123456789', '2011-02-03T04:05:06.789Z', "
         "f81d4fae-7dec-11d0-a765-00a0c91e6bf6, -128, 3d4c7d52-3a1b-4f30-9d3b-0c2a8d1f1f10, 'v', "
         "123456789012345678901234567890123456789012345678901234567890, '-5877641-06-23', 1y2mo3d4h5m6s7ms8us9ns, [1, 2, 3], (1, null), "
         "[1.5, -2.5, 0], {street: 'a', number: 1, tags: {'x', 'y'}}, {street: 'b', number: null, tags: null}) USING TIMESTAMP 1000")


def first_half():
    """Flushed when the node stops."""
    yield TYPES % (1, -2 ** 63)
    yield TYPES % (2, 2 ** 63 - 1)
    yield 'INSERT INTO ks.types (k) VALUES (3)'
    yield "INSERT INTO ks.collections (k, l, s, m, n) VALUES ('a', [1, 2, 3, 4], {'x', 'y', 'z'}, {'a': 1, 'b': 2}, {1: ['p', 'q']})"
    yield "INSERT INTO ks.collections (k, l) VALUES ('b', [9])"
    for p in range(6):
        yield f"INSERT INTO ks.wide (p, q, s) VALUES ({p}, 'q', 'static {p}')"
        for c in range(30):
            yield (f"INSERT INTO ks.wide (p, q, c, d, v) VALUES ({p}, 'q', {c}, '2020-01-{c % 28 + 1:02}', 'value {p} {c}') "
                   f"USING TIMESTAMP {1000 + c}")
    for k in range(200):
        yield f"INSERT INTO ks.plain (k, c, v) VALUES ({k % 20}, {k}, 'old {k}')"
    for n in (10, 500, 1000, 60000):
        yield f"INSERT INTO ks.long_keys (k, c, v) VALUES (0x{'ab' * n}, 'short', {n})"
        yield f"INSERT INTO ks.long_keys (k, c, v) VALUES (0x{'cd' * 8}, '{'c' * n}', {n})"
    for k in range(5):
        yield f"INSERT INTO ks.altered (k, gone, stays) VALUES ({k}, 'gone {k}', 'stays {k}')"
        yield f'INSERT INTO ks.truncated (k, v) VALUES ({k}, {k})'
        yield f'INSERT INTO ks.dropped (k, v) VALUES ({k}, {k})'
        yield f"INSERT INTO ks.ttl (k, v) VALUES ({k}, 'for ten years')"
    yield "DELETE FROM ks.wide USING TIMESTAMP 1010 WHERE p = 0 AND q = 'q'"
    yield "DELETE FROM ks.wide WHERE p = 1 AND q = 'q' AND c > 10 AND c <= 20"
    yield 'DELETE FROM ks.plain WHERE k = 1'
    yield 'DELETE v FROM ks.plain WHERE k = 2 AND c = 2'
    yield 'INSERT INTO "Quoted"."Table" ("Key", "select") VALUES (\'one\', 1)'
    yield 'TRUNCATE ks.truncated'
    yield 'DROP TABLE ks.dropped'


def second_half():
    """Only in the commit log."""
    yield "ALTER TABLE ks.altered DROP gone"
    yield "ALTER TABLE ks.altered ADD fresh int"
    yield "ALTER TYPE ks.address ADD city text"
    yield "INSERT INTO ks.altered (k, stays, fresh) VALUES (9, 'nine', 9)"
    yield 'INSERT INTO ks.truncated (k, v) VALUES (77, 77)'
    yield "UPDATE ks.types SET w.city = 'c', j = 'changed' WHERE k = 1"
    yield "DELETE e, q FROM ks.types WHERE k = 2"
    yield "UPDATE ks.collections SET l = l + [5], s = s - {'y'}, m['c'] = 3, n = n + {2: ['r']} WHERE k = 'a'"
    yield "DELETE l[0], m['a'] FROM ks.collections WHERE k = 'a'"
    yield "UPDATE ks.collections SET l = [7, 8] WHERE k = 'b'"
    yield "DELETE FROM ks.wide WHERE p = 2 AND q = 'q' AND c = 5"
    yield "DELETE FROM ks.wide WHERE p = 3 AND q = 'q' AND (c, d) >= (25, '2020-01-01')"
    yield "DELETE FROM ks.wide USING TIMESTAMP 1015 WHERE p = 4 AND q = 'q'"
    yield "UPDATE ks.wide SET s = 'newer' WHERE p = 5 AND q = 'q'"
    for k in range(0, 200, 3):
        yield f"UPDATE ks.plain SET v = 'new {k}' WHERE k = {k % 20} AND c = {k}"
    yield 'DELETE FROM ks.plain WHERE k = 3'
    yield "INSERT INTO ks.plain (k, c, v) VALUES (3, 1000, 'after the tombstone')"
    yield ("BEGIN BATCH INSERT INTO ks.plain (k, c, v) VALUES (100, 1, 'batch'); INSERT INTO ks.plain (k, c, v) VALUES (101, 1, 'batch'); "
           "APPLY BATCH")
    yield "UPDATE ks.ttl USING TTL 0 SET v = 'for ever' WHERE k = 1"
    yield f"DELETE FROM ks.long_keys WHERE k = 0x{'ab' * 500}"


QUESTIONS = [
    'SELECT host_id, tokens, cluster_name FROM system.local',
    'SELECT * FROM ks.types', 'SELECT WRITETIME(a), j FROM ks.types WHERE k = 1', 'SELECT * FROM ks.collections',
    'SELECT * FROM ks.wide', "SELECT WRITETIME(v), c FROM ks.wide WHERE p = 4 AND q = 'q' ORDER BY c ASC, d DESC",
    'SELECT DISTINCT p, q, s FROM ks.wide', 'SELECT * FROM ks.plain', 'SELECT COUNT(*) FROM ks.plain',
    'SELECT * FROM ks.long_keys', f"SELECT v FROM ks.long_keys WHERE k = 0x{'ab' * 60000}", 'SELECT * FROM ks.altered',
    'SELECT * FROM ks.truncated', 'SELECT * FROM ks.ttl', 'SELECT * FROM "Quoted"."Table"',
    "SELECT keyspace_name, replication FROM system_schema.keyspaces WHERE keyspace_name IN ('ks', 'Quoted')",
    "SELECT table_name, id, comment, gc_grace_seconds, default_time_to_live FROM system_schema.tables WHERE keyspace_name = 'ks'",
    "SELECT * FROM system_schema.columns WHERE keyspace_name = 'ks'", "SELECT * FROM system_schema.types WHERE keyspace_name = 'ks'",
    "SELECT * FROM system_schema.dropped_columns WHERE keyspace_name = 'ks'",
]


def answers(connection):
    """Each question with its rows, values in hexadecimal digits."""
    return [{'query': q, 'rows': [[v if v is None else v.hex() for v in row] for row in connection.query(q).rows]} for q in QUESTIONS]


def main():
    name = sys.argv[1]
    out = HERE / f'{name}.tar.gz'
    if out.exists():
        sys.exit(f'{out} exists: what was recorded stays')
    with tempfile.TemporaryDirectory() as scratch:
        node = helenus.Node(pathlib.Path(scratch) / 'data', OPTIONS)
        node.start()
        c = node.connect()
        for statement in [*SCHEMA.strip().split('\n'), *first_half()]:
            c.query(statement)
        c.close()
        assert node.terminate() == 0
        node.start()
        c = node.connect()
        for statement in second_half():
            c.query(statement)
        found = answers(c)
        c.close()
        node.kill()
        (pathlib.Path(scratch) / 'answers.json').write_text(json.dumps(found, indent=0))
        (pathlib.Path(scratch) / 'data' / 'lock').unlink()
        subprocess.run(['tar', '--create', '--sparse', '--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0',
                        '--use-compress-program=gzip -9n', '--file', out, '-C', scratch, 'answers.json', 'data'], check=True)
    print(f'{out}: {out.stat().st_size} bytes, {sum(len(a["rows"]) for a in found)} rows')


if __name__ == '__main__':
    main()
