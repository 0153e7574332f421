/* What lexer.re, grammar.y, build.c and parse.c share. Only this folder and its unit tests include
 * it. */
#ifndef CQL_LANG_PARSE_PRIV_H
#define CQL_LANG_PARSE_PRIV_H

#include "cql/lang/parse.h"

/* --- Lexer ------------------------------------------------------------------------------------ */

/* The text is followed by this many zero bytes: re2c's sentinel, and room for the keyword search to
 * load whole words. */
#define LEXER_PADDING 16

struct lexer {
    const uint8_t *at, *limit;
    /* After CQL_TOKEN_ERROR: the character that does not fit, and the tail of the message after it.
     */
    const uint8_t *error_at;
    const char *error_expecting; /* NULL: "no viable alternative" */
};

/* Returned by lexer_next() beside the tokens of grammar.h, of which 0 is the end. */
#define LEXER_ERROR (-1)

/* The next token and its text; blanks and comments are skipped. */
int lexer_next(struct lexer *l, struct bytes *text_out);

enum keyword_class {
    KEYWORD_NONE,
    KEYWORD_RESERVED,
    KEYWORD_BASIC,
    KEYWORD_NATIVE,
    KEYWORD_SPECIAL,
    KEYWORD_OWN,
};
/* word in any case. token_out may be NULL. */
enum keyword_class keyword_class(struct bytes word, int *token_out);

/* --- Parser state ----------------------------------------------------------------------------- */

/* A growing array in the arena. */
struct vec {
    void *items;
    size_t count, cap;
};
/* A zeroed slot at the end; valid until the next one is added. */
void *vec_add(struct arena *a, struct vec *v, size_t size);
#define VEC_ADD(p, v, T) ((T *)vec_add((p)->arena, (v), sizeof(T)))
/* Hands the array over as its two fields: VEC_MOVE(s->where, vec) sets s->where and s->where_count.
 */
#define VEC_MOVE(to, v)               \
    do {                              \
        const struct vec *vec_ = (v); \
        if (vec_) {                   \
            to = vec_->items;         \
            to##_count = vec_->count; \
        }                             \
    } while (0)

struct parse {
    struct arena *arena;
    struct fail *fail;
    struct bytes text;
    err_t err; /* the first error; the parser is not fed after it */
    /* the token being fed and the end of the one before: where the rule being reduced ends */
    struct bytes token;
    const uint8_t *end;
    /* for error.c: the selector whose subscript or field is being read; the last selector that had
     * one; what follows SELECT's JSON or DISTINCT until FROM. NULL when there is none. */
    const struct ast_term *subscripted, *postfix;
    const uint8_t *trial;
    struct vec markers; /* struct ast_term * */
    struct ast_statement *statement;
    struct ast_type *type;
    struct ast_term *term;
};

/* --- error.c ---------------------------------------------------------------------------------- */

void parse_error_lexer(struct parse *p, const struct lexer *l);
/* accepts(parser, token) tells which tokens could stand here. */
void parse_error_token(struct parse *p, int token, void *parser);
void parse_error_depth(struct parse *p);
/* An exception that Cassandra's parser does not expect: "Failed parsing statement: [...] reason:
 * Class message". */
