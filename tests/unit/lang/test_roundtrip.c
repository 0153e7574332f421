/* Random statements of every kind: what is printed parses to the same tree, and prints the same
 * again.
 *
 * The generator has a grammar of its own, written apart from grammar.y: a rule's alternatives are
 * separated by `|` and their items by blanks; $x is a rule, $x? may be left out, $x, is one to
 * three joined by commas and $x& by AND. Past some depth the first alternative is taken, so it
 * never recurses. */
#include "cql/base/prng.h"
#include "cql/lang/parse.h"
#include "tests/unit/lang/dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const char *const rules[][2] = {
    {"statement",
     "$select | $select | $insert | $update | $delete | $batch | USE $name | TRUNCATE $table | "
     "$keyspace | $tables "
     "| $tables | $types | $indexes | $views | $functions | $roles | $grants | $describe"},
    {"name",
     "a | b | \"Cc\" | \"d\"\"e\" | ttl | key | json | distinct | count | values | list | text | "
     "timestamp | as | exists "
     "| all | role | type | Cluster | writetime | cast | frozen | \"true\" | \"select\" | \"1x\" | "
     "\"é\" | timeout | "
     "expr | compact | unmask | keys | per | group | contains | ann | only | \"expr\" | byte"},
    {"column", "a | $name | \"\""},
    {"table", "a | $name . $name | $name"},
    {"function", "f | \"F\" | token | count | int | uuid | list | \"ttl\" | \"expr\" | \"json\" | "
                 "exists | all | default"},
    {"fname", "f | $function | $name . $function"},
    {"native", "int | ascii | bigint | blob | boolean | counter | date | decimal | double | "
               "duration | float | inet | smallint | "
               "text | time | timestamp | timeuuid | tinyint | uuid | varchar | varint"},
    {"tname", "u | key | list | \"int\" | \"Q\" | role | \"date\" | BYTE | map | \"ttl\""},
    {"type", "int | $native | $utype | 'x.Y' | list < $type > | set < $type > | map < $type , "
             "$type > | tuple < $type, > | "
             "vector < $type , 3 > | frozen < $ftype >"},
    {"ftype", "a | list < $type > | $utype | frozen < list < int > >"},
    {"utype", "u | $tname | $name . $tname"},
    {"literal",
     "1 | -12 | 1.5 | -1.5e-3 | 1. | NaN | -Infinity | infinity | true | FALSE | 'it''s' | '' | "
     "$$x'$y$$ | 0xCAFE | "
     "0x | 1h30m | -P1Y2M | P2020-01-02T03:04:05 | 123e4567-e89b-12d3-a456-426614174000 | 5µs"},
    {"marker", "? | : $name"},
    {"term", "1 | $literal | $marker | null | [ ] | [ $term, ] | { } | { $term, } | { $pair, } | { "
             "$field, } | ( $term, ) | $call | "
             "$cast | ( $type ) $simple | $term + $term | $term - $term | $term * $term | $term / "
             "$term | $term % $term | - $simple"},
    {"simple", "? | $literal | [ $term, ] | $call | ( $term, ) | ( $type ) $simple | { $field, }"},
    {"cast", "cast ( $simple as $native )"},
    {"call", "f ( ) | $fname ( ) | $fname ( $term, )"},
    {"pair", "1 : 2 | $tkey : $term"},
    {"tkey", "1 | $literal | $marker | $call | [ $term, ] | ( $term , $term ) | - 1"},
    {"field", "a : 1 | $name : $term"},
    {"selector", "a | $expr | $expr AS $name"},
    {"expr",
     "a | $name | $literal | $marker | null | $fname ( $expr, ) | count ( * ) | count ( 1 ) | "
     "writetime ( $chain ) | ttl ( "
     "$chain ) | maxwritetime ( $chain ) | cast ( $expr as $native ) | $expr + $expr | $expr - "
     "$expr | a + $expr * $expr | "
     "- $expr | [ ] | [ $expr, ] | { } | { $expr, } | { $epair, } | ( $expr, ) | ( $type ) "
     "$eprimary | $expr . $name | "
     "$expr [ $term ] | $expr [ $term .. ] | $expr [ .. $term ] | $expr [ $term .. $term ]"},
    {"eprimary",
     "a | $literal | [ $expr, ] | ( $expr, ) | f ( $expr ) | { $epair, } | ( $type ) $eprimary"},
    {"chain", "a | $name | $chain . $name | $chain [ $term ] | $chain [ $term .. $term ]"},
    {"epair", "a : 1 | $ekey : $expr"}, /* `(a) : b` is the marker :b with a type before it, to
                                           Cassandra too */
    {"ekey", "a | $name | $literal | $marker | f ( $expr, ) | a [ $term ]"},
    {"select", "SELECT $json? $distinct? $what FROM $table $where? $group? $order? $ppl? $limit? "
               "$filter? $susing?"},
    {"json", "JSON"},
    {"distinct", "DISTINCT"},
    {"what", "* | $selector, | $selector,"},
    {"group", "GROUP BY $expr,"},
    {"order", "ORDER BY $ordering,"},
    {"ordering",
     "a | $column DESC | $column ASC | $column ANN OF $term | $column ANN OF $term DESC"},
    {"ppl", "PER PARTITION LIMIT $int"},
    {"limit", "LIMIT $int"},
    {"int", "3 | -5 | $marker"},
    {"filter", "ALLOW FILTERING"},
    {"susing", "USING $sitem&"},
    {"sitem", "TIMEOUT 2s | TIMEOUT ? | CONSISTENCY LOCAL_QUORUM | CONSISTENCY $name"},
    {"where", "WHERE $relation&"},
    {"op", "= | < | <= | > | >= | !="},
    {"relation", "a = 1 | $column $op $term | $column LIKE $term | $column IS NOT NULL | $column "
                 "CONTAINS $term | $column CONTAINS KEY "
                 "$term | $column IN $marker | $column IN ( ) | $column IN ( $term, ) | TOKEN ( "
                 "$column, ) $op $term | $column [ $term ] "
                 "$op $term | ( $column, ) IN $marker | ( $column, ) IN ( $tuple, ) | ( $column, ) "
                 "IN ( $marker, ) | ( $column, ) IN ( ) | "
                 "( $column, ) $op $tuple | ( $column, ) $op $marker | ( ( $column $op $term ) ) | "
                 "expr( $name , $term )"},
    {"tuple", "( 1 ) | ( $term, )"},
    {"insert", "INSERT INTO $table ( $column, ) VALUES ( $term, ) $ine? $using? | INSERT INTO "
               "$table JSON $jsonvalue $default? $ine? "
               "$using?"},
    {"jsonvalue", "'{}' | $marker"},
    {"default", "DEFAULT NULL | DEFAULT UNSET"},
    {"ine", "IF NOT EXISTS"},
    {"ie", "IF EXISTS"},
    {"using", "USING $item&"},
    {"item", "TTL $int | TIMESTAMP $int | $sitem"},
    {"dusing", "USING $ditem&"},
    {"ditem", "TIMESTAMP $int | $sitem"},
    {"update", "UPDATE $table $using? SET $assignment $where $condition? | UPDATE $table SET a = "
               "$term , $sub, $where"},
    {"assignment", "a = 1 | $column = $term | a = a + $term | a = a - $term | a = a -5 | a = $term "
                   "+ a | $column += $term | $sub"},
    {"sub", "b [ $term ] = $term | b . $name = $term | b -= $term"},
    {"condition", "IF EXISTS | IF $cond&"},
    {"cond", "a = 1 | $left $op $term | $left IN ( $term, ) | $left IN $marker | $left IN ( ) | "
             "$column CONTAINS $term | $column "
             "CONTAINS KEY $term"},
    {"left", "a | $column | $column [ $term ] | $column . $name"},
    {"delete", "DELETE FROM $table $dusing? $where $condition? | DELETE $deletion, FROM $table "
               "$dusing? $where $condition?"},
    {"deletion", "a | $column | $column [ $term ] | $column . $name"},
    {"batch", "BEGIN $batchkind? BATCH $using? $mods? APPLY BATCH"},
    {"batchkind", "UNLOGGED | COUNTER"},
    {"mods", "$mod | $mod $mods | $mod ; $mods"},
    {"mod", "$insert | $update | $delete"},
    {"keyspace", "CREATE KEYSPACE $ine? $name WITH $properties | ALTER KEYSPACE $ie? $name WITH "
                 "$properties | DROP KEYSPACE $ie? $name"},
    {"properties", "x = 1 | x = 'y' AND z = { } | $name = $value | a1 = $value AND a2 = $value AND "
                   "a3 = { 'k' : 1 , 2 : $literal }"},
    {"value", "1 | $literal | all | text | ttl | { } | { 'a' : 'b' }"},
    {"tables", "CREATE TABLE $ine? $table ( $def, ) $tprops? | CREATE TABLE $table ( a int PRIMARY "
               "KEY ,, $def , ) | ALTER TABLE $ie? "
               "$table $alter | DROP TABLE $ie? $table"},
    {"def", "a int | $coldef | $coldef PRIMARY KEY | PRIMARY KEY ( $name ) | PRIMARY KEY ( ( "
            "$name, ) , $name, )"},
    {"coldef", "a int | $name $type $static? $mask?"},
    {"static", "STATIC"},
    {"mask", "MASKED WITH DEFAULT | MASKED WITH $fname ( ) | MASKED WITH $fname ( $term, )"},
    {"tprops", "WITH $tprop&"},
    {"tprop", "COMPACT STORAGE | CLUSTERING ORDER BY ( a DESC , $name ASC )"},
    {"alter", "ADD a int | ADD $ine? $coldef | ADD $ine? ( $coldef, ) | DROP $name | DROP $ie? ( "
              "$name, ) | DROP $name USING TIMESTAMP -3 | "
              "RENAME $ie? $rename& | ALTER $name TYPE $type | ALTER $ie? $name $mask | ALTER $ie? "
              "$name DROP MASKED | DROP COMPACT "
              "STORAGE | DROP COMPACT | WITH $properties"},
    {"rename", "a TO b | $name TO $name"},
    {"types", "CREATE TYPE $ine? $utype ( $fdef, ) | ALTER TYPE $ie? $utype ADD $ine? $fdef | "
              "ALTER TYPE $utype ALTER $name TYPE $type | "
              "ALTER TYPE $utype RENAME $ie? $rename& | DROP TYPE $ie? $utype"},
    {"fdef", "a int | $name $type"},
    {"indexes", "CREATE $custom? INDEX $ine? $name? ON $table ( $target, ) $class? $wprops? | "
                "CREATE INDEX ON a ( ) | DROP INDEX $ie? $table"},
    {"custom", "CUSTOM"},
    {"target", "a | $column | keys ( $column ) | VALUES ( $column ) | full ( $column ) | entries ( "
               "$column )"},
    {"class", "USING 'sai'"},
    {"wprops", "WITH $properties"},
    {"views",
     "CREATE MATERIALIZED VIEW $ine? $table AS SELECT $what FROM $table $where? PRIMARY KEY ( ( "
     "$name, ) , $name ) $vprops? | "
     "ALTER MATERIALIZED VIEW $ie? $table WITH $properties | DROP MATERIALIZED VIEW $ie? $table"},
    {"vprops", "WITH CLUSTERING ORDER BY ( $name DESC ) AND x = 1"},
    {"functions", "CREATE $replace? FUNCTION $ine? $fname ( $fdef, ) $null ON NULL INPUT RETURNS "
                  "$type LANGUAGE Java AS $$it's$$ | CREATE "
                  "FUNCTION f ( ) $null ON NULL INPUT RETURNS int LANGUAGE timeout AS '' | DROP "
                  "FUNCTION $ie? $fname | DROP FUNCTION $fname "
                  "( ) | DROP FUNCTION $fname ( $type, ) | CREATE $replace? AGGREGATE $ine? $fname "
                  "( $type, ) SFUNC $function STYPE $type "
                  "$final? $init? | CREATE AGGREGATE a ( ) SFUNC s STYPE int | DROP AGGREGATE $ie? "
                  "$fname ( $type, ) | CREATE TRIGGER $ine? "
                  "$name ON $table USING 'c' | DROP TRIGGER $ie? $name ON $table"},
    {"replace", "OR REPLACE"},
    {"null", "CALLED | RETURNS NULL"},
    {"final", "FINALFUNC $function"},
    {"init", "INITCOND $term"},
    {"role", "r | 'R r' | $name | ''"},
    {"roles",
     "CREATE ROLE $ine? $role | CREATE ROLE $role WITH PASSWORD = 'x''y' AND LOGIN = true AND "
     "SUPERUSER = FALSE AND OPTIONS = { 'a' : 1 "
     "} | ALTER ROLE $ie? $role WITH HASHED PASSWORD = 'h' AND $access | DROP ROLE $ie? $role | "
     "CREATE USER $ine? Uu WITH PASSWORD 'p' "
     "SUPERUSER | ALTER USER $ie? 'u' NOSUPERUSER | CREATE USER 'it''s' WITH HASHED PASSWORD 'p' | "
     "DROP USER $ie? u | ADD IDENTITY "
     "$ine? 'i' TO ROLE $ident | DROP IDENTITY $ie? $ident | LIST USERS | LIST ROLES $of? $norec?"},
    {"ident", "a | 'b c' | ''"},
    {"access", "ACCESS TO ALL DATACENTERS | ACCESS TO DATACENTERS { 'a' , 'b' } AND ACCESS FROM "
               "CIDRS { 'c' } | ACCESS FROM ALL CIDRS"},
    {"of", "OF $role"},
    {"norec", "NORECURSIVE"},
    {"grants", "GRANT $perms ON $resource TO $role | REVOKE $perms ON $resource FROM $role | LIST "
               "$perms $on? $of? $norec? | GRANT $role TO "
               "$role | REVOKE $role FROM $role"},
    {"perms", "ALL | ALL PERMISSIONS | ALTER , AUTHORIZE PERMISSION , CREATE , DROP , SELECT , "
              "MODIFY , DESCRIBE , EXECUTE , UNMASK , "
              "SELECT_MASKED | AUTHORIZE"},
    {"on", "ON $resource"},
    {"resource", "t | ALL KEYSPACES | KEYSPACE $name | $table | TABLE $table | ALL TABLES IN "
                 "KEYSPACE $name | ALL ROLES | ROLE $role | ALL "
                 "FUNCTIONS | ALL FUNCTIONS IN KEYSPACE $name | FUNCTION $fname ( ) | FUNCTION "
                 "$fname ( $type, ) | ALL MBEANS | MBEAN 'a:b=c' | "
                 "MBEANS 'a:*'"},
    {"describe", "DESC $thing $internals?"},
    {"internals", "WITH INTERNALS"},
    {"thing", "CLUSTER | SCHEMA | FULL SCHEMA | KEYSPACES | KEYSPACE $name? | ONLY KEYSPACE $name? "
              "| TABLES | TABLE $table | INDEX $table | "
              "MATERIALIZED VIEW $table | TYPES | TYPE $utype | FUNCTIONS | FUNCTION $fname | "
              "AGGREGATES | AGGREGATE $fname | role . $name | \"Cluster\" . $name | a"},
};
#define RULES_COUNT (sizeof rules / sizeof rules[0])
#define TEXT_MAX    20000

