// The Node.js driver against a node: connect, schema metadata, prepare, every type, paging, batch, errors.
//
//   node main.js HOST PORT     prints "ok" at the end, or fails
'use strict';
const assert = require('assert');
const cassandra = require('cassandra-driver');
const { types } = cassandra;
const { protocolVersion } = types;

const [host, port] = process.argv.slice(2);

async function open(version, keyspace) {
  const client = new cassandra.Client({
    contactPoints: [`${host}:${port}`],
    localDataCenter: process.env.LOCAL_DC || 'datacenter1',
    keyspace,
    protocolOptions: { port: Number(port), maxVersion: version },
    socketOptions: { readTimeout: 60000, connectTimeout: 30000 },
    encoding: { useBigIntAsLong: false },
  });
  await client.connect();
  assert.strictEqual(client.controlConnection.protocolVersion, version);
  return client;
}

const VALUES = {
  ascii: ['', 'plain'],
  bigint: [types.Long.fromString('9223372036854775807'), types.Long.fromString('-9223372036854775808')],
  blob: [Buffer.from([0, 255]), Buffer.alloc(100000, 7)],
  boolean: [true, false],
  date: [types.LocalDate.fromString('2024-02-29'), types.LocalDate.fromString('1969-12-31')],
  decimal: [types.BigDecimal.fromString('1.50'), types.BigDecimal.fromString('-12345678901234567890.123456789')],
  double: [0, -1.5e300, Infinity],
  duration: [new types.Duration(1, 2, types.Long.fromNumber(3)), new types.Duration(-1, -2, types.Long.fromNumber(-3))],
  float: [1.25, -0.5],
  inet: [types.InetAddress.fromString('127.0.0.1'), types.InetAddress.fromString('2001:db8::1')],
  int: [0, 2147483647, -2147483648],
  smallint: [0, 32767, -32768],
  text: ['', 'Ω≈ç√ 😀', 'line\nline'],
  time: [types.LocalTime.fromString('00:00:00'), types.LocalTime.fromString('23:59:59.999999999')],
  timestamp: [new Date(0), new Date(1700000000123), new Date(-1)],
  timeuuid: [types.TimeUuid.now()],
  tinyint: [0, 127, -128],
  uuid: [types.Uuid.random()],
  varint: [types.Integer.fromString('0'), types.Integer.fromString('-123456789012345678901234567890')],
  'list<int>': [[3, 1, 2]],
  'set<text>': [['a', 'b']],
  'map<text, int>': [{ a: 1, b: -2 }],
  'frozen<list<frozen<map<int, text>>>>': [[{ 1: 'a' }, { 2: 'b', 3: 'c' }]],
  'tuple<int, text>': [new types.Tuple(7, 'seven')],
  address: [{ street: 'Main', zip: 5 }],
  'frozen<address>': [{ street: 'Side', zip: -5 }],
  'list<frozen<address>>': [[{ street: 'a', zip: 1 }, { street: 'b', zip: 2 }]],
  'vector<float, 3>': [new cassandra.types.Vector([1, -2.5, 0], 'float')],
};

function plain(v) {
  if (v === null || v === undefined || typeof v === 'number' || typeof v === 'string' || typeof v === 'boolean') {
    return v;
  }
  if (Buffer.isBuffer(v)) { return v.toString('hex'); }
  if (Array.isArray(v)) { return v.map(plain); }
  if (v instanceof types.Tuple) { return v.elements.map(plain); }
  if (v instanceof types.Vector) { return [...v]; }
  if (v instanceof Date) { return v.getTime(); }
  if (v.constructor && v.constructor !== Object) { return v.toString(); }
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, plain(x)]));
}

async function typesRoundTrip(client) {
  await client.execute('CREATE TYPE address (street text, zip int)');
  let n = 0;
  for (const [type, values] of Object.entries(VALUES)) {
    const table = `v${n++}`;
    await client.execute(`CREATE TABLE ${table} (k int PRIMARY KEY, v ${type})`);
    for (const [i, v] of [...values, null, types.unset].entries()) {
      await client.execute(`INSERT INTO ${table} (k, v) VALUES (?, ?)`, [i, v], { prepare: true });
      const row = (await client.execute(`SELECT v FROM ${table} WHERE k = ?`, [i], { prepare: true })).first();
      assert.deepStrictEqual(plain(row.v), v === types.unset ? null : plain(v), type);
    }
  }
}