void parse_error_failed(struct parse *p, const char *class_name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A message without position, as Cassandra's addRecognitionError. Keeps the first error. */
void parse_error(struct parse *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- parse.c ---------------------------------------------------------------------------------- */

/* Whether the token may be a column's name. */
bool parse_is_ident(int token);

/* --- grammar.y -------------------------------------------------------------------------------- */

size_t grammar_size(void);
void grammar_init(void *parser, struct parse *p);
void grammar_feed(void *parser, int token, struct bytes text);
/* Whether the parser could shift the token now (0: the end). Slow: for messages. */
bool grammar_accepts(void *parser, int token);
const char *grammar_token_name(int token);
/* The token's fallback (keyword to identifier class), 0 when it has none. */
int grammar_fallback(int token);
/* Tokens are 0 (the end) to this minus one. */
int grammar_tokens_count(void);

/* --- build.c: what the actions do ------------------------------------------------------------- */

/* From the token's first byte to the end of what was read. */
struct bytes build_source(const struct parse *p, const uint8_t *from);
/* IDENT, keyword or QUOTED_NAME. */
struct ast_name build_name(struct parse *p, struct bytes token);
/* STRING: '…' or $$…$$; also QUOTED_NAME. */
struct bytes build_string(struct parse *p, struct bytes token);
/* IDENT, keyword, QUOTED_NAME or STRING; `?` is an error. */
struct ast_name build_role(struct parse *p, struct bytes token);
struct ast_name build_user(struct parse *p, struct bytes token);
struct bytes build_identity(struct parse *p, struct bytes token);
/* keyspace.p NULL when there is none; either may be `?`, an error that says "… for <what> names".
 */
struct ast_qualified_name *build_qualified(struct parse *p, struct bytes keyspace,
                                           struct bytes name, const char *what);
struct ast_name build_keyspace_name(struct parse *p, struct bytes token);

/* Terms and selectors. A `v` is extended and returned; NULL starts a new one. */
struct ast_term *build_literal(struct parse *p, enum ast_literal_kind kind, struct bytes token);
/* An INTEGER that must fit 64 bits. */
struct ast_term *build_long(struct parse *p, struct bytes token);
struct ast_term *build_special_float(struct parse *p, struct bytes token, const char *text);
struct ast_term *build_marker(struct parse *p, struct bytes token, struct bytes name);
struct ast_term *build_elements(struct parse *p, enum ast_term_kind kind, const uint8_t *from,
                                struct vec *items);
struct ast_term *build_map(struct parse *p, const uint8_t *from, struct vec *entries);
struct ast_term *build_udt(struct parse *p, const uint8_t *from, struct vec *fields);
struct ast_term *build_convert(struct parse *p, enum ast_term_kind kind, const uint8_t *from,
                               struct ast_type *type, struct ast_term *operand);
struct ast_term *build_call(struct parse *p, struct bytes keyspace, struct bytes name,
                            struct vec *args);
struct ast_term *build_binary(struct parse *p, char op, struct ast_term *left,
                              struct ast_term *right);
/* NEGATE, WRITETIME, MAXWRITETIME, TTL; COUNT_ROWS with operand NULL. */
struct ast_term *build_unary(struct parse *p, enum ast_term_kind kind, const uint8_t *from,
                             struct ast_term *operand);
struct ast_term *build_column(struct parse *p, struct bytes token);
/* `of.` or `of[` was read: of, and the parser knows that it is inside its subscripts until the two
 * functions below. */
struct ast_term *build_access_of(struct parse *p, struct ast_term *of);
struct ast_term *build_field(struct parse *p, struct ast_term *of, struct bytes field);
struct ast_term *build_access(struct parse *p, struct ast_term *of, struct ast_term *range);
/* t is a whole selector with subscripts or fields. */
struct ast_term *build_postfix(struct parse *p, struct ast_term *t);
/* An ELEMENT or SLICE still without `of`. */
struct ast_term *build_range(struct parse *p, bool slice, struct ast_term *from,
                             struct ast_term *to);
/* The types of (a)(b)(c)operand, outermost first. */
struct vec *build_hint(struct parse *p, struct vec *v, struct bytes open, struct ast_type *type);
struct ast_term *build_hints(struct parse *p, const struct vec *hints, struct ast_term *operand);
struct vec *build_terms(struct parse *p, struct vec *v, struct ast_term *t);
struct vec *build_entry(struct parse *p, struct vec *v, struct ast_term *key,
                        struct ast_term *value);
struct vec *build_field_value(struct parse *p, struct vec *v, struct bytes name,
                              struct ast_term *value);
struct vec *build_names(struct parse *p, struct vec *v, struct bytes token);

struct ast_type *build_type(struct parse *p, enum ast_type_kind kind, const uint8_t *from,
                            struct vec *args);
struct ast_type *build_native(struct parse *p, struct bytes token);
struct ast_type *build_vector(struct parse *p, const uint8_t *from, struct ast_type *element,
                              struct bytes dimension);
struct ast_type *build_frozen(struct parse *p, const uint8_t *from, struct ast_type *inner);
struct ast_type *build_user_type(struct parse *p, struct ast_qualified_name *name);
struct vec *build_types(struct parse *p, struct vec *v, struct ast_type *t);
/* The few words that Cassandra reserves for types to come; refused unquoted, in this case. */
bool build_is_reserved_type(struct bytes name);
void build_check_type_name(struct parse *p, struct bytes token);

/* Data statements. */
struct ast_statement *build_statement(struct parse *p, enum ast_statement_kind kind,
                                      const uint8_t *from);
struct ast_relation *build_relation(struct parse *p, enum ast_relation_kind kind,
                                    const uint8_t *from);
struct ast_relation *build_column_relation(struct parse *p, struct bytes column,
                                           enum ast_operator op, struct ast_term *value);
struct vec *build_ordering(struct parse *p, struct vec *v, struct bytes column,
                           struct ast_term *ann, bool descending);
struct ast_using_item *build_using_item(struct parse *p, enum ast_using_kind kind,
                                        struct ast_term *value, struct bytes consistency);
struct ast_using *build_using(struct parse *p, struct ast_using *u,
                              const struct ast_using_item *item);
struct ast_assignment *build_assignment(struct parse *p, enum ast_assignment_kind kind,
                                        struct bytes column, struct ast_term *value);
/* c = d + value: c must be d. */
void build_check_assignment(struct parse *p, const struct ast_assignment *a, struct bytes other,
                            const char *form);
void build_check_assignments(struct parse *p, const struct ast_assignment *items, size_t count);
struct ast_condition *build_condition_left(struct parse *p, struct bytes column);
struct ast_condition *build_condition(struct parse *p, struct ast_condition *c,
                                      enum ast_operator op, struct ast_term *value,
                                      const struct vec *values);
struct ast_deletion *build_deletion(struct parse *p, struct bytes column, struct ast_term *element,
                                    struct bytes field);

/* --- build_schema.c --------------------------------------------------------------------------- */

struct ast_property *build_property_value(struct parse *p, struct bytes name,
                                          struct ast_literal value, bool keyword);
struct ast_property *build_property_map_value(struct parse *p, struct bytes name,
                                              const struct vec *entries);
struct ast_properties *build_property(struct parse *p, struct ast_properties *with,
                                      const struct ast_property *property);
struct ast_properties *build_compact(struct parse *p, struct ast_properties *with);
struct ast_properties *build_clustering(struct parse *p, struct ast_properties *with,
                                        const struct vec *order);
struct vec *build_clustering_column(struct parse *p, struct vec *v, struct bytes column,
                                    bool descending);
struct ast_statement *build_keyspace(struct parse *p, enum ast_statement_kind kind,
                                     struct bytes keyword, bool if_exists, struct bytes name,
                                     const struct ast_properties *with);
struct ast_create_table *build_table_column(struct parse *p, struct ast_create_table *t,
                                            const struct ast_column_def *c);
struct ast_create_table *build_table_key(struct parse *p, struct ast_create_table *t,
                                         const struct ast_primary_key *k);
struct ast_mask *build_mask(struct parse *p, const struct ast_qualified_name *function,
                            const struct vec *args);
struct ast_primary_key *build_primary_key(struct parse *p, const struct vec *partition,
                                          const struct vec *clustering);
struct ast_alter_table *build_alter_table(struct parse *p, enum ast_alter_table_kind kind,
                                          bool if_column, const struct vec *names);
struct ast_alter_table *build_alter_mask(struct parse *p, bool if_column, struct bytes column,
                                         struct ast_mask *mask);
struct vec *build_renames(struct parse *p, struct vec *v, struct bytes from, struct bytes to);
struct ast_statement *build_drop(struct parse *p, enum ast_statement_kind kind,
                                 struct bytes keyword, bool if_exists,
                                 const struct ast_qualified_name *name);
/* Fields of a type; also arguments of a function, which have the same shape. */
struct vec *build_field_def(struct parse *p, struct vec *v, struct bytes name,
                            struct ast_type *type);
struct ast_alter_type *build_alter_type(struct parse *p, enum ast_alter_type_kind kind,
                                        bool if_field, struct bytes name, struct ast_type *type);
struct ast_index_target *build_index_target(struct parse *p, enum ast_index_target_kind kind,
                                            struct bytes column);

struct vec *build_texts(struct parse *p, struct vec *v, struct bytes token);
struct ast_role_option *build_role_text(struct parse *p, enum ast_role_option_kind kind,
                                        struct bytes token);
struct ast_role_option *build_role_flag(struct parse *p, enum ast_role_option_kind kind,
                                        struct bytes token);
struct ast_role_option *build_role_map(struct parse *p, const struct vec *entries);
/* texts NULL: ALL. */
struct ast_role_option *build_role_access(struct parse *p, enum ast_role_option_kind kind,
                                          const struct vec *texts);
struct vec *build_role_option(struct parse *p, struct vec *v, const struct ast_role_option *option);
struct ast_statement *build_role_statement(struct parse *p, enum ast_statement_kind kind,
                                           struct bytes keyword, bool if_exists,
                                           struct ast_name name, const struct vec *options);
struct ast_resource *build_resource(struct parse *p, enum ast_resource_kind kind);
/* permissions as the grammar's rule of that name gives them; resource NULL: none. */
struct ast_statement *build_permissions(struct parse *p, enum ast_statement_kind kind,
                                        struct bytes keyword, uint32_t permissions,
                                        const struct ast_resource *resource);
struct ast_describe *build_describe(struct parse *p, enum ast_describe_kind kind,
                                    const struct ast_qualified_name *name);
struct ast_describe *build_describe_keyspace(struct parse *p, struct bytes name, bool only);

#endif