static void expand(struct buf *out, struct prng *r, struct bytes name, int depth);

static void expand_item(struct buf *out, struct prng *r, struct bytes item, int depth)
{
    if (item.p[0] != '$' || item.n == 1 || item.p[1] == '$') {
        buf_put_bytes(out, item);
        buf_u8(out, ' ');
        return;
    }
    uint8_t last = item.p[item.n - 1];
    bool suffix = last == '?' || last == ',' || last == '&';
    struct bytes name = bytes_of(item.p + 1, item.n - 1 - suffix);
    if (last == '?' && prng_below(r, 2) == 0) {
        return;
    }
    uint64_t times = last == ',' || last == '&' ? 1 + prng_below(r, 3) : 1;
    for (uint64_t i = 0; i < times; i++) {
        buf_put_str(out, i == 0 ? "" : last == ',' ? ", " : "AND ");
        expand(out, r, name, depth + 1);
    }
}

/* Takes the next word off text up to a blank; empty at the end. */
static struct bytes word(struct bytes *text)
{
    size_t n = 0;
    while (n < text->n && text->p[n] != ' ') {
        n++;
    }
    struct bytes w = bytes_of(text->p, n);
    *text = bytes_skip(*text, n + (n < text->n));
    return w;
}

static void expand(struct buf *out, struct prng *r, struct bytes name, int depth)
{
    const char *alternatives = NULL;
    for (size_t i = 0; i < RULES_COUNT; i++) {
        if (bytes_equal_str(name, rules[i][0])) {
            alternatives = rules[i][1];
        }
    }
    assert_non_null(alternatives);
    struct bytes text = bytes_str(alternatives), rest = text, w;
    uint64_t count = 1;
    while (rest.n) {
        w = word(&rest);
        count += bytes_equal_str(w, "|");
    }
    uint64_t chosen = depth > 9 || out->n > TEXT_MAX ? 0 : prng_below(r, count);
    while (text.n) {
        w = word(&text);
        if (bytes_equal_str(w, "|")) {
            if (chosen-- == 0) {
                return;
            }
        } else if (chosen == 0) {
            expand_item(out, r, w, depth);
        }
    }
}

