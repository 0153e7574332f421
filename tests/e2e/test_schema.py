"""Schema that the driver reads back equals what was created."""

TYPES = ('ascii', 'bigint', 'blob', 'boolean', 'date', 'decimal', 'double', 'duration', 'float', 'inet', 'int', 'smallint',
         'text', 'time', 'timestamp', 'timeuuid', 'tinyint', 'uuid', 'varint', 'list<int>', 'set<text>', 'map<text, int>',
         'frozen<list<frozen<map<int, text>>>>', 'frozen<tuple<int, text, uuid>>', 'vector<float, 3>', 'addr', 'frozen<addr>',
         'list<frozen<addr>>', 'map<text, frozen<set<int>>>')


def create(session, keyspace):
    session.execute(f'CREATE TYPE {keyspace}.addr (street text, zip int, tags frozen<set<text>>)')
    session.execute(f'CREATE TYPE {keyspace}."Quoted Type" ("Field One" int, other frozen<addr>)')
    columns = ', '.join(f'c{i} {t}' for i, t in enumerate(TYPES))
    session.execute(f'CREATE TABLE {keyspace}.wide (p1 int, p2 text, k1 timeuuid, k2 int, k3 text, s int STATIC, '
                    f'"Mixed Case" text, "select" int, {columns}, PRIMARY KEY ((p1, p2), k1, k2, k3)) '
                    "WITH CLUSTERING ORDER BY (k1 DESC, k2 ASC, k3 DESC) AND comment = 'it''s' AND gc_grace_seconds = 77 "
                    'AND default_time_to_live = 99')
    session.execute(f'CREATE TABLE {keyspace}."Plain" (k int PRIMARY KEY)')


def test_metadata_is_read_back(driver, keyspace):
    session = driver()
    create(session, keyspace)
    for version in (3, 4, 5):
        meta = driver(protocol_version=version).cluster.metadata.keyspaces[keyspace]
        assert meta.durable_writes is True
        assert meta.replication_strategy.name == 'SimpleStrategy'
        assert set(meta.tables) == {'wide', 'Plain'} and set(meta.user_types) == {'addr', 'Quoted Type'}
        t = meta.tables['wide']
        assert [c.name for c in t.partition_key] == ['p1', 'p2']
        assert [(c.name, c.is_reversed) for c in t.clustering_key] == [('k1', True), ('k2', False), ('k3', True)]
        assert t.columns['s'].is_static and not t.columns['k2'].is_static
        for i, want in enumerate(TYPES):
            assert t.columns[f'c{i}'].cql_type == want
        assert t.options['comment'] == "it's"
        assert t.options['gc_grace_seconds'] == 77 and t.options['default_time_to_live'] == 99
        assert meta.user_types['addr'].field_names == ['street', 'zip', 'tags']
        assert meta.user_types['addr'].field_types == ['text', 'int', 'frozen<set<text>>']
        assert meta.user_types['Quoted Type'].field_types == ['int', 'frozen<addr>']


def test_exported_schema_creates_the_same_schema(driver, keyspace):
    session = driver()
    create(session, keyspace)
    first = session.cluster.metadata.keyspaces[keyspace].export_as_string()
    session.execute(f'DROP KEYSPACE {keyspace}')
    for statement in first.split(';\n'):
        if statement.strip():
            session.execute(statement)
    again = driver().cluster.metadata.keyspaces[keyspace].export_as_string()
    assert sorted(again.rstrip(';').split(';\n')) == sorted(first.rstrip(';').split(';\n'))


def test_describe_creates_the_same_schema(driver, keyspace):
    session = driver()
    create(session, keyspace)
    def described():
        return [r.create_statement for r in session.execute(f'DESCRIBE KEYSPACE {keyspace}')]
    first = described()
    assert len(first) == 5
    session.execute(f'DROP KEYSPACE {keyspace}')
    for statement in first:
        session.execute(statement)
    assert described() == first


def test_altered_schema_is_read_back(driver, keyspace):
    session = driver()
    session.set_keyspace(keyspace)
    session.execute('CREATE TABLE t (p int, c int, v int, PRIMARY KEY (p, c))')
    session.execute('ALTER TABLE t ADD (w text, x list<int>)')
    session.execute('ALTER TABLE t DROP v')
    session.execute('ALTER TABLE t RENAME c TO cc')
    session.execute("ALTER TABLE t WITH comment = 'new'")
    for s in (session, driver()):
        t = s.cluster.metadata.keyspaces[keyspace].tables['t']
        assert list(t.columns) == ['p', 'cc', 'w', 'x']
        assert t.options['comment'] == 'new'


def test_many_tables(driver, keyspace):
    """A schema of a few hundred tables is read back whole."""
    session = driver(schema_event_refresh_window=-1)
    for i in range(150):
        session.execute(f'CREATE TABLE {keyspace}.t{i} (k int PRIMARY KEY, v{i} text)')
    meta = driver().cluster.metadata.keyspaces[keyspace]
    assert set(meta.tables) == {f't{i}' for i in range(150)}
    assert all(f'v{i}' in meta.tables[f't{i}'].columns for i in range(150))
