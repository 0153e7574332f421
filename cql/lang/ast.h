/* What the parser makes of a statement: plain structs in the request's arena, no meaning yet.
 *
 * The tree says what was written and nothing more: whether a table exists, a literal fits its
 * column or two clauses may stand together is for cql/plan (Cassandra splits its own work the same
 * way: Raw and prepared statements). Only what Cassandra's grammar itself refuses is refused while
 * parsing.
 *
 * Conventions
 * - Every list is `items` + `items_count` (or `x` + `x_count`); a list may be empty, its pointer is
 * then NULL or unspecified.
 * - An absent name has text.p == NULL (ast_name_present()); the empty name "" is present with
 * text.n == 0.
 * - `source` is the node's own text, a slice of ast_statement.text, without surrounding blanks. Its
 * position in lines and columns is computed on demand: ast_position(). It is for messages only: two
 * trees that print alike are the same tree.
 * - Text of names, strings and literals points into ast_statement.text or the arena and lives as
 * long as the arena.
 * - `depth` of terms and types is at most CQL_DEPTH_MAX, so recursion over a tree is bounded.
 *
 * A parsed tree is never changed; any thread may read it. Source: Cassandra 5.0's grammar
 * (doc/cql3, Parser.g), plus USING TIMEOUT and USING CONSISTENCY, which are ours. */
#ifndef CQL_LANG_AST_H
#define CQL_LANG_AST_H

#include "cql/base/arena.h"
#include "cql/base/buf.h"
#include "cql/base/bytes.h"
#include "cql/base/err.h"

/* How deep terms and types may nest. Deeper statements are syntax errors. */
#define CQL_DEPTH_MAX 500

/* --- Names ------------------------------------------------------------------------------------ */

/* text is lower-case unless quoted; for quoted names the quotes are gone and "" is ". */
struct ast_name {
    struct bytes text;
    bool quoted;
};

static inline bool ast_name_present(struct ast_name n)
{
    return n.text.p != NULL;
}

/* [keyspace.]name of a table, view, type, function, index. */
struct ast_qualified_name {
    struct ast_name keyspace; /* absent when not written */
    struct ast_name name;
    struct bytes source;
};

/* --- Types ------------------------------------------------------------------------------------ */

enum ast_type_kind {
    AST_TYPE_NATIVE, /* name: "int", "varchar" … lower-case as written, so text and varchar differ
                        here */
    AST_TYPE_CUSTOM, /* name: the class name that stood in quotes */
    AST_TYPE_LIST,   /* args[0] */
    AST_TYPE_SET,    /* args[0] */
    AST_TYPE_MAP,    /* args[0], args[1] */
    AST_TYPE_TUPLE,  /* args, one or more */
    AST_TYPE_VECTOR, /* args[0], dimension */
    AST_TYPE_FROZEN, /* args[0] */
    AST_TYPE_USER,   /* user */
};

struct ast_type {
    enum ast_type_kind kind;
    uint32_t depth; /* 1 for a leaf */
    struct bytes source;
    struct bytes name;
    struct ast_qualified_name user;
    struct ast_type **args;
    size_t args_count;
    int32_t dimension;
};

/* --- Terms and selectors ---------------------------------------------------------------------- */

enum ast_literal_kind {
    AST_LITERAL_STRING,   /* text without quotes, '' undone */
    AST_LITERAL_INTEGER,  /* as written: "-12", any length */
    AST_LITERAL_FLOAT,    /* as written, or "NaN", "Infinity", "-Infinity" */
    AST_LITERAL_BOOLEAN,  /* as written: "true", "FALSE" */
    AST_LITERAL_DURATION, /* as written: "1h30m", "P1Y" */
    AST_LITERAL_UUID,     /* as written */
    AST_LITERAL_HEX,      /* as written, with 0x */
    AST_LITERAL_NULL,     /* "NULL" */
};

struct ast_literal {
    enum ast_literal_kind kind;
    struct bytes text;
};