static void check(struct bytes text, uint64_t seed, uint32_t *kinds, size_t *accepted)
{
    struct arena a;
    arena_init(&a, 0);
    struct fail fail = {.arena = &a};
    struct ast_statement *s, *again;
    if (cql_parse(text, &a, &s, &fail) == OK) {
        ++*accepted;
        kinds[s->kind]++;
        struct buf first = buf_in(&a), second = buf_in(&a), dump = buf_in(&a),
                   dump_again = buf_in(&a);
        ast_print(&first, s);
        if (cql_parse(buf_bytes(&first), &a, &again, &fail) != OK) {
            fail_msg("seed %llu: %.*s\nprinted: %.*s\n%.*s", (unsigned long long)seed,
                     BYTES_FMT(text), BYTES_FMT(buf_bytes(&first)), BYTES_FMT(fail.message));
        }
        ast_print(&second, again);
        dump_statement(&dump, s);
        dump_statement(&dump_again, again);
        if (!bytes_equal(buf_bytes(&dump), buf_bytes(&dump_again)) ||
            !bytes_equal(buf_bytes(&first), buf_bytes(&second))) {
            fail_msg("seed %llu: %.*s\nprinted: %.*s\nagain: %.*s\n%.*s\n%.*s",
                     (unsigned long long)seed, BYTES_FMT(text), BYTES_FMT(buf_bytes(&first)),
                     BYTES_FMT(buf_bytes(&second)), BYTES_FMT(buf_bytes(&dump)),
                     BYTES_FMT(buf_bytes(&dump_again)));
        }
    } else if (bytes_starts_with(fail.message, bytes_str("line "))) {
        fail_msg("seed %llu: %.*s\n%.*s", (unsigned long long)seed, BYTES_FMT(text),
                 BYTES_FMT(fail.message));
    } /* else a refusal that the generator does not avoid: a column set twice and the like */
    arena_free(&a);
}

static void test_print_then_parse_gives_the_same_tree(void **state)
{
    (void)state;
    uint32_t kinds[AST_STATEMENT_COUNT] = {0};
    size_t accepted = 0, count = 6000;
    for (uint64_t seed = 0; seed < count; seed++) {
        struct prng r;
        prng_init(&r, seed);
        struct buf text = {0};
        expand(&text, &r, bytes_str("statement"), 0);
        check(buf_bytes(&text), seed, kinds, &accepted);
        buf_free(&text);
    }
    assert_true(accepted > count * 9 / 10);
    for (int i = 0; i < AST_STATEMENT_COUNT; i++) {
        if (kinds[i] == 0) {
            fail_msg("no %s among the statements", ast_statement_text((enum ast_statement_kind)i));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print_then_parse_gives_the_same_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
