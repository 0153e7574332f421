// The Go driver (gocql) against a node: connect, schema metadata, prepare, every type, paging, batch, errors.
//
//	go run . HOST PORT     prints "ok" at the end, or fails
package main

import (
	"bytes"
	"context"

	"errors"
	"fmt"
	"math"
	"math/big"
	"net"
	"os"
	"reflect"
	"sort"
	"strconv"
	"time"

	"github.com/gocql/gocql"
	"gopkg.in/inf.v0"
)

func check(what string, ok bool, details ...interface{}) {
	if !ok {
		fmt.Fprintln(os.Stderr, append([]interface{}{"failed:", what}, details...)...)
		os.Exit(1)
	}
}

func must(what string, err error) {
	check(what, err == nil, err)
}

func open(host string, port, version int, keyspace string, compressor gocql.Compressor) *gocql.Session {
	cluster := gocql.NewCluster(host)
	cluster.Port = port
	cluster.ProtoVersion = version
	cluster.Keyspace = keyspace
	cluster.Consistency = gocql.One
	cluster.Timeout = 60 * time.Second
	cluster.ConnectTimeout = 30 * time.Second
	cluster.WriteTimeout = 30 * time.Second
	cluster.Compressor = compressor
	session, err := cluster.CreateSession()
	must("connect at version "+strconv.Itoa(version), err)
	return session
}

type address struct {
	Street string `cql:"street"`
	Zip    int    `cql:"zip"`
}

func roundTrip(s *gocql.Session, cqlType string, values ...interface{}) {
	table := fmt.Sprintf("v%d", tables)
	tables++
	must(cqlType, s.Query(fmt.Sprintf("CREATE TABLE %s (k int PRIMARY KEY, v %s)", table, cqlType)).Exec())
	for i, v := range values {
		must(cqlType, s.Query("INSERT INTO "+table+" (k, v) VALUES (?, ?)", i, v).Exec())
		got := reflect.New(reflect.TypeOf(v))
		must(cqlType, s.Query("SELECT v FROM "+table+" WHERE k = ?", i).Scan(got.Interface()))
		check(cqlType, same(got.Elem().Interface(), v), "sent", v, "got", got.Elem().Interface())
	}
	must(cqlType, s.Query("INSERT INTO "+table+" (k, v) VALUES (?, null)", 1000).Exec())
	row := map[string]interface{}{}
	must(cqlType, s.Query("SELECT k, v FROM "+table+" WHERE k = 1000").MapScan(row))
	must(cqlType, s.Query("INSERT INTO "+table+" (k, v) VALUES (?, ?)", 1001, gocql.UnsetValue).Exec())
}

var tables int

func same(a, b interface{}) bool {
	switch x := a.(type) {
	case *big.Int:
		return x.Cmp(b.(*big.Int)) == 0
	case *inf.Dec:
		return x.Cmp(b.(*inf.Dec)) == 0 && x.Scale() == b.(*inf.Dec).Scale()
	case time.Time:
		return x.Equal(b.(time.Time))
	case net.IP:
		return x.Equal(b.(net.IP))
	case []byte:
		return bytes.Equal(x, b.([]byte))
	case float64:
		return x == b.(float64) || math.IsNaN(x) && math.IsNaN(b.(float64))
	}
	return reflect.DeepEqual(a, b)
}