enum ast_term_kind {
    /* In terms and in selectors: */
    AST_TERM_LITERAL, /* literal */
    AST_TERM_MARKER,  /* marker */
    AST_TERM_LIST,    /* elements; Cassandra's ArrayLiteral: a list or a vector */
    AST_TERM_SET,     /* elements; {} is an empty SET and may mean an empty map */
    AST_TERM_MAP, /* entries. In a selector {a: 1} is a MAP with a column as key and may mean a UDT
                   */
    AST_TERM_TUPLE,  /* elements; in a selector one element is just a parenthesis */
    AST_TERM_HINT,   /* (type) operand: convert.type, convert.operand */
    AST_TERM_CAST,   /* CAST(operand AS type): convert.type (native), convert.operand */
    AST_TERM_CALL,   /* call */
    AST_TERM_BINARY, /* binary */
    AST_TERM_NEGATE, /* operand */
    /* In terms only: */
    AST_TERM_UDT, /* fields */
    /* In selectors only: */
    AST_TERM_COLUMN,  /* column */
    AST_TERM_FIELD,   /* access.of, access.field: of.field */
    AST_TERM_ELEMENT, /* access.of, access.from: of[from] */
    AST_TERM_SLICE, /* access.of, access.from, access.to: of[from..to]; either may be NULL, not both
                     */
    AST_TERM_COUNT_ROWS,   /* COUNT(*); COUNT(1) is a CALL */
    AST_TERM_WRITETIME,    /* operand: COLUMN, or FIELD, ELEMENT, SLICE of one */
    AST_TERM_MAXWRITETIME, /* operand, as above */
    AST_TERM_TTL,          /* operand, as above */
};

struct ast_terms {
    struct ast_term **items;
    size_t items_count;
};
struct ast_map_entry {
    struct ast_term *key, *value;
};
struct ast_udt_field {
    struct ast_name name;
    struct ast_term *value;
};

struct ast_term {
    enum ast_term_kind kind;
    uint32_t depth; /* 1 for a leaf */
    struct bytes source;
    union {
        struct ast_literal literal;
        struct {
            uint32_t index;       /* 0, 1, … in order of appearance: two `:a` are two markers */
            struct ast_name name; /* absent for `?` */
        } marker;
        struct ast_terms elements;
        struct {
            struct ast_map_entry *items;
            size_t items_count;
        } entries;
        struct {
            struct ast_udt_field *items;
            size_t items_count;
        } fields;
        struct {
            struct ast_type *type;
            struct ast_term *operand;
        } convert;
        struct {
            struct ast_qualified_name function;
            struct ast_terms args;
        } call;
        struct {
            char op; /* + - * / % */
            struct ast_term *left, *right;
        } binary;
        struct ast_term *operand;
        struct ast_name column;
        struct {
            struct ast_term *of, *from, *to;
            struct ast_name field;
        } access;
    };
};

/* --- Clauses ---------------------------------------------------------------------------------- */

enum ast_operator {
    AST_OP_EQ,
    AST_OP_LT,
    AST_OP_LTE,
    AST_OP_GT,
    AST_OP_GTE,
    AST_OP_NEQ,
    AST_OP_IN,
    AST_OP_CONTAINS,
    AST_OP_CONTAINS_KEY,
    AST_OP_LIKE,
    AST_OP_IS_NOT_NULL,
};

/* "=", "<" … "CONTAINS KEY", "IS NOT"; static. */
const char *ast_operator_text(enum ast_operator op);

enum ast_relation_kind {
    AST_RELATION_COLUMN, /* columns[0] op value; all operators; IN: values, or value when it is a
                            marker */
    AST_RELATION_TUPLE, /* (columns) op value (a TUPLE or a MARKER); IN: values (TUPLEs or MARKERs),
                           or value a MARKER */
    AST_RELATION_TOKEN, /* TOKEN(columns) op value; comparisons only */
    AST_RELATION_MAP_ENTRY, /* columns[0][key] op value; comparisons only */
    AST_RELATION_INDEX,     /* expr(index, value) */
};

struct ast_relation {
    enum ast_relation_kind kind;
    enum ast_operator op;
    struct ast_name *columns;
    size_t columns_count;
    struct ast_term *key;
    struct ast_term *value;  /* NULL for IN (…) and IS NOT NULL */
    struct ast_terms values; /* of IN (…), possibly none */
    struct ast_qualified_name index;
    struct bytes source;
};

