/* WHERE: relations compiled into restrictions of the primary key (and, for SELECT, of anything by filtering), and these evaluated
 * with bound values into partition keys and clustering ranges. Used by SELECT, UPDATE, DELETE (and INSERT, whose key values are
 * equalities).
 *
 * The rules and the texts are those of Cassandra 5.0's StatementRestrictions: which columns may be restricted how, in which order
 * errors are found, what needs ALLOW FILTERING. Compiled restrictions are immutable and live in the statement's arena. */
#ifndef CQL_PLAN_RESTRICT_H
#define CQL_PLAN_RESTRICT_H

#include "cql/plan/term.h"

enum restrict_statement { RESTRICT_SELECT, RESTRICT_INSERT, RESTRICT_UPDATE, RESTRICT_DELETE };

struct restrict_input {
    const struct table *table;
    enum restrict_statement statement;
    const struct ast_relation *where;
    size_t where_count;
    bool
        only_static; /* the statement selects or modifies static columns only: clustering columns may stay open */
    bool allow_filtering; /* SELECT … ALLOW FILTERING */
};

enum restriction_kind {
    RESTRICTION_EQ,       /* parts[0] = a value a column */
    RESTRICTION_IN,       /* a list of them, or one marker */
    RESTRICTION_SLICE,    /* bounds */
    RESTRICTION_CONTAINS, /* contains: CONTAINS, CONTAINS KEY, m[k] = v */
};

/* Values of one or several columns: as many terms as columns, or one marker of a tuple. */
struct restrict_tuple {
    struct term **terms; /* NULL with a marker */
    uint16_t terms_count;
    struct term *marker;
    const struct type *type; /* the marker's tuple type */
};

struct restrict_bound {
    bool set, inclusive;
    bool tuple; /* of a multi-column relation */
    struct restrict_tuple
        value; /* may cover fewer columns than the restriction: (c, d) > (1, 2) AND c < 5 */
};

struct restrict_contains {
    enum ast_operator op; /* CONTAINS, CONTAINS_KEY; EQ: map entry */
    struct term *key, *value;
};

struct restriction {
    enum restriction_kind kind;
    bool tuple;                    /* of a multi-column relation */
    const struct column **columns; /* neighbours in primary key order when several */
    uint16_t columns_count;
    struct restrict_tuple *values; /* EQ: one; IN: values_count */
    size_t values_count;
    struct term *in_marker;     /* IN ?: a list of values, or of tuples when tuple is set */
    const struct type *in_type; /* its type */
    struct restrict_bound start, end;
    struct restrict_contains *contains;
    size_t contains_count;
};

struct restrictions {
    const struct table *table;
    enum restrict_statement statement;
    struct restriction **pk; /* by position in the partition key; NULL: open */
    struct restriction **
        ck; /* by position in the clustering key; a multi-column one stands at each of its columns */
    struct restriction **others; /* of static and regular columns, by name */
    uint16_t pk_count, ck_count; /* columns restricted */
    size_t others_count;
    struct restriction *token; /* TOKEN(pk): EQ or SLICE; NULL when none */
    bool pk_has_in, ck_has_in, pk_has_slice, ck_has_slice;
    bool is_key_range;      /* SELECT over a token range rather than of given partitions */
    bool filters_pk;        /* restrictions of the partition key are checked row by row */
    bool filters;           /* anything is checked row by row */
    bool restricts_regular; /* any regular column is restricted */
};

/* ERR_INVALID with Cassandra's texts. */
err_t restrict_compile(struct compile *c, const struct restrict_input *in,
                       struct restrictions **out) MUST_USE;

/* SELECT's last check: a scan of a token range that has clustering restrictions or filters needs ALLOW FILTERING. */
err_t restrict_check_filtering(const struct restrictions *r, bool allow_filtering,
                               struct fail *fail) MUST_USE;

/* Is the column restricted by exactly one value (=, not IN). */
bool restrict_column_by_eq(const struct restrictions *r, const struct column *column);
/* Are all clustering columns restricted by = or IN: restrict_eval_clusterings() then names rows; else there are ranges only. */
bool restrict_names_rows(const struct restrictions *r);

/* The partition keys meant, serialised, in the order of their components' types, without duplicates; possibly none (empty IN).
 * Not for is_key_range. ERR_INVALID: null and unset values, "Key may not be empty", keys of more than MUTATION_PK_MAX bytes. */
err_t restrict_eval_keys(const struct restrictions *r, struct exec_env *env, struct bytes **keys,
                         size_t *count) MUST_USE;
/* The clustering rows meant, encoded, ascending, without duplicates; for a table without clustering columns, or when none is
 * restricted, the empty key. Only where restrict_names_rows(). Each is at most MUTATION_PK_MAX bytes. */
err_t restrict_eval_clusterings(const struct restrictions *r, struct exec_env *env,
                                struct bytes **cks, size_t *count) MUST_USE;
/* The clustering ranges meant, ascending and disjoint; possibly none. Restrictions that only filter do not narrow them. */
err_t restrict_eval_slices(const struct restrictions *r, struct exec_env *env,
                           struct slice **slices, size_t *count) MUST_USE;
/* The token range of is_key_range; false in *any when it is empty. */
struct token_range {
    struct token start, end; /* as struct read_command's */
    bool start_inclusive, end_exclusive;
};
err_t restrict_eval_tokens(const struct restrictions *r, struct exec_env *env,
                           struct token_range *out, bool *any) MUST_USE;

/* Values that an IN may multiply to, and bytes that they may take together. */
#define RESTRICT_PRODUCT_MAX       1000000
#define RESTRICT_PRODUCT_BYTES_MAX (256u << 20)

#endif
