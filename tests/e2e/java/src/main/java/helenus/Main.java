package helenus;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.CqlSessionBuilder;
import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchStatementBuilder;
import com.datastax.oss.driver.api.core.cql.DefaultBatchType;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.ResultSet;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.data.CqlDuration;
import com.datastax.oss.driver.api.core.data.CqlVector;
import com.datastax.oss.driver.api.core.data.TupleValue;
import com.datastax.oss.driver.api.core.data.UdtValue;
import com.datastax.oss.driver.api.core.metadata.schema.ClusteringOrder;
import com.datastax.oss.driver.api.core.metadata.schema.KeyspaceMetadata;
import com.datastax.oss.driver.api.core.metadata.schema.TableMetadata;
import com.datastax.oss.driver.api.core.servererrors.AlreadyExistsException;
import com.datastax.oss.driver.api.core.servererrors.InvalidConfigurationInQueryException;
import com.datastax.oss.driver.api.core.servererrors.InvalidQueryException;
import com.datastax.oss.driver.api.core.servererrors.SyntaxError;
import com.datastax.oss.driver.api.core.servererrors.UnavailableException;
import com.datastax.oss.driver.api.core.type.DataTypes;
import com.datastax.oss.driver.api.core.type.TupleType;
import com.datastax.oss.driver.api.core.type.UserDefinedType;
import com.datastax.oss.driver.api.core.uuid.Uuids;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/** The Java driver against a node: connect, schema metadata, prepare, every type, paging, batch, errors. */
public final class Main {
    private static final CqlDuration DURATION = CqlDuration.newInstance(1, 2, 3);

    private final String host;
    private final int port;

    private Main(String host, int port) {
        this.host = host;
        this.port = port;
    }

    private static void check(String what, boolean ok, Object... details) {
        if (!ok) {
            throw new AssertionError(what + " " + Arrays.toString(details));
        }
    }