/* IF of UPDATE and DELETE. */
struct ast_condition {
    struct ast_name column;
    struct ast_term *element; /* column[element], else NULL */
    struct ast_name field;    /* column.field, else absent */
    enum ast_operator op;   /* comparisons, IN, CONTAINS [KEY] (the last only of a plain column) */
    struct ast_term *value; /* NULL for IN (…); a MARKER for IN ? */
    struct ast_terms values;
    struct bytes source;
};

/* IF [NOT] EXISTS, or conditions joined by AND. */
struct ast_if {
    bool exists, not_exists;
    struct ast_condition *items;
    size_t items_count;
};

/* USING … AND …. Any may be NULL; written twice, the last counts, as in Cassandra. */
enum ast_using_kind {
    AST_USING_TIMESTAMP,
    AST_USING_TTL,
    AST_USING_TIMEOUT,
    AST_USING_CONSISTENCY
};
struct ast_using_item {
    enum ast_using_kind kind;
    struct ast_term *value;      /* NULL for CONSISTENCY */
    struct ast_name consistency; /* of CONSISTENCY: lower-case unless quoted, not yet checked */
};
struct ast_using {
    struct ast_term *timestamp, *ttl; /* INTEGER or MARKER */
    struct ast_term *timeout;         /* DURATION or MARKER */
    struct ast_name consistency;
    struct ast_using_item *items; /* all, as written */
    size_t items_count;
};

struct ast_selector {
    struct ast_term *term;
    struct ast_name alias;
    struct bytes source; /* without the alias */
};

struct ast_ordering {
    struct ast_name column;
    struct ast_term *ann_of; /* ORDER BY column ANN OF term, else NULL */
    bool descending;
    struct bytes source;
};

/* name = value in a WITH. */
struct ast_property_entry {
    struct ast_literal key, value;
};
struct ast_property {
    struct ast_name name;
    bool is_map;     /* entries; else value */
    bool is_keyword; /* value is an unquoted word such as `WITH x = all`; its kind is STRING */
    struct ast_literal value; /* never NULL literals */
    struct ast_property_entry *entries;
    size_t entries_count;
    struct bytes source;
};
struct ast_clustering_order {
    struct ast_name column;
    bool descending;
};
struct ast_properties {
    struct ast_property *items; /* no name twice */
    size_t items_count;
    /* tables and views: */
    struct ast_clustering_order *clustering_order; /* all CLUSTERING ORDER BY joined */
    size_t clustering_order_count;
    bool compact_storage;
};

/* --- Data statements -------------------------------------------------------------------------- */

struct ast_select {
    bool json, distinct;
    struct ast_selector *selectors; /* none: `*` */
    size_t selectors_count;
    struct ast_qualified_name table;
    struct ast_relation *where;
    size_t where_count;
    struct ast_terms group_by; /* selectors */
    struct ast_ordering *order_by;
    size_t order_by_count;
    struct ast_term *per_partition_limit; /* INTEGER, MARKER or NULL */
    struct ast_term *limit;               /* the same */
    bool allow_filtering;
    struct ast_using using;
};

struct ast_insert {
    struct ast_qualified_name table;
    struct ast_name *columns; /* INSERT (…) VALUES (…) */
    size_t columns_count;
    struct ast_terms values; /* as written; the count may differ from columns_count */
    struct ast_term *json;   /* INSERT JSON: STRING or MARKER, else NULL */
    bool default_unset;      /* JSON … DEFAULT UNSET */
    bool if_not_exists;
    struct ast_using using;
};

enum ast_assignment_kind {
    AST_ASSIGN_SET,         /* c = value */
    AST_ASSIGN_ADD,         /* c = c + value, c += value */
    AST_ASSIGN_SUBTRACT,    /* c = c - value, c -= value */
    AST_ASSIGN_PREPEND,     /* c = value + c */
    AST_ASSIGN_SET_ELEMENT, /* c[element] = value */
    AST_ASSIGN_SET_FIELD,   /* c.field = value */
};
struct ast_assignment {
    enum ast_assignment_kind kind;
    struct ast_name column;
    struct ast_term *element;
    struct ast_name field;
    struct ast_term *value;
    struct bytes source;
};
struct ast_update {
    struct ast_qualified_name table;
    struct ast_using using;
    struct ast_assignment *set;
    size_t set_count;
    struct ast_relation *where;
    size_t where_count;
    struct ast_if condition;
};