func types(s *gocql.Session) {
	large, _ := new(big.Int).SetString("-123456789012345678901234567890123456789", 10)
	roundTrip(s, "ascii", "", "plain")
	roundTrip(s, "bigint", int64(0), int64(math.MaxInt64), int64(math.MinInt64))
	roundTrip(s, "blob", []byte{0}, bytes.Repeat([]byte{7}, 100000))
	roundTrip(s, "boolean", true, false)
	roundTrip(s, "date", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC))
	roundTrip(s, "decimal", inf.NewDec(150, 2), inf.NewDecBig(large, -5), inf.NewDecBig(large, 30))
	roundTrip(s, "double", 0.0, -1.5e300, math.Inf(1), math.NaN())
	roundTrip(s, "duration", gocql.Duration{Months: 1, Days: 2, Nanoseconds: 3}, gocql.Duration{Months: -1, Days: -2, Nanoseconds: -3})
	roundTrip(s, "float", float32(1.25), float32(-0.5))
	roundTrip(s, "inet", net.ParseIP("127.0.0.1"), net.ParseIP("2001:db8::1"))
	roundTrip(s, "int", 0, math.MaxInt32, math.MinInt32)
	roundTrip(s, "smallint", int16(0), int16(math.MaxInt16), int16(math.MinInt16))
	roundTrip(s, "text", "", "Ω≈ç√ 😀", "line\nline")
	roundTrip(s, "time", time.Duration(0), 86399999999999*time.Nanosecond)
	roundTrip(s, "timestamp", time.Unix(0, 0).UTC(), time.UnixMilli(1700000000123).UTC(), time.UnixMilli(-1).UTC())
	roundTrip(s, "timeuuid", gocql.TimeUUID())
	roundTrip(s, "tinyint", int8(0), int8(127), int8(-128))
	roundTrip(s, "uuid", gocql.MustRandomUUID())
	roundTrip(s, "varint", big.NewInt(0), big.NewInt(-129), large)
	roundTrip(s, "list<int>", []int{3, 1, 2})
	roundTrip(s, "set<text>", []string{"a", "b"})
	roundTrip(s, "map<text, bigint>", map[string]int64{"a": 1, "b": -2})
	roundTrip(s, "frozen<list<frozen<map<int, text>>>>", []map[int]string{{1: "a"}, {2: "b", 3: "c"}})
	must("type", s.Query("CREATE TYPE address (street text, zip int)").Exec())
	roundTrip(s, "address", address{"Main", 5})
	roundTrip(s, "frozen<address>", address{"Side", -5})
	roundTrip(s, "list<frozen<address>>", []address{{"a", 1}, {"b", 2}})
	must("tuple", s.Query("CREATE TABLE tu (k int PRIMARY KEY, v tuple<int, text>)").Exec())
	must("tuple", s.Query("INSERT INTO tu (k, v) VALUES (1, (?, ?))", 7, "seven").Exec())
	var n int
	var word string
	must("tuple", s.Query("SELECT v FROM tu WHERE k = 1").Scan(&n, &word))
	check("tuple", n == 7 && word == "seven", n, word)
}

func schema(s *gocql.Session, keyspace string) {
	must("create", s.Query("CREATE TABLE wide (p1 int, p2 text, c1 timeuuid, c2 int, s int STATIC, v list<int>, m map<text, int>, "+
		"PRIMARY KEY ((p1, p2), c1, c2)) WITH CLUSTERING ORDER BY (c1 DESC, c2 ASC)").Exec())
	must("agree", s.AwaitSchemaAgreement(context.Background()))
	meta, err := s.KeyspaceMetadata(keyspace)
	must("metadata", err)
	check("strategy", meta.StrategyClass == "org.apache.cassandra.locator.SimpleStrategy", meta.StrategyClass)
	t := meta.Tables["wide"]
	check("table", t != nil)
	names := func(columns []*gocql.ColumnMetadata) (out []string) {
		for _, c := range columns {
			out = append(out, c.Name)
		}
		return
	}
	check("partition key", reflect.DeepEqual(names(t.PartitionKey), []string{"p1", "p2"}), names(t.PartitionKey))
	check("clustering", reflect.DeepEqual(names(t.ClusteringColumns), []string{"c1", "c2"}), names(t.ClusteringColumns))
	check("order", t.ClusteringColumns[0].Order == gocql.DESC && t.ClusteringColumns[1].Order == gocql.ASC)
	check("static", t.Columns["s"].Kind == gocql.ColumnStatic, t.Columns["s"].Kind)
	check("type", t.Columns["m"].Type.Type() == gocql.TypeMap, t.Columns["m"].Type)
}