async function schema(client, keyspace) {
  await client.execute('CREATE TABLE wide (p1 int, p2 text, c1 timeuuid, c2 int, s int STATIC, v list<int>, m map<text, int>, ' +
    "PRIMARY KEY ((p1, p2), c1, c2)) WITH CLUSTERING ORDER BY (c1 DESC, c2 ASC) AND comment = 'it''s' AND gc_grace_seconds = 77");
  const t = await client.metadata.getTable(keyspace, 'wide');
  assert.deepStrictEqual(t.partitionKeys.map((c) => c.name), ['p1', 'p2']);
  assert.deepStrictEqual(t.clusteringKeys.map((c) => c.name), ['c1', 'c2']);
  assert.deepStrictEqual(t.clusteringOrder, ['DESC', 'ASC']);
  assert.strictEqual(t.columnsByName.s.isStatic, true);
  assert.strictEqual(t.columnsByName.m.type.code, types.dataTypes.map);
  assert.strictEqual(t.comment, "it's");
  assert.strictEqual(t.gcGraceSeconds, 77);
  const u = await client.metadata.getUdt(keyspace, 'nosuch');
  assert.strictEqual(u, null);
}

async function paging(client) {
  await client.execute('CREATE TABLE paged (p int, c int, v text, PRIMARY KEY (p, c))');
  for (let i = 0; i < 500; i += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, j) => client.execute(
      'INSERT INTO paged (p, c, v) VALUES (?, ?, ?)', [(i + j) % 5, i + j, 'x'], { prepare: true })));
  }
  for (const fetchSize of [7, 100, 1000]) {
    const got = [];
    for await (const row of client.stream('SELECT c FROM paged', [], { fetchSize, prepare: true })) { got.push(row.c); }
    got.sort((a, b) => a - b);
    assert.deepStrictEqual(got, Array.from({ length: 500 }, (_, i) => i));
  }
  let pageState, seen = 0;
  do {
    const r = await client.execute('SELECT c FROM paged WHERE p = 3', [], { fetchSize: 9, pageState, prepare: true });
    seen += r.rows.length;
    pageState = r.pageState;
  } while (pageState);
  assert.strictEqual(seen, 100);
}

async function batches(client) {
  await client.execute('CREATE TABLE batched (k int, c int, v text, PRIMARY KEY (k, c))');
  for (const [k, logged] of [[1, true], [2, false]]) {
    for (const prepare of [true, false]) {
      const queries = Array.from({ length: 20 }, (_, c) => ({ query: 'INSERT INTO batched (k, c, v) VALUES (?, ?, ?)',
        params: prepare ? [k, c, 'v'] : [k, c, 'v'] }));
      const hints = queries.map(() => ['int', 'int', 'text']);
      await client.batch(queries, { prepare, logged, hints });
      const row = (await client.execute('SELECT count(*) AS n FROM batched WHERE k = ?', [k], { prepare: true })).first();
      assert.strictEqual(row.n.toNumber(), 20);
    }
  }
}

async function failures(client, keyspace) {
  const codes = types.responseErrorCodes;
  for (const [text, code] of [['SELEC 1', codes.syntaxError], ['SELECT * FROM nosuch', codes.invalid],
    ['CREATE TABLE paged (k int PRIMARY KEY)', codes.alreadyExists],
    ['CREATE TABLE x (k int PRIMARY KEY) WITH gc_grace_seconds = -1', codes.configError]]) {
    await assert.rejects(client.execute(text), (e) => e.code === code, text);
  }
  await client.execute(`ALTER KEYSPACE ${keyspace} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 3}`);
  await assert.rejects(client.execute('SELECT * FROM paged', [], { consistency: types.consistencies.quorum }), (e) => {
    const inner = e.code === undefined ? Object.values(e.innerErrors)[0] : e;
    return inner.code === codes.unavailableException && inner.required === 2 && inner.alive === 1;
  });
}

async function main() {
  for (const version of [protocolVersion.v3, protocolVersion.v4, protocolVersion.v5]) {
    if (!protocolVersion.isSupported(version)) { continue; }
    const keyspace = `node_${process.pid}_${version}`;
    let client;
    try {
      client = await open(version);
    } catch (e) {
      if (version === protocolVersion.v5 && e.code === 'ERR_ASSERTION') {
        console.log('version 5 is not in this driver');
        continue;
      }
      throw e;
    }
    await client.execute(`CREATE KEYSPACE ${keyspace} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`);
    await client.shutdown();
    client = await open(version, keyspace);
    await schema(client, keyspace);
    if (version > protocolVersion.v3) { await typesRoundTrip(client); }
    await paging(client);
    await batches(client);
    await failures(client, keyspace);
    await client.execute(`DROP KEYSPACE ${keyspace}`);
    await client.shutdown();
    console.log('version', version);
  }
  console.log('ok');
}

main().then(() => process.exit(0), (e) => { console.error('failed:', e); process.exit(1); });