struct ast_deletion {
    struct ast_name column;
    struct ast_term *element; /* DELETE c[element], else NULL */
    struct ast_name field;    /* DELETE c.field, else absent */
    struct bytes source;
};
struct ast_delete {
    struct ast_deletion *columns; /* none: whole rows */
    size_t columns_count;
    struct ast_qualified_name table;
    struct ast_using using; /* never a TTL */
    struct ast_relation *where;
    size_t where_count;
    struct ast_if condition;
};

enum ast_batch_kind { AST_BATCH_LOGGED, AST_BATCH_UNLOGGED, AST_BATCH_COUNTER };
struct ast_batch {
    enum ast_batch_kind kind;
    struct ast_using using;
    struct ast_statement *
        *items; /* INSERT, UPDATE, DELETE; markers are numbered through the whole batch */
    size_t items_count;
};

/* --- Schema statements ------------------------------------------------------------------------ */

/* CREATE KEYSPACE (if_exists means IF NOT EXISTS), ALTER KEYSPACE, DROP KEYSPACE (no properties).
 */
struct ast_keyspace {
    struct ast_name name;
    bool if_exists;
    struct ast_properties with;
};

/* MASKED WITH function(args) | MASKED WITH DEFAULT: then function is mask_default without
 * arguments. */
struct ast_mask {
    struct ast_qualified_name function;
    struct ast_terms args;
    bool is_default;
};
struct ast_column_def {
    struct ast_name name;
    struct ast_type *type;
    bool is_static;
    struct ast_mask *mask; /* NULL when none */
    bool primary_key; /* … PRIMARY KEY after the column; it then also stands in primary_keys */
    struct bytes source;
};
struct ast_primary_key {
    struct ast_name *partition; /* one or more */
    size_t partition_count;
    struct ast_name *clustering;
    size_t clustering_count;
    bool inline_column; /* made by `c type PRIMARY KEY` */
};
struct ast_create_table {
    struct ast_qualified_name name;
    bool if_not_exists;
    struct ast_column_def *columns;
    size_t columns_count;
    struct ast_primary_key *primary_keys; /* as many as written: exactly one is right */
    size_t primary_keys_count;
    struct ast_properties with;
};

struct ast_rename {
    struct ast_name from, to;
};
enum ast_alter_table_kind {
    AST_ALTER_TABLE_ADD,          /* columns; if_column = IF NOT EXISTS */
    AST_ALTER_TABLE_DROP,         /* names, timestamp; if_column = IF EXISTS */
    AST_ALTER_TABLE_RENAME,       /* renames; if_column = IF EXISTS */
    AST_ALTER_TABLE_TYPE,         /* names[0], type: ALTER c TYPE t */
    AST_ALTER_TABLE_MASK,         /* names[0], mask; if_column */
    AST_ALTER_TABLE_DROP_MASK,    /* names[0]; if_column */
    AST_ALTER_TABLE_DROP_COMPACT, /* DROP COMPACT STORAGE */
    AST_ALTER_TABLE_WITH,         /* with */
};
struct ast_alter_table {
    struct ast_qualified_name name;
    bool if_exists;
    enum ast_alter_table_kind kind;
    bool if_column;
    struct ast_column_def *columns;
    size_t columns_count;
    struct ast_name *names;
    size_t names_count;
    struct ast_term *timestamp; /* DROP … USING TIMESTAMP: INTEGER, else NULL */
    struct ast_rename *renames;
    size_t renames_count;
    struct ast_type *type;
    struct ast_mask *mask;
    struct ast_properties with;
};