func paging(s *gocql.Session) {
	must("create", s.Query("CREATE TABLE paged (p int, c int, v text, PRIMARY KEY (p, c))").Exec())
	for i := 0; i < 500; i++ {
		must("insert", s.Query("INSERT INTO paged (p, c, v) VALUES (?, ?, ?)", i%5, i, "x").Exec())
	}
	for _, size := range []int{7, 100, 1000} {
		var got []int
		var p, c int
		iter := s.Query("SELECT p, c FROM paged").PageSize(size).Iter()
		for iter.Scan(&p, &c) {
			got = append(got, c)
		}
		must("page", iter.Close())
		sort.Ints(got)
		check("pages", len(got) == 500 && got[0] == 0 && got[499] == 499, size, len(got))
	}
	var state []byte
	seen := 0
	for {
		iter := s.Query("SELECT c FROM paged WHERE p = 3").PageSize(9).PageState(state).Iter()
		state = iter.PageState()
		seen += iter.NumRows()
		must("page", iter.Close())
		if len(state) == 0 {
			break
		}
	}
	check("page state", seen == 100, seen)
}

func batches(s *gocql.Session) {
	must("create", s.Query("CREATE TABLE batched (k int, c int, v text, PRIMARY KEY (k, c))").Exec())
	for _, kind := range []gocql.BatchType{gocql.LoggedBatch, gocql.UnloggedBatch} {
		b := s.NewBatch(kind)
		for i := 0; i < 20; i++ {
			b.Query("INSERT INTO batched (k, c, v) VALUES (?, ?, ?)", int(kind), i, "v")
		}
		b.Query("DELETE FROM batched WHERE k = ? AND c = ?", 77, 1)
		must("batch", s.ExecuteBatch(b))
		var n int
		must("count", s.Query("SELECT count(*) FROM batched WHERE k = ?", int(kind)).Scan(&n))
		check("batch", n == 20, n)
	}
}

func failures(s *gocql.Session, keyspace string) {
	for text, code := range map[string]int{
		"SELEC 1": gocql.ErrCodeSyntax, "SELECT * FROM nosuch": gocql.ErrCodeInvalid,
		"CREATE TABLE paged (k int PRIMARY KEY)":                        gocql.ErrCodeAlreadyExists,
		"CREATE TABLE x (k int PRIMARY KEY) WITH gc_grace_seconds = -1": gocql.ErrCodeConfig} {
		err := s.Query(text).Exec()
		var request gocql.RequestError
		check(text, errors.As(err, &request) && request.Code() == code, err)
	}
	must("alter", s.Query("ALTER KEYSPACE "+keyspace+" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 3}").Exec())
	err := s.Query("SELECT * FROM paged").Consistency(gocql.Quorum).Exec()
	var unavailable *gocql.RequestErrUnavailable
	check("unavailable", errors.As(err, &unavailable) && unavailable.Required == 2 && unavailable.Alive == 1, err)
	err = s.Query("SELECT v FROM paged WHERE p = 99").Scan(new(string))
	check("not found", err == gocql.ErrNotFound, err)
}

func main() {
	host := os.Args[1]
	port, err := strconv.Atoi(os.Args[2])
	must("port", err)
	for _, version := range []int{3, 4, 5} {
		if version == 5 && os.Getenv("GOCQL_V5") == "" {
			continue // gocql 1.7 speaks no final version 5
		}
		for _, compressor := range []gocql.Compressor{nil, gocql.SnappyCompressor{}} {
			keyspace := fmt.Sprintf("go_%d_%d_%v", os.Getpid(), version, compressor != nil)
			tables = 0
			s := open(host, port, version, "", nil)
			must("keyspace", s.Query("CREATE KEYSPACE "+keyspace+" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}").Exec())
			s.Close()
			s = open(host, port, version, keyspace, compressor)
			schema(s, keyspace)
			if version > 3 {
				types(s)
			}
			paging(s)
			batches(s)
			failures(s, keyspace)
			must("drop", s.Query("DROP KEYSPACE "+keyspace).Exec())
			s.Close()
			fmt.Println("version", version, "snappy", compressor != nil)
		}
	}
	fmt.Println("ok")
}