    private CqlSession open(String version, String compression, String keyspace) {
        var config = DriverConfigLoader.programmaticBuilder()
            .withString(DefaultDriverOption.PROTOCOL_VERSION, version)
            .withString(DefaultDriverOption.PROTOCOL_COMPRESSION, compression)
            .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, Duration.ofSeconds(60))
            .withDuration(DefaultDriverOption.CONNECTION_INIT_QUERY_TIMEOUT, Duration.ofSeconds(30))
            .withDuration(DefaultDriverOption.METADATA_SCHEMA_REQUEST_TIMEOUT, Duration.ofSeconds(30))
            .withDuration(DefaultDriverOption.METADATA_SCHEMA_WINDOW, Duration.ofMillis(20))
            .withString(DefaultDriverOption.REQUEST_CONSISTENCY, "ONE")
            .build();
        CqlSessionBuilder builder = CqlSession.builder()
            .addContactPoint(new InetSocketAddress(host, port))
            .withLocalDatacenter(System.getenv().getOrDefault("LOCAL_DC", "datacenter1"))
            .withConfigLoader(config);
        CqlSession session = keyspace == null ? builder.build() : builder.withKeyspace(keyspace).build();
        check("version", session.getContext().getProtocolVersion().name().equals(version));
        return session;
    }

    private static void types(CqlSession session, String keyspace, boolean vectors) throws Exception {
        session.execute("CREATE TYPE address (street text, zip int)");
        UserDefinedType address = session.getMetadata().getKeyspace(keyspace).orElseThrow()
            .getUserDefinedType("address").orElseThrow();
        UdtValue home = address.newValue("Main", 5);
        TupleType tupleType = DataTypes.tupleOf(DataTypes.INT, DataTypes.TEXT);
        TupleValue tuple = session.prepare("SELECT (tuple<int, text>) ? FROM system.local").getVariableDefinitions().get(0)
            .getType() instanceof TupleType t ? t.newValue(7, "seven") : tupleType.newValue(7, "seven");
        Map<String, List<?>> values = new LinkedHashMap<>();
        values.put("ascii", List.of("", "plain"));
        values.put("bigint", List.of(0L, Long.MAX_VALUE, Long.MIN_VALUE));
        values.put("blob", List.of(ByteBuffer.wrap(new byte[] {0, -1}), ByteBuffer.wrap(new byte[100_000])));
        values.put("boolean", List.of(true, false));
        values.put("date", List.of(LocalDate.of(2024, 2, 29), LocalDate.of(1969, 12, 31)));
        values.put("decimal", List.of(new BigDecimal("1.50"), new BigDecimal("-12345678901234567890.123456789")));
        values.put("double", List.of(0.0, -1.5e300, Double.POSITIVE_INFINITY, Double.NaN));
        values.put("duration", List.of(DURATION, CqlDuration.from("-1y2mo3d4h")));
        values.put("float", List.of(1.25f, -0.5f));
        values.put("inet", List.of(InetAddress.getByName("127.0.0.1"), InetAddress.getByName("2001:db8::1")));
        values.put("int", List.of(0, Integer.MAX_VALUE, Integer.MIN_VALUE));
        values.put("smallint", List.of((short) 0, Short.MAX_VALUE, Short.MIN_VALUE));
        values.put("text", List.of("", "Ω≈ç√ 😀", "line\nline"));
        values.put("time", List.of(LocalTime.MIDNIGHT, LocalTime.of(23, 59, 59, 999_999_999)));
        values.put("timestamp", List.of(Instant.EPOCH, Instant.ofEpochMilli(1700000000123L), Instant.ofEpochMilli(-1)));
        values.put("timeuuid", List.of(Uuids.timeBased()));
        values.put("tinyint", List.of((byte) 0, (byte) 127, (byte) -128));
        values.put("uuid", List.of(UUID.randomUUID()));
        values.put("varint", List.of(BigInteger.ZERO, new BigInteger("-123456789012345678901234567890")));
        values.put("list<int>", List.of(List.of(3, 1, 2)));
        values.put("set<text>", List.of(Set.of("a", "b")));
        values.put("map<text, int>", List.of(Map.of("a", 1, "b", -2)));
        values.put("frozen<list<frozen<map<int, text>>>>", List.of(List.of(Map.of(1, "a"), Map.of(2, "b"))));
        values.put("tuple<int, text>", List.of(tuple));
        values.put("address", List.of(home));
        values.put("frozen<address>", List.of(home));
        values.put("list<frozen<address>>", List.of(List.of(home, address.newValue("Side", -5))));
        if (vectors) {
            values.put("vector<float, 3>", List.of(CqlVector.newInstance(1f, -2.5f, 0f)));
        }
        int n = 0;
        for (var entry : values.entrySet()) {
            String type = entry.getKey();
            String table = "v" + n++;
            session.execute("CREATE TABLE " + table + " (k int PRIMARY KEY, v " + type + ")");
            PreparedStatement insert = session.prepare("INSERT INTO " + table + " (k, v) VALUES (?, ?)");
            PreparedStatement select = session.prepare("SELECT v FROM " + table + " WHERE k = ?");
            List<Object> all = new ArrayList<>(entry.getValue());
            all.add(null);
            for (int i = 0; i < all.size(); i++) {
                Object sent = all.get(i);
                session.execute(insert.bind(i, sent));
                Row row = session.execute(select.bind(i)).one();
                Object got = row.getObject("v");
                check(type, sent == null ? row.isNull("v") : Objects.equals(got, sent), sent, got);
            }
            session.execute(insert.bind().setInt(0, 1000)); // v stays unset
            check(type, session.execute(select.bind(1000)).one().isNull("v"));
        }
    }

    private static void schema(CqlSession session, String keyspace) {
        session.execute("CREATE TABLE wide (p1 int, p2 text, c1 timeuuid, c2 int, s int STATIC, v list<int>, m map<text, int>, "
            + "PRIMARY KEY ((p1, p2), c1, c2)) WITH CLUSTERING ORDER BY (c1 DESC, c2 ASC) AND comment = 'it''s' "
            + "AND gc_grace_seconds = 77");
        KeyspaceMetadata meta = session.getMetadata().getKeyspace(keyspace).orElseThrow();
        check("replication", meta.getReplication().get("class").endsWith("SimpleStrategy"), meta.getReplication());
        TableMetadata table = meta.getTable("wide").orElseThrow();
        List<String> names = new ArrayList<>();
        table.getPartitionKey().forEach(c -> names.add(c.getName().asInternal()));
        table.getClusteringColumns().forEach((c, order) -> names.add(c.getName().asInternal() + " " + order));
        check("keys", names.equals(List.of("p1", "p2", "c1 " + ClusteringOrder.DESC, "c2 " + ClusteringOrder.ASC)), names);
        check("static", table.getColumn("s").orElseThrow().isStatic());
        check("type", table.getColumn("m").orElseThrow().getType().equals(DataTypes.mapOf(DataTypes.TEXT, DataTypes.INT)));
        Map<String, Object> options = new LinkedHashMap<>();
        table.getOptions().forEach((k, v) -> options.put(k.asInternal(), v));
        check("options", "it's".equals(options.get("comment")) && Integer.valueOf(77).equals(options.get("gc_grace_seconds")), options);
        session.execute("CREATE TABLE again (k int PRIMARY KEY)");
        session.execute("DROP TABLE again");
        session.execute("ALTER TABLE wide ADD later text");
        check("alter", session.getMetadata().getKeyspace(keyspace).orElseThrow().getTable("wide").orElseThrow()
            .getColumn("later").isPresent());
        check("describe", session.getMetadata().getKeyspace(keyspace).orElseThrow().describeWithChildren(true).contains("CREATE TABLE"));
    }

    private static void paging(CqlSession session) {
        session.execute("CREATE TABLE paged (p int, c int, v text, PRIMARY KEY (p, c))");
        PreparedStatement insert = session.prepare("INSERT INTO paged (p, c, v) VALUES (?, ?, ?)");
        var futures = new ArrayList<java.util.concurrent.CompletionStage<?>>();
        for (int i = 0; i < 500; i++) {
            futures.add(session.executeAsync(insert.bind(i % 5, i, "x")));
        }
        futures.forEach(f -> f.toCompletableFuture().join());
        for (int size : new int[] {7, 100, 1000}) {
            TreeSet<Integer> got = new TreeSet<>();
            int rows = 0;
            for (Row row : session.execute(SimpleStatement.newInstance("SELECT c FROM paged").setPageSize(size))) {
                got.add(row.getInt(0));
                rows++;
            }
            check("pages", rows == 500 && got.size() == 500, size, rows);
        }
        int seen = 0;
        ByteBuffer state = null;
        do {
            ResultSet r = session.execute(SimpleStatement.newInstance("SELECT c FROM paged WHERE p = 3").setPageSize(9)
                .setPagingState(state));
            seen += r.getAvailableWithoutFetching();
            state = r.getExecutionInfo().getPagingState();
        } while (state != null);
        check("paging state", seen == 100, seen);
    }

    private static void batches(CqlSession session) {
        session.execute("CREATE TABLE batched (k int, c int, v text, PRIMARY KEY (k, c))");
        PreparedStatement insert = session.prepare("INSERT INTO batched (k, c, v) VALUES (?, ?, ?)");
        int k = 0;
        for (DefaultBatchType type : List.of(DefaultBatchType.LOGGED, DefaultBatchType.UNLOGGED)) {
            k++;
            BatchStatementBuilder batch = BatchStatement.builder(type);
            for (int c = 0; c < 20; c++) {
                batch.addStatement(insert.bind(k, c, "v"));
            }
            batch.addStatement(SimpleStatement.newInstance("DELETE FROM batched WHERE k = ? AND c = ?", 77, 1));
            session.execute(batch.build());
            check("batch", session.execute("SELECT count(*) FROM batched WHERE k = " + k).one().getLong(0) == 20);
        }
    }

    private static void failure(CqlSession session, String text, Class<? extends Throwable> expected) {
        try {
            session.execute(text);
        } catch (RuntimeException e) {
            check(text, expected.isInstance(e), e);
            return;
        }
        check(text + " succeeded", false);
    }

    private static void failures(CqlSession session, String keyspace) {
        failure(session, "SELEC 1", SyntaxError.class);
        failure(session, "SELECT * FROM nosuch", InvalidQueryException.class);
        failure(session, "CREATE TABLE paged (k int PRIMARY KEY)", AlreadyExistsException.class);
        failure(session, "CREATE TABLE x (k int PRIMARY KEY) WITH gc_grace_seconds = -1", InvalidConfigurationInQueryException.class);
        session.execute("ALTER KEYSPACE " + keyspace + " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 3}");
        try {
            session.execute(SimpleStatement.newInstance("SELECT * FROM paged")
                .setConsistencyLevel(DefaultConsistencyLevel.QUORUM));
            check("unavailable", false);
        } catch (UnavailableException e) {
            check("unavailable", e.getRequired() == 2 && e.getAlive() == 1, e);
        } catch (com.datastax.oss.driver.api.core.AllNodesFailedException e) {
            var errors = e.getAllErrors().values().iterator().next();
            check("unavailable", errors.get(0) instanceof UnavailableException u && u.getRequired() == 2 && u.getAlive() == 1, errors);
        }
        check("empty", session.execute("SELECT v FROM paged WHERE p = 99").one() == null);
    }

    private void run() throws Exception {
        int n = 0;
        for (String[] way : new String[][] {{"V3", "none"}, {"V4", "snappy"}, {"V4", "lz4"}, {"V5", "none"}, {"V5", "lz4"}}) {
            String keyspace = "java_" + ProcessHandle.current().pid() + "_" + n++;
            try (CqlSession session = open(way[0], way[1], null)) {
                session.execute("CREATE KEYSPACE " + keyspace
                    + " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
            }
            try (CqlSession session = open(way[0], way[1], keyspace)) {
                schema(session, keyspace);
                if (!way[0].equals("V3")) {
                    types(session, keyspace, true);
                }
                paging(session);
                batches(session);
                failures(session, keyspace);
                session.execute("DROP KEYSPACE " + keyspace);
            }
            System.out.println("version " + way[0] + ", compression " + way[1]);
        }
        System.out.println("ok");
    }

    public static void main(String[] args) {
        try {
            new Main(args[0], Integer.parseInt(args[1])).run();
        } catch (Throwable e) {
            e.printStackTrace();
            System.exit(1);
        }
        System.exit(0);
    }
}