struct ast_field_def {
    struct ast_name name;
    struct ast_type *type;
};
struct ast_create_type {
    struct ast_qualified_name name;
    bool if_not_exists;
    struct ast_field_def *fields;
    size_t fields_count;
};
enum ast_alter_type_kind {
    AST_ALTER_TYPE_ADD,    /* field; if_field = IF NOT EXISTS */
    AST_ALTER_TYPE_TYPE,   /* field: ALTER f TYPE t */
    AST_ALTER_TYPE_RENAME, /* renames; if_field = IF EXISTS */
};
struct ast_alter_type {
    struct ast_qualified_name name;
    bool if_exists;
    enum ast_alter_type_kind kind;
    bool if_field;
    struct ast_field_def field;
    struct ast_rename *renames;
    size_t renames_count;
};

enum ast_index_target_kind {
    AST_INDEX_TARGET_SIMPLE, /* c */
    AST_INDEX_TARGET_VALUES,
    AST_INDEX_TARGET_KEYS,
    AST_INDEX_TARGET_ENTRIES,
    AST_INDEX_TARGET_FULL,
};
struct ast_index_target {
    enum ast_index_target_kind kind;
    struct ast_name column;
};
struct ast_create_index {
    bool custom, if_not_exists;
    struct ast_name name; /* absent: the server makes one */
    struct ast_qualified_name table;
    struct ast_index_target *targets; /* may be empty */
    size_t targets_count;
    struct bytes using_class; /* p NULL when not given */
    struct ast_properties with;
};

struct ast_create_view {
    struct ast_qualified_name name, base;
    bool if_not_exists;
    struct ast_selector *selectors; /* none: `*` */
    size_t selectors_count;
    struct ast_relation *where;
    size_t where_count;
    struct ast_primary_key primary_key;
    struct ast_properties with;
};
struct ast_alter_view {
    struct ast_qualified_name name;
    bool if_exists;
    struct ast_properties with;
};

struct ast_function_arg {
    struct ast_name name;
    struct ast_type *type;
};
struct ast_create_function {
    bool or_replace, if_not_exists;
    struct ast_qualified_name name;
    struct ast_function_arg *args;
    size_t args_count;
    bool called_on_null_input; /* else RETURNS NULL ON NULL INPUT */
    struct ast_type *returns;
    struct bytes language; /* lower-case */
    struct bytes body;
};
struct ast_types {
    struct ast_type **items;
    size_t items_count;
};
struct ast_create_aggregate {
    bool or_replace, if_not_exists;
    struct ast_qualified_name name;
    struct ast_types args;
    struct ast_name sfunc;
    struct ast_type *stype;
    struct ast_name finalfunc; /* absent when not given */
    struct ast_term *initcond; /* NULL when not given */
};

/* DROP TABLE, TYPE, INDEX, MATERIALIZED VIEW, FUNCTION, AGGREGATE. */
struct ast_drop {
    struct ast_qualified_name name;
    bool if_exists;
    bool args_given; /* FUNCTION and AGGREGATE: f(…) rather than f */
    struct ast_types args;
};

/* CREATE TRIGGER (if_exists means IF NOT EXISTS) and DROP TRIGGER (no using_class). */
struct ast_trigger {
    struct ast_name name;
    struct ast_qualified_name table;
    bool if_exists;
    struct bytes using_class;
};

/* --- Access statements ------------------------------------------------------------------------ */

/* A role: as written in quotes of either kind, else lower-case. Printed quoted with "…". */
enum ast_role_option_kind {
    AST_ROLE_PASSWORD,        /* text */
    AST_ROLE_HASHED_PASSWORD, /* text */
    AST_ROLE_OPTIONS,         /* entries */
    AST_ROLE_SUPERUSER,       /* flag */
    AST_ROLE_LOGIN,           /* flag */
    AST_ROLE_DATACENTERS,     /* texts; none: ALL */
    AST_ROLE_CIDRS,           /* texts; none: ALL */
};
struct ast_role_option {
    enum ast_role_option_kind kind;
    bool flag;
    struct bytes text;
    struct bytes *texts;
    size_t texts_count;
    struct ast_property_entry *entries;
    size_t entries_count;
};
/* CREATE (if_exists means IF NOT EXISTS), ALTER, DROP of ROLE and USER. USER's own syntax gives
 * PASSWORD, HASHED_PASSWORD and SUPERUSER options only. */
struct ast_role {
    struct ast_name name;
    bool if_exists;
    struct ast_role_option
        *options; /* never PASSWORD and HASHED_PASSWORD together; no kind twice */
    size_t options_count;
};
/* ADD IDENTITY 'i' TO ROLE 'r' (if_exists means IF NOT EXISTS), DROP IDENTITY (no role). */
struct ast_identity {
    struct bytes identity, role;
    bool if_exists;
};

/* In the order of Cassandra's Permission enum as LIST shows it. */
enum ast_permission {
    AST_PERMISSION_CREATE,
    AST_PERMISSION_ALTER,
    AST_PERMISSION_DROP,
    AST_PERMISSION_SELECT,
    AST_PERMISSION_MODIFY,
    AST_PERMISSION_AUTHORIZE,
    AST_PERMISSION_DESCRIBE,
    AST_PERMISSION_EXECUTE,
    AST_PERMISSION_UNMASK,
    AST_PERMISSION_SELECT_MASKED,
    AST_PERMISSION_COUNT,
};
/* "CREATE" …; static. */
const char *ast_permission_text(enum ast_permission p);

enum ast_resource_kind {
    AST_RESOURCE_NONE, /* LIST … without ON */
    AST_RESOURCE_ALL_KEYSPACES,
    AST_RESOURCE_KEYSPACE,         /* name.keyspace */
    AST_RESOURCE_TABLE,            /* name */
    AST_RESOURCE_ALL_TABLES_IN,    /* name.keyspace */
    AST_RESOURCE_ALL_ROLES,        /* */
    AST_RESOURCE_ROLE,             /* name.name */
    AST_RESOURCE_ALL_FUNCTIONS,    /* */
    AST_RESOURCE_ALL_FUNCTIONS_IN, /* name.keyspace */
    AST_RESOURCE_FUNCTION,         /* name, args */
    AST_RESOURCE_ALL_MBEANS,       /* */
    AST_RESOURCE_MBEAN,            /* text */
    AST_RESOURCE_MBEANS,           /* text: a pattern */
};
struct ast_resource {
    enum ast_resource_kind kind;
    struct ast_qualified_name name;
    struct ast_types args;
    struct bytes text;
};
/* GRANT, REVOKE permissions; LIST permissions (role may be absent: all). */
struct ast_permissions {
    uint32_t permissions; /* bits 1 << AST_PERMISSION_x; all of them when ALL was written */
    bool all;
    struct ast_resource resource;
    struct ast_name role;
    bool norecursive;
};
/* GRANT role TO grantee, REVOKE role FROM grantee. */
struct ast_grant_role {
    struct ast_name role, grantee;
};
/* LIST ROLES [OF of] [NORECURSIVE]. */
struct ast_list_roles {
    struct ast_name of;
    bool norecursive;
};

/* --- DESCRIBE --------------------------------------------------------------------------------- */

enum ast_describe_kind {
    AST_DESCRIBE_CLUSTER,
    AST_DESCRIBE_SCHEMA,    /* full: FULL SCHEMA */
    AST_DESCRIBE_KEYSPACES, /* */
    AST_DESCRIBE_KEYSPACE,  /* name.keyspace, absent: the current one; only: ONLY KEYSPACE */
    AST_DESCRIBE_TABLES,    /* */
    AST_DESCRIBE_TABLE,
    AST_DESCRIBE_INDEX,
    AST_DESCRIBE_VIEW,
    AST_DESCRIBE_TYPES,
    AST_DESCRIBE_TYPE,
    AST_DESCRIBE_FUNCTIONS,
    AST_DESCRIBE_FUNCTION,
    AST_DESCRIBE_AGGREGATES,
    AST_DESCRIBE_AGGREGATE,
    AST_DESCRIBE_NAME, /* DESCRIBE [k.]n: whatever has that name */
};
struct ast_describe {
    enum ast_describe_kind kind;
    bool full, only, with_internals;
    struct ast_qualified_name name;
};

/* --- Statements ------------------------------------------------------------------------------- */

enum ast_statement_kind {
    AST_SELECT,
    AST_INSERT,
    AST_UPDATE,
    AST_DELETE,
    AST_BATCH,
    AST_USE,      /* use */
    AST_TRUNCATE, /* truncate */
    AST_CREATE_KEYSPACE,
    AST_ALTER_KEYSPACE,
    AST_DROP_KEYSPACE,
    AST_CREATE_TABLE,
    AST_ALTER_TABLE,
    AST_DROP_TABLE,
    AST_CREATE_TYPE,
    AST_ALTER_TYPE,
    AST_DROP_TYPE,
    AST_CREATE_INDEX,
    AST_DROP_INDEX,
    AST_CREATE_VIEW,
    AST_ALTER_VIEW,
    AST_DROP_VIEW,
    AST_CREATE_FUNCTION,
    AST_DROP_FUNCTION,
    AST_CREATE_AGGREGATE,
    AST_DROP_AGGREGATE,
    AST_CREATE_TRIGGER,
    AST_DROP_TRIGGER,
    AST_CREATE_ROLE,
    AST_ALTER_ROLE,
    AST_DROP_ROLE,
    AST_CREATE_USER,
    AST_ALTER_USER,
    AST_DROP_USER,
    AST_ADD_IDENTITY,
    AST_DROP_IDENTITY,
    AST_GRANT_PERMISSIONS,
    AST_REVOKE_PERMISSIONS,
    AST_LIST_PERMISSIONS,
    AST_GRANT_ROLE,
    AST_REVOKE_ROLE,
    AST_LIST_ROLES,
    AST_LIST_USERS,
    AST_DESCRIBE,
    AST_STATEMENT_COUNT,
};

struct ast_statement {
    enum ast_statement_kind kind;
    struct bytes
        text; /* the parser's copy of the whole text, NUL-terminated (the NUL is not counted) */
    struct bytes source;       /* of this statement: inside a batch only its own part */
    struct ast_term **markers; /* every bind marker, by index; the statements inside a batch have
                                  none of their own */
    size_t markers_count;
    union {
        struct ast_select select;
        struct ast_insert insert;
        struct ast_update update;
        struct ast_delete delete;
        struct ast_batch batch;
        struct ast_name use;
        struct ast_qualified_name truncate;
        struct ast_keyspace keyspace; /* CREATE, ALTER, DROP */
        struct ast_create_table create_table;
        struct ast_alter_table alter_table;
        struct ast_create_type create_type;
        struct ast_alter_type alter_type;
        struct ast_create_index create_index;
        struct ast_create_view create_view;
        struct ast_alter_view alter_view;
        struct ast_create_function create_function;
        struct ast_create_aggregate create_aggregate;
        struct ast_drop drop;       /* TABLE, TYPE, INDEX, VIEW, FUNCTION, AGGREGATE */
        struct ast_trigger trigger; /* CREATE, DROP */
        struct ast_role role;       /* CREATE, ALTER, DROP of ROLE, USER */
        struct ast_identity identity;
        struct ast_permissions permissions; /* GRANT, REVOKE, LIST */
        struct ast_grant_role grant_role;   /* GRANT, REVOKE */
        struct ast_list_roles list_roles;
        struct ast_describe describe;
    };
};

/* "SELECT", "CREATE TABLE", …; static. */
const char *ast_statement_text(enum ast_statement_kind kind);

struct ast_position {
    uint32_t line;   /* from 1 */
    uint32_t column; /* from 0, in UTF-16 units, as ANTLR counts */
};
/* Where at (a pointer into s->text) stands. O(length). */
struct ast_position ast_position(const struct ast_statement *s, const uint8_t *at);

/* --- Printing --------------------------------------------------------------------------------- */

/* Canonical CQL: one line, key words in upper case, names quoted only where needed. Parsing it
 * again gives an equal tree. */
void ast_print(struct buf *out, const struct ast_statement *s);
void ast_print_term(struct buf *out, const struct ast_term *t);
void ast_print_type(struct buf *out, const struct ast_type *t);

#endif
