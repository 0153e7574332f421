/* CQL's grammar: tokens to the tree of ast.h, nothing more; the actions only call build.c. It has
** no conflicts and lemon fails the build when one appears. Order and names follow Cassandra 5.0's
** grammar, so that the two can be read side by side.
**
** Keywords as identifiers. A keyword that no state needs beside an identifier falls back to BASIC
** or NATIVE where it is not expected (%fallback). One that may stand where an identifier may stand
** as well (`GRANT ALL` and `GRANT all TO bob`) is listed in bword or ident instead, and the token
** after it decides. keywords.def has the classes; a test compares.
**
** What one token of lookahead cannot decide, parse.c decides by looking further before it feeds the
** token, as Cassandra's syntactic predicates do: LPAREN_CAST and LPAREN_HINT open `(type) operand`,
** SPECIAL is a JSON or DISTINCT that is a column.
**
** The stack is in the arena, grows without recursion and is bounded (grammar_grow). */

%include {
#include "cql/lang/parse_priv.h"

#define YYNOERRORRECOVERY 1
#define YYMALLOCARGTYPE   size_t

/* The growing stack of the template is the only caller of malloc and realloc; p is the parser
 * there. */
static void *grammar_grow(struct parse *p, const void *old, size_t old_bytes, size_t bytes);
#define malloc(bytes)       grammar_grow(p->p, NULL, 0, (bytes))
#define realloc(old, bytes) grammar_grow(p->p, (old), old_stack_bytes(p), (bytes))
#define old_stack_bytes(p)  ((size_t)(p)->yystksz * sizeof((p)->yystack[0]))
#define free(pointer)       ((void)(pointer))

#define SOURCE(from) build_source(p, (from))
#define NAME(token)  build_name(p, (token))
}

%name grammar_lemon
%token_prefix CQL_TOKEN_
%token_type {struct bytes}
%default_type {struct bytes}
%extra_context {struct parse *p}
%stack_size 0
%start_symbol input

%syntax_error {
    (void)yyminor;
    parse_error_token(p, yymajor, yypParser);
}
%stack_overflow {
    parse_error_depth(p);
}

%fallback BASIC
    ACCESS AGGREGATES ANN AS CALLED CIDRS CLUSTER CONTAINS CUSTOM DATACENTERS FILTERING FINALFUNC
    FUNCTIONS GROUP HASHED IDENTITY INITCOND INPUT INTERNALS KEYSPACES LANGUAGE LIKE LOGIN MASKED
    NOLOGIN NOSUPERUSER OPTIONS PARTITION PASSWORD PER PERMISSION PERMISSIONS REPLACE RETURNS ROLES
    SFUNC STATIC STORAGE STYPE SUPERUSER TABLES TRIGGER TYPES UNSET USER USERS.
%fallback NATIVE TIMESTAMP COUNTER.
%fallback SPECIAL JSON DISTINCT.
%fallback IDENT CONSISTENCY TIMEOUT.
%fallback LPAREN LPAREN_CAST LPAREN_HINT.

input ::= statement(S) semicolons. { p->statement = S; }
input ::= START_TYPE type(T). { p->type = T; }
input ::= START_TERM term(T). { p->term = T; }
semicolons ::= .
semicolons ::= semicolons SEMICOLON.

%type statement {struct ast_statement *}
statement(S) ::= select(A). { S = A; }
statement(S) ::= modification(A). { S = A; }
statement(S) ::= batch(A). { S = A; }
statement(S) ::= schema_statement(A). { S = A; }
statement(S) ::= access_statement(A). { S = A; }
statement(S) ::= describe(A). { S = A; }

statement(S) ::= USE(K) keyspace_token(N). {
    S = build_statement(p, AST_USE, K.p);
    S->use = build_keyspace_name(p, N);
}
statement(S) ::= TRUNCATE(K) table_opt table_name(T). {
    S = build_statement(p, AST_TRUNCATE, K.p);
    S->truncate = *T;
}
table_opt ::= .
table_opt ::= TABLE.

/* --- Identifiers: their value is the token as written ----------------------------------------- */

bword(A) ::= BASIC(B). { A = B; }
bword(A) ::= AGGREGATE(B). { A = B; }
bword(A) ::= ALL(B). { A = B; }
bword(A) ::= CLUSTERING(B). { A = B; }
bword(A) ::= COMPACT(B). { A = B; }
bword(A) ::= DEFAULT(B). { A = B; }
bword(A) ::= EXISTS(B). { A = B; }
bword(A) ::= FROZEN(B). { A = B; }
bword(A) ::= FUNCTION(B). { A = B; }
bword(A) ::= KEYS(B). { A = B; }
bword(A) ::= LIST(B). { A = B; }
bword(A) ::= MAP(B). { A = B; }
bword(A) ::= MBEAN(B). { A = B; }
bword(A) ::= MBEANS(B). { A = B; }
bword(A) ::= ONLY(B). { A = B; }
bword(A) ::= ROLE(B). { A = B; }
bword(A) ::= SELECT_MASKED(B). { A = B; }
bword(A) ::= TUPLE(B). { A = B; }
bword(A) ::= TYPE(B). { A = B; }
bword(A) ::= UNMASK(B). { A = B; }
bword(A) ::= VALUES(B). { A = B; }
bword(A) ::= VECTOR(B). { A = B; }

/* Any unreserved keyword. */
word(A) ::= bword(B). { A = B; }
word(A) ::= NATIVE(B). { A = B; }
word(A) ::= CAST(B). { A = B; }
word(A) ::= COUNT(B). { A = B; }
word(A) ::= KEY(B). { A = B; }
word(A) ::= MAXWRITETIME(B). { A = B; }
word(A) ::= SPECIAL(B). { A = B; }
word(A) ::= TTL(B). { A = B; }
word(A) ::= WRITETIME(B). { A = B; }

ident(A) ::= IDENT(B). { A = B; }
ident(A) ::= QUOTED_NAME(B). { A = B; }
ident(A) ::= word(B). { A = B; }

/* A column; "" is the empty name of old tables. */
cident(A) ::= ident(B). { A = B; }
cident(A) ::= EMPTY_NAME(B). { A = B; }

/* A function's own name; fname0 without COUNT, which selectors treat apart. */
fname0(A) ::= IDENT(B). { A = B; }
fname0(A) ::= QUOTED_NAME(B). { A = B; }
fname0(A) ::= bword(B). { A = B; }
fname0(A) ::= NATIVE(B). { A = B; }
fname0(A) ::= TOKEN(B). { A = B; }
fname(A) ::= fname0(B). { A = B; }
fname(A) ::= COUNT(B). { A = B; }
/* The same in statements about functions: apart, so that its states do not merge with those of
 * calls. */
fname_decl(A) ::= IDENT(B). { A = B; }
fname_decl(A) ::= QUOTED_NAME(B). { A = B; }
fname_decl(A) ::= bword(B). { A = B; }
fname_decl(A) ::= NATIVE(B). { A = B; }
fname_decl(A) ::= TOKEN(B). { A = B; }
fname_decl(A) ::= COUNT(B). { A = B; }
%type function_name {struct ast_qualified_name *}
function_name(A) ::= fname_decl(N). { A = build_qualified(p, BYTES_NULL, N, "function"); }
function_name(A) ::= ident(K) DOT fname_decl(N). { A = build_qualified(p, K, N, "function"); }

keyspace_token(A) ::= ident(B). { A = B; }
keyspace_token(A) ::= QMARK(B). { A = B; }

%type table_name {struct ast_qualified_name *}
table_name(A) ::= keyspace_token(N). { A = build_qualified(p, BYTES_NULL, N, "table"); }
table_name(A) ::= keyspace_token(K) DOT keyspace_token(N). {
    A = build_qualified(p, K, N, "table");
}

%type index_name {struct ast_qualified_name *}
index_name(A) ::= keyspace_token(N). { A = build_qualified(p, BYTES_NULL, N, "index"); }
index_name(A) ::= keyspace_token(K) DOT keyspace_token(N). {
    A = build_qualified(p, K, N, "index");
}

role_token(A) ::= ident(B). { A = B; }
role_token(A) ::= STRING(B). { A = B; }
role_token(A) ::= QMARK(B). { A = B; }
%type role_name {struct ast_name}
role_name(A) ::= role_token(B). { A = build_role(p, B); }

%type names {struct vec *}
names(A) ::= ident(N). { A = build_names(p, NULL, N); }
names(A) ::= names(V) COMMA ident(N). { A = build_names(p, V, N); }
%type cidents {struct vec *}
cidents(A) ::= cident(N). { A = build_names(p, NULL, N); }
cidents(A) ::= cidents(V) COMMA cident(N). { A = build_names(p, V, N); }

%type if_exists {bool}
if_exists(A) ::= . { A = false; }
if_exists(A) ::= IF EXISTS. { A = true; }
%type if_not_exists {bool}
if_not_exists(A) ::= . { A = false; }
if_not_exists(A) ::= IF NOT EXISTS. { A = true; }

/* --- Types ------------------------------------------------------------------------------------ */

%type type {struct ast_type *}
type(A) ::= NATIVE(N). { A = build_native(p, N); }
type(A) ::= STRING(N). {
    A = build_type(p, AST_TYPE_CUSTOM, N.p, NULL);
    A->name = build_string(p, N);
}
type(A) ::= LIST(K) LT type(T) GT. {
    A = build_type(p, AST_TYPE_LIST, K.p, build_types(p, NULL, T));
}
type(A) ::= SET(K) LT type(T) GT. { A = build_type(p, AST_TYPE_SET, K.p, build_types(p, NULL, T)); }
type(A) ::= MAP(K) LT type(T) COMMA type(U) GT. {
    A = build_type(p, AST_TYPE_MAP, K.p, build_types(p, build_types(p, NULL, T), U));
}
type(A) ::= TUPLE(K) LT types(V) GT. { A = build_type(p, AST_TYPE_TUPLE, K.p, V); }
type(A) ::= VECTOR(K) LT type(T) COMMA INTEGER(N) GT. { A = build_vector(p, K.p, T, N); }
type(A) ::= FROZEN(K) LT type(T) GT. { A = build_frozen(p, K.p, T); }
type(A) ::= user_type_name(N). { A = build_user_type(p, N); }

%type user_type_name {struct ast_qualified_name *}
user_type_name(A) ::= type_ident(N). { A = build_qualified(p, BYTES_NULL, N, "type"); }
user_type_name(A) ::= ident(K) DOT type_ident(N). { A = build_qualified(p, K, N, "type"); }
type_ident(A) ::= IDENT(B). {
    build_check_type_name(p, B);
    A = B;
}
type_ident(A) ::= QUOTED_NAME(B). { A = B; }
type_ident(A) ::= bword(B). { A = B; }
type_ident(A) ::= KEY(B). { A = B; }

%type types {struct vec *}
types(A) ::= type(T). { A = build_types(p, NULL, T); }
types(A) ::= types(V) COMMA type(T). { A = build_types(p, V, T); }
%type types_opt {struct vec *}
types_opt(A) ::= . { A = NULL; }
types_opt(A) ::= types(V). { A = V; }

/* --- Terms ------------------------------------------------------------------------------------ */

%type constant {struct ast_term *}
constant(A) ::= STRING(T). { A = build_literal(p, AST_LITERAL_STRING, T); }
constant(A) ::= INTEGER(T). { A = build_literal(p, AST_LITERAL_INTEGER, T); }
constant(A) ::= FLOAT_LITERAL(T). { A = build_literal(p, AST_LITERAL_FLOAT, T); }
constant(A) ::= BOOLEAN_LITERAL(T). { A = build_literal(p, AST_LITERAL_BOOLEAN, T); }
constant(A) ::= DURATION_LITERAL(T). { A = build_literal(p, AST_LITERAL_DURATION, T); }
constant(A) ::= UUID_LITERAL(T). { A = build_literal(p, AST_LITERAL_UUID, T); }
constant(A) ::= HEX(T). { A = build_literal(p, AST_LITERAL_HEX, T); }
constant(A) ::= NAN(T). { A = build_special_float(p, T, "NaN"); }
constant(A) ::= INFINITY(T). {
    A = build_special_float(p, T, T.p[0] == '-' ? "-Infinity" : "Infinity");
}

%type marker {struct ast_term *}
marker(A) ::= QMARK(T). { A = build_marker(p, T, BYTES_NULL); }
marker(A) ::= COLON(T) ident(N). { A = build_marker(p, T, N); }

%type int_value {struct ast_term *}
int_value(A) ::= INTEGER(T). { A = build_literal(p, AST_LITERAL_INTEGER, T); }
int_value(A) ::= marker(T). { A = T; }

%type term {struct ast_term *}
%type term_add {struct ast_term *}
%type term_mul {struct ast_term *}
%type term_group {struct ast_term *}
%type simple_term {struct ast_term *}
term(A) ::= term_add(T). { A = T; }
term_add(A) ::= term_mul(T). { A = T; }
term_add(A) ::= term_add(L) PLUS term_mul(R). { A = build_binary(p, '+', L, R); }
term_add(A) ::= term_add(L) MINUS term_mul(R). { A = build_binary(p, '-', L, R); }
term_mul(A) ::= term_group(T). { A = T; }
term_mul(A) ::= term_mul(L) STAR term_group(R). { A = build_binary(p, '*', L, R); }
term_mul(A) ::= term_mul(L) SLASH term_group(R). { A = build_binary(p, '/', L, R); }
term_mul(A) ::= term_mul(L) PERCENT term_group(R). { A = build_binary(p, '%', L, R); }
term_group(A) ::= simple_term(T). { A = T; }
term_group(A) ::= MINUS(K) simple_term(T). { A = build_unary(p, AST_TERM_NEGATE, K.p, T); }

simple_term(A) ::= constant(T). { A = T; }
simple_term(A) ::= NULL(T). { A = build_literal(p, AST_LITERAL_NULL, T); }
simple_term(A) ::= marker(T). { A = T; }
simple_term(A) ::= LBRACKET(K) terms_opt(V) RBRACKET. {
    A = build_elements(p, AST_TERM_LIST, K.p, V);
}
simple_term(A) ::= LBRACE(K) terms_opt(V) RBRACE. { A = build_elements(p, AST_TERM_SET, K.p, V); }
simple_term(A) ::= LBRACE(K) term_entries(V) RBRACE. { A = build_map(p, K.p, V); }
simple_term(A) ::= LBRACE(K) udt_fields(V) RBRACE. { A = build_udt(p, K.p, V); }
simple_term(A) ::= tuple(T). { A = T; }
simple_term(A) ::= fname(N) LPAREN terms_opt(V) RPAREN. { A = build_call(p, BYTES_NULL, N, V); }
simple_term(A) ::= ident(Q) DOT fname(N) LPAREN terms_opt(V) RPAREN. { A = build_call(p, Q, N, V); }
simple_term(A) ::= LPAREN_CAST(K) type(T) RPAREN simple_term(O). {
    A = build_convert(p, AST_TERM_HINT, K.p, T, O);
}
simple_term(A) ::= CAST(K) LPAREN simple_term(O) AS NATIVE(N) RPAREN. {
    A = build_convert(p, AST_TERM_CAST, K.p, build_native(p, N), O);
}

%type tuple {struct ast_term *}
tuple(A) ::= LPAREN(K) terms(V) RPAREN. { A = build_elements(p, AST_TERM_TUPLE, K.p, V); }

%type terms {struct vec *}
terms(A) ::= term(T). { A = build_terms(p, NULL, T); }
terms(A) ::= terms(V) COMMA term(T). { A = build_terms(p, V, T); }
%type terms_opt {struct vec *}
terms_opt(A) ::= . { A = NULL; }
terms_opt(A) ::= terms(V). { A = V; }
%type term_entries {struct vec *}
term_entries(A) ::= term(K) COLON term(T). { A = build_entry(p, NULL, K, T); }
term_entries(A) ::= term_entries(V) COMMA term(K) COLON term(T). { A = build_entry(p, V, K, T); }
%type udt_fields {struct vec *}
udt_fields(A) ::= ident(N) COLON term(T). { A = build_field_value(p, NULL, N, T); }
udt_fields(A) ::= udt_fields(V) COMMA ident(N) COLON term(T). { A = build_field_value(p, V, N, T); }

/* --- SELECT ----------------------------------------------------------------------------------- */

%type select {struct ast_statement *}
select(A) ::= SELECT(K) json_opt(J) distinct_opt(D) selectors(V) FROM table_name(T) where_opt(W)
        group_by_opt(G) order_by_opt(O) partition_limit_opt(P) limit_opt(L) filtering_opt(F)
        using_select_opt(U). {
    A = build_statement(p, AST_SELECT, K.p);
    struct ast_select *s = &A->select;
    s->json = J;
    s->distinct = D;
    VEC_MOVE(s->selectors, V);
    s->table = *T;
    VEC_MOVE(s->where, W);
    VEC_MOVE(s->group_by.items, G);
    VEC_MOVE(s->order_by, O);
    s->per_partition_limit = P;
    s->limit = L;
    s->allow_filtering = F;
    if (U) {
        s->using = *U;
    }
}
%type json_opt {bool}
json_opt(A) ::= . { A = false; }
json_opt(A) ::= JSON. { A = true; }
%type distinct_opt {bool}
distinct_opt(A) ::= . { A = false; }
distinct_opt(A) ::= DISTINCT. { A = true; }

%type selectors {struct vec *}
%type selector_list {struct vec *}
selectors(A) ::= STAR. { A = NULL; }
selectors(A) ::= selector_list(V). { A = V; }
selector_list(A) ::= selector(S). {
    A = arena_new(p->arena, struct vec);
    *VEC_ADD(p, A, struct ast_selector) = *S;
}
selector_list(A) ::= selector_list(V) COMMA selector(S). {
    A = V;
    *VEC_ADD(p, A, struct ast_selector) = *S;
}
%type selector {struct ast_selector *}
selector(A) ::= expr(E). {
    A = arena_new(p->arena, struct ast_selector);
    A->term = E;
    A->source = E->source;
}
selector(A) ::= expr(E) AS ident(N). {
    A = arena_new(p->arena, struct ast_selector);
    A->term = E;
    A->source = E->source;
    A->alias = NAME(N);
}

%type expr {struct ast_term *}
%type expr_mul {struct ast_term *}
%type expr_group {struct ast_term *}
expr(A) ::= expr_mul(E). { A = E; }
expr(A) ::= expr(L) PLUS expr_mul(R). { A = build_binary(p, '+', L, R); }
expr(A) ::= expr(L) MINUS expr_mul(R). { A = build_binary(p, '-', L, R); }
expr_mul(A) ::= expr_group(E). { A = E; }
expr_mul(A) ::= expr_mul(L) STAR expr_group(R). { A = build_binary(p, '*', L, R); }
expr_mul(A) ::= expr_mul(L) SLASH expr_group(R). { A = build_binary(p, '/', L, R); }
expr_mul(A) ::= expr_mul(L) PERCENT expr_group(R). { A = build_binary(p, '%', L, R); }
expr_group(A) ::= MINUS(K) expr_group(E). { A = build_unary(p, AST_TERM_NEGATE, K.p, E); }
expr_group(A) ::= ident(N). { A = build_column(p, N); }
expr_group(A) ::= hints(V) ident(N). { A = build_hints(p, V, build_column(p, N)); }
expr_group(A) ::= postfix(E). { A = E; }

/* Everything but a bare or hinted column, which a dot may turn into the keyspace of a function. */
%type postfix {struct ast_term *}
postfix(A) ::= primary(E). { A = E; }
postfix(A) ::= hints(V) primary(E). { A = build_hints(p, V, E); }
postfix(A) ::= hints(V) ident(N) DOT ident(F). {
    A = build_field(p, build_hints(p, V, build_column(p, N)), F);
}
postfix(A) ::= ident(N) DOT ident(F). { A = build_field(p, build_column(p, N), F); }
postfix(A) ::= field_of(E) ident(F). { A = build_postfix(p, build_field(p, E, F)); }
postfix(A) ::= element_of(E) subscript(S) RBRACKET. { A = build_postfix(p, build_access(p, E, S)); }
%type field_of {struct ast_term *}
field_of(A) ::= postfix(E) DOT. { A = build_access_of(p, E); }
%type element_of {struct ast_term *}
element_of(A) ::= postfix(E) LBRACKET. { A = build_access_of(p, E); }
element_of(A) ::= ident(N) LBRACKET. { A = build_access_of(p, build_column(p, N)); }
element_of(A) ::= hints(V) ident(N) LBRACKET. {
    A = build_access_of(p, build_hints(p, V, build_column(p, N)));
}

%type subscript {struct ast_term *}
subscript(A) ::= term(F). { A = build_range(p, false, F, NULL); }
subscript(A) ::= term(F) RANGE. { A = build_range(p, true, F, NULL); }
subscript(A) ::= term(F) RANGE term(T). { A = build_range(p, true, F, T); }
subscript(A) ::= RANGE term(T). { A = build_range(p, true, NULL, T); }

%type hints {struct vec *}
hints(A) ::= hint_open(K) type(T) RPAREN. { A = build_hint(p, NULL, K, T); }
hints(A) ::= hints(V) hint_open(K) type(T) RPAREN. { A = build_hint(p, V, K, T); }
hint_open(A) ::= LPAREN_CAST(K). { A = K; }
hint_open(A) ::= LPAREN_HINT(K). { A = K; }

%type primary {struct ast_term *}
primary(A) ::= constant(T). { A = T; }
primary(A) ::= NULL(T). { A = build_literal(p, AST_LITERAL_NULL, T); }
primary(A) ::= marker(T). { A = T; }
primary(A) ::= LBRACKET(K) exprs_opt(V) RBRACKET. { A = build_elements(p, AST_TERM_LIST, K.p, V); }
primary(A) ::= LBRACE(K) exprs_opt(V) RBRACE. { A = build_elements(p, AST_TERM_SET, K.p, V); }
primary(A) ::= LBRACE(K) expr_entries(V) RBRACE. { A = build_map(p, K.p, V); }
primary(A) ::= LPAREN(K) exprs(V) RPAREN. { A = build_elements(p, AST_TERM_TUPLE, K.p, V); }
primary(A) ::= fname0(N) LPAREN exprs_opt(V) RPAREN. { A = build_call(p, BYTES_NULL, N, V); }
primary(A) ::= COUNT(N) LPAREN exprs_opt(V) RPAREN. { A = build_call(p, BYTES_NULL, N, V); }
primary(A) ::= ident(Q) DOT fname(N) LPAREN exprs_opt(V) RPAREN. { A = build_call(p, Q, N, V); }
primary(A) ::= COUNT(K) LPAREN STAR RPAREN. { A = build_unary(p, AST_TERM_COUNT_ROWS, K.p, NULL); }
primary(A) ::= WRITETIME(K) LPAREN chain(E) RPAREN. {
    A = build_unary(p, AST_TERM_WRITETIME, K.p, E);
}
primary(A) ::= MAXWRITETIME(K) LPAREN chain(E) RPAREN. {
    A = build_unary(p, AST_TERM_MAXWRITETIME, K.p, E);
}
primary(A) ::= TTL(K) LPAREN chain(E) RPAREN. { A = build_unary(p, AST_TERM_TTL, K.p, E); }
primary(A) ::= CAST(K) LPAREN expr(E) AS NATIVE(N) RPAREN. {
    A = build_convert(p, AST_TERM_CAST, K.p, build_native(p, N), E);
}

/* A column with subscripts and fields. */
%type chain {struct ast_term *}
chain(A) ::= ident(N). { A = build_column(p, N); }
chain(A) ::= chain(E) DOT ident(F). { A = build_field(p, E, F); }
chain(A) ::= chain(E) LBRACKET subscript(S) RBRACKET. { A = build_access(p, E, S); }

%type exprs {struct vec *}
exprs(A) ::= expr(E). { A = build_terms(p, NULL, E); }
exprs(A) ::= exprs(V) COMMA expr(E). { A = build_terms(p, V, E); }
%type exprs_opt {struct vec *}
exprs_opt(A) ::= . { A = NULL; }
exprs_opt(A) ::= exprs(V). { A = V; }
%type expr_entries {struct vec *}
expr_entries(A) ::= expr(K) COLON expr(E). { A = build_entry(p, NULL, K, E); }
expr_entries(A) ::= expr_entries(V) COMMA expr(K) COLON expr(E). { A = build_entry(p, V, K, E); }

%type group_by_opt {struct vec *}
group_by_opt(A) ::= . { A = NULL; }
group_by_opt(A) ::= GROUP BY exprs(V). { A = V; }

%type order_by_opt {struct vec *}
%type orderings {struct vec *}
order_by_opt(A) ::= . { A = NULL; }
order_by_opt(A) ::= ORDER BY orderings(V). { A = V; }
orderings(A) ::= cident(N) ann_opt(T) direction_opt(D). { A = build_ordering(p, NULL, N, T, D); }
orderings(A) ::= orderings(V) COMMA cident(N) ann_opt(T) direction_opt(D). {
    A = build_ordering(p, V, N, T, D);
}
%type ann_opt {struct ast_term *}
ann_opt(A) ::= . { A = NULL; }
ann_opt(A) ::= ANN OF term(T). { A = T; }
%type direction_opt {bool}
direction_opt(A) ::= . { A = false; }
direction_opt(A) ::= direction(D). { A = D; }
%type direction {bool}
direction(A) ::= ASC. { A = false; }
direction(A) ::= DESC. { A = true; }

%type partition_limit_opt {struct ast_term *}
partition_limit_opt(A) ::= . { A = NULL; }
partition_limit_opt(A) ::= PER PARTITION LIMIT int_value(T). { A = T; }
%type limit_opt {struct ast_term *}
limit_opt(A) ::= . { A = NULL; }
limit_opt(A) ::= LIMIT int_value(T). { A = T; }
%type filtering_opt {bool}
filtering_opt(A) ::= . { A = false; }
filtering_opt(A) ::= ALLOW FILTERING. { A = true; }

/* --- WHERE ------------------------------------------------------------------------------------ */

%type where_opt {struct vec *}
where_opt(A) ::= . { A = NULL; }
where_opt(A) ::= where(V). { A = V; }
%type where {struct vec *}
where(A) ::= WHERE relation_or_index(R). {
    A = arena_new(p->arena, struct vec);
    *VEC_ADD(p, A, struct ast_relation) = *R;
}
where(A) ::= where(V) AND relation_or_index(R). {
    A = V;
    *VEC_ADD(p, A, struct ast_relation) = *R;
}
%type relation_or_index {struct ast_relation *}
relation_or_index(A) ::= relation(R). { A = R; }
relation_or_index(A) ::= EXPR_LPAREN(K) keyspace_token(N) COMMA term(T) RPAREN. {
    A = build_relation(p, AST_RELATION_INDEX, K.p);
    A->index = *build_qualified(p, BYTES_NULL, N, "index");
    A->value = T;
}

%type comparison {enum ast_operator}
comparison(A) ::= EQ. { A = AST_OP_EQ; }
comparison(A) ::= LT. { A = AST_OP_LT; }
comparison(A) ::= LE. { A = AST_OP_LTE; }
comparison(A) ::= GT. { A = AST_OP_GT; }
comparison(A) ::= GE. { A = AST_OP_GTE; }
comparison(A) ::= NE. { A = AST_OP_NEQ; }

%type relation {struct ast_relation *}
relation(A) ::= cident(N) comparison(O) term(T). { A = build_column_relation(p, N, O, T); }
relation(A) ::= cident(N) LIKE term(T). { A = build_column_relation(p, N, AST_OP_LIKE, T); }
relation(A) ::= cident(N) IS NOT NULL. {
    A = build_column_relation(p, N, AST_OP_IS_NOT_NULL, NULL);
}
relation(A) ::= cident(N) CONTAINS term(T). { A = build_column_relation(p, N, AST_OP_CONTAINS, T); }
relation(A) ::= cident(N) CONTAINS KEY term(T). {
    A = build_column_relation(p, N, AST_OP_CONTAINS_KEY, T);
}
relation(A) ::= cident(N) IN marker(T). { A = build_column_relation(p, N, AST_OP_IN, T); }
relation(A) ::= cident(N) IN LPAREN terms_opt(V) RPAREN. {
    A = build_column_relation(p, N, AST_OP_IN, NULL);
    VEC_MOVE(A->values.items, V);
}
relation(A) ::= TOKEN(K) LPAREN cidents(C) RPAREN comparison(O) term(T). {
    A = build_relation(p, AST_RELATION_TOKEN, K.p);
    VEC_MOVE(A->columns, C);
    A->op = O;
    A->value = T;
}
relation(A) ::= cident(N) LBRACKET term(K) RBRACKET comparison(O) term(T). {
    A = build_column_relation(p, N, O, T);
    A->kind = AST_RELATION_MAP_ENTRY;
    A->key = K;
}
relation(A) ::= LPAREN(K) cidents(C) RPAREN IN marker(T). {
    A = build_relation(p, AST_RELATION_TUPLE, K.p);
    VEC_MOVE(A->columns, C);
    A->op = AST_OP_IN;
    A->value = T;
}
relation(A) ::= LPAREN(K) cidents(C) RPAREN IN LPAREN tuples_opt(V) RPAREN. {
    A = build_relation(p, AST_RELATION_TUPLE, K.p);
    VEC_MOVE(A->columns, C);
    A->op = AST_OP_IN;
    VEC_MOVE(A->values.items, V);
}
relation(A) ::= LPAREN(K) cidents(C) RPAREN comparison(O) tuple_or_marker(T). {
    A = build_relation(p, AST_RELATION_TUPLE, K.p);
    VEC_MOVE(A->columns, C);
    A->op = O;
    A->value = T;
}
relation(A) ::= LPAREN relation(R) RPAREN. { A = R; }

%type tuple_or_marker {struct ast_term *}
tuple_or_marker(A) ::= tuple(T). { A = T; }
tuple_or_marker(A) ::= marker(T). { A = T; }
%type tuples_opt {struct vec *}
%type tuples {struct vec *}
%type markers {struct vec *}
tuples_opt(A) ::= . { A = NULL; }
tuples_opt(A) ::= tuples(V). { A = V; }
tuples_opt(A) ::= markers(V). { A = V; }
tuples(A) ::= tuple(T). { A = build_terms(p, NULL, T); }
tuples(A) ::= tuples(V) COMMA tuple(T). { A = build_terms(p, V, T); }
markers(A) ::= marker(T). { A = build_terms(p, NULL, T); }
markers(A) ::= markers(V) COMMA marker(T). { A = build_terms(p, V, T); }

/* --- USING ------------------------------------------------------------------------------------ */

%type using_opt {struct ast_using *}
%type using {struct ast_using *}
using_opt(A) ::= . { A = NULL; }
using_opt(A) ::= using(U). { A = U; }
using(A) ::= USING using_item(I). { A = build_using(p, NULL, I); }
using(A) ::= using(U) AND using_item(I). { A = build_using(p, U, I); }
%type using_item {struct ast_using_item *}
using_item(A) ::= TTL int_value(T). { A = build_using_item(p, AST_USING_TTL, T, BYTES_NULL); }
using_item(A) ::= using_delete_item(I). { A = I; }

/* DELETE has no TTL. */
%type using_delete_opt {struct ast_using *}
%type using_delete {struct ast_using *}
using_delete_opt(A) ::= . { A = NULL; }
using_delete_opt(A) ::= using_delete(U). { A = U; }
using_delete(A) ::= USING using_delete_item(I). { A = build_using(p, NULL, I); }
using_delete(A) ::= using_delete(U) AND using_delete_item(I). { A = build_using(p, U, I); }
%type using_delete_item {struct ast_using_item *}
using_delete_item(A) ::= TIMESTAMP int_value(T). {
    A = build_using_item(p, AST_USING_TIMESTAMP, T, BYTES_NULL);
}
using_delete_item(A) ::= using_select_item(I). { A = I; }

/* SELECT has only what is ours. */
%type using_select_opt {struct ast_using *}
%type using_select {struct ast_using *}
using_select_opt(A) ::= . { A = NULL; }
using_select_opt(A) ::= using_select(U). { A = U; }
using_select(A) ::= USING using_select_item(I). { A = build_using(p, NULL, I); }
using_select(A) ::= using_select(U) AND using_select_item(I). { A = build_using(p, U, I); }
%type using_select_item {struct ast_using_item *}
using_select_item(A) ::= TIMEOUT DURATION_LITERAL(T). {
    A = build_using_item(p, AST_USING_TIMEOUT, build_literal(p, AST_LITERAL_DURATION, T),
                         BYTES_NULL);
}
using_select_item(A) ::= TIMEOUT marker(T). {
    A = build_using_item(p, AST_USING_TIMEOUT, T, BYTES_NULL);
}
using_select_item(A) ::= CONSISTENCY ident(N). {
    A = build_using_item(p, AST_USING_CONSISTENCY, NULL, N);
}

/* --- INSERT, UPDATE, DELETE, BATCH ------------------------------------------------------------ */

%type modification {struct ast_statement *}
modification(A) ::= INSERT(K) INTO table_name(T) LPAREN cidents(C) RPAREN VALUES LPAREN terms(V)
        RPAREN if_not_exists(I)
        using_opt(U). {
    A = build_statement(p, AST_INSERT, K.p);
    A->insert.table = *T;
    VEC_MOVE(A->insert.columns, C);
    VEC_MOVE(A->insert.values.items, V);
    A->insert.if_not_exists = I;
    if (U) {
        A->insert.using = *U;
    }
}
modification(A) ::= INSERT(K) INTO table_name(T) JSON json_value(J) default_opt(D) if_not_exists(I)
        using_opt(U). {
    A = build_statement(p, AST_INSERT, K.p);
    A->insert.table = *T;
    A->insert.json = J;
    A->insert.default_unset = D;
    A->insert.if_not_exists = I;
    if (U) {
        A->insert.using = *U;
    }
}
%type json_value {struct ast_term *}
json_value(A) ::= STRING(T). { A = build_literal(p, AST_LITERAL_STRING, T); }
json_value(A) ::= marker(T). { A = T; }
%type default_opt {bool}
default_opt(A) ::= . { A = false; }
default_opt(A) ::= DEFAULT NULL. { A = false; }
default_opt(A) ::= DEFAULT UNSET. { A = true; }

modification(A) ::= UPDATE(K) table_name(T) using_opt(U) SET assignments(V) where(W)
        condition_opt(C). {
    A = build_statement(p, AST_UPDATE, K.p);
    A->update.table = *T;
    if (U) {
        A->update.using = *U;
    }
    VEC_MOVE(A->update.set, V);
    VEC_MOVE(A->update.where, W);
    if (C) {
        A->update.condition = *C;
    }
    build_check_assignments(p, A->update.set, A->update.set_count);
}
%type assignments {struct vec *}
assignments(A) ::= assignment(S). {
    A = arena_new(p->arena, struct vec);
    *VEC_ADD(p, A, struct ast_assignment) = *S;
}
assignments(A) ::= assignments(V) COMMA assignment(S). {
    A = V;
    *VEC_ADD(p, A, struct ast_assignment) = *S;
}
%type assignment {struct ast_assignment *}
assignment(A) ::= cident(C) EQ term(T). { A = build_assignment(p, AST_ASSIGN_SET, C, T); }
assignment(A) ::= cident(C) EQ term_add(T) PLUS cident(D). {
    A = build_assignment(p, AST_ASSIGN_PREPEND, C, T);
    build_check_assignment(p, A, D, "<value> + X");
}
assignment(A) ::= cident(C) EQ cident(D) PLUS term(T). {
    A = build_assignment(p, AST_ASSIGN_ADD, C, T);
    build_check_assignment(p, A, D, "X +<value>");
}
assignment(A) ::= cident(C) EQ cident(D) MINUS term(T). {
    A = build_assignment(p, AST_ASSIGN_SUBTRACT, C, T);
    build_check_assignment(p, A, D, "X -<value>");
}
assignment(A) ::= cident(C) EQ cident(D) INTEGER(N). { /* X = X -3: the minus is the number's */
    A = build_assignment(p, AST_ASSIGN_ADD, C, build_literal(p, AST_LITERAL_INTEGER, N));
    build_check_assignment(p, A, D, N.p[0] == '-' ? "X - <value>" : "X + <value>");
}
assignment(A) ::= cident(C) PLUS_EQ term(T). { A = build_assignment(p, AST_ASSIGN_ADD, C, T); }
assignment(A) ::= cident(C) MINUS_EQ term(T). {
    A = build_assignment(p, AST_ASSIGN_SUBTRACT, C, T);
}
assignment(A) ::= cident(C) LBRACKET term(E) RBRACKET EQ term(T). {
    A = build_assignment(p, AST_ASSIGN_SET_ELEMENT, C, T);
    A->element = E;
}
assignment(A) ::= cident(C) DOT ident(F) EQ term(T). {
    A = build_assignment(p, AST_ASSIGN_SET_FIELD, C, T);
    A->field = NAME(F);
}

%type condition_opt {struct ast_if *}
condition_opt(A) ::= . { A = NULL; }
condition_opt(A) ::= IF EXISTS. {
    A = arena_new(p->arena, struct ast_if);
    A->exists = true;
}
condition_opt(A) ::= IF conditions(V). {
    A = arena_new(p->arena, struct ast_if);
    VEC_MOVE(A->items, V);
}
%type conditions {struct vec *}
conditions(A) ::= condition(C). {
    A = arena_new(p->arena, struct vec);
    *VEC_ADD(p, A, struct ast_condition) = *C;
}
conditions(A) ::= conditions(V) AND condition(C). {
    A = V;
    *VEC_ADD(p, A, struct ast_condition) = *C;
}
%type condition {struct ast_condition *}
%type condition_left {struct ast_condition *}
condition(A) ::= condition_left(L) comparison(O) term(T). { A = build_condition(p, L, O, T, NULL); }
condition(A) ::= condition_left(L) IN marker(T). { A = build_condition(p, L, AST_OP_IN, T, NULL); }
condition(A) ::= condition_left(L) IN LPAREN terms_opt(V) RPAREN. {
    A = build_condition(p, L, AST_OP_IN, NULL, V);
}
condition(A) ::= cident(N) CONTAINS term(T). {
    A = build_condition(p, build_condition_left(p, N), AST_OP_CONTAINS, T, NULL);
}
condition(A) ::= cident(N) CONTAINS KEY term(T). {
    A = build_condition(p, build_condition_left(p, N), AST_OP_CONTAINS_KEY, T, NULL);
}
condition_left(A) ::= cident(N). { A = build_condition_left(p, N); }
condition_left(A) ::= cident(N) LBRACKET term(T) RBRACKET. {
    A = build_condition_left(p, N);
    A->element = T;
}
condition_left(A) ::= cident(N) DOT ident(F). {
    A = build_condition_left(p, N);
    A->field = NAME(F);
}

modification(A) ::= DELETE(K) deletions_opt(V) FROM table_name(T) using_delete_opt(U) where(W)
        condition_opt(C). {
    A = build_statement(p, AST_DELETE, K.p);
    VEC_MOVE(A->delete.columns, V);
    A->delete.table = *T;
    if (U) {
        A->delete.using = *U;
    }
    VEC_MOVE(A->delete.where, W);
    if (C) {
        A->delete.condition = *C;
    }
}
%type deletions_opt {struct vec *}
%type deletions {struct vec *}
deletions_opt(A) ::= . { A = NULL; }
deletions_opt(A) ::= deletions(V). { A = V; }
deletions(A) ::= deletion(D). {
    A = arena_new(p->arena, struct vec);
    *VEC_ADD(p, A, struct ast_deletion) = *D;
}
deletions(A) ::= deletions(V) COMMA deletion(D). {
    A = V;
    *VEC_ADD(p, A, struct ast_deletion) = *D;
}
%type deletion {struct ast_deletion *}
deletion(A) ::= cident(N). { A = build_deletion(p, N, NULL, BYTES_NULL); }
deletion(A) ::= cident(N) LBRACKET term(T) RBRACKET. { A = build_deletion(p, N, T, BYTES_NULL); }
deletion(A) ::= cident(N) DOT ident(F). { A = build_deletion(p, N, NULL, F); }

%type batch {struct ast_statement *}
batch(A) ::= BEGIN(K) batch_kind(B) BATCH using_opt(U) batch_items(V) APPLY BATCH. {
    A = build_statement(p, AST_BATCH, K.p);
    A->batch.kind = B;
    if (U) {
        A->batch.using = *U;
    }
    VEC_MOVE(A->batch.items, V);
}
%type batch_kind {enum ast_batch_kind}
batch_kind(A) ::= . { A = AST_BATCH_LOGGED; }
batch_kind(A) ::= UNLOGGED. { A = AST_BATCH_UNLOGGED; }
batch_kind(A) ::= COUNTER. { A = AST_BATCH_COUNTER; }
%type batch_items {struct vec *}
batch_items(A) ::= . { A = NULL; }
batch_items(A) ::= batch_items(V) modification(S) semicolon_opt. {
    A = V ? V : arena_new(p->arena, struct vec);
    *VEC_ADD(p, A, struct ast_statement *) = S;
}
semicolon_opt ::= .
semicolon_opt ::= SEMICOLON.

/* --- Properties ------------------------------------------------------------------------------- */

%type properties {struct ast_properties *}
%type properties_opt {struct ast_properties *}
properties_opt(A) ::= . { A = NULL; }
properties_opt(A) ::= WITH properties(V). { A = V; }
properties(A) ::= property(E). { A = build_property(p, NULL, E); }
properties(A) ::= properties(V) AND property(E). { A = build_property(p, V, E); }

%type property {struct ast_property *}
property(A) ::= ident(N) EQ constant(T). { A = build_property_value(p, N, T->literal, false); }
property(A) ::= ident(N) EQ word(W). {
    A = build_property_value(p, N, (struct ast_literal){AST_LITERAL_STRING, W}, true);
}
property(A) ::= ident(N) EQ full_map(V). { A = build_property_map_value(p, N, V); }
/* NULL when empty. */
%type full_map {struct vec *}
full_map(A) ::= LBRACE RBRACE. { A = NULL; }
full_map(A) ::= LBRACE term_entries(V) RBRACE. { A = V; }

%type table_properties {struct ast_properties *}
%type table_properties_opt {struct ast_properties *}
table_properties_opt(A) ::= . { A = NULL; }
table_properties_opt(A) ::= table_properties(V). { A = V; }
table_properties(A) ::= WITH property(E). { A = build_property(p, NULL, E); }
table_properties(A) ::= WITH COMPACT STORAGE. { A = build_compact(p, NULL); }
table_properties(A) ::= WITH CLUSTERING ORDER BY LPAREN clustering_order(V) RPAREN. {
    A = build_clustering(p, NULL, V);
}
table_properties(A) ::= table_properties(T) AND property(E). { A = build_property(p, T, E); }
table_properties(A) ::= table_properties(T) AND COMPACT STORAGE. { A = build_compact(p, T); }
table_properties(A) ::= table_properties(T) AND CLUSTERING ORDER BY LPAREN clustering_order(V)
        RPAREN. {
    A = build_clustering(p, T, V);
}
%type clustering_order {struct vec *}
clustering_order(A) ::= ident(N) direction(D). { A = build_clustering_column(p, NULL, N, D); }
clustering_order(A) ::= clustering_order(V) COMMA ident(N) direction(D). {
    A = build_clustering_column(p, V, N, D);
}

/* --- Keyspaces and tables --------------------------------------------------------------------- */

%type schema_statement {struct ast_statement *}
schema_statement(A) ::= CREATE(K) KEYSPACE if_not_exists(I) keyspace_token(N) WITH properties(W). {
    A = build_keyspace(p, AST_CREATE_KEYSPACE, K, I, N, W);
}
schema_statement(A) ::= ALTER(K) KEYSPACE if_exists(I) keyspace_token(N) WITH properties(W). {
    A = build_keyspace(p, AST_ALTER_KEYSPACE, K, I, N, W);
}
schema_statement(A) ::= DROP(K) KEYSPACE if_exists(I) keyspace_token(N). {
    A = build_keyspace(p, AST_DROP_KEYSPACE, K, I, N, NULL);
}

schema_statement(A) ::= CREATE(K) TABLE if_not_exists(I) table_name(N) LPAREN table_items(T) RPAREN
        table_properties_opt(W). {
    A = build_statement(p, AST_CREATE_TABLE, K.p);
    A->create_table = *T;
    A->create_table.name = *N;
    A->create_table.if_not_exists = I;
    if (W) {
        A->create_table.with = *W;
    }
}
%type table_items {struct ast_create_table *}
table_items(A) ::= column_def(C). { A = build_table_column(p, NULL, C); }
table_items(A) ::= primary_key(K). { A = build_table_key(p, NULL, K); }
table_items(A) ::= table_items(T) COMMA column_def(C). { A = build_table_column(p, T, C); }
table_items(A) ::= table_items(T) COMMA primary_key(K). { A = build_table_key(p, T, K); }
table_items(A) ::= table_items(T) COMMA. { A = T; }
%type column_def {struct ast_column_def *}
column_def(A) ::= column(C). { A = C; }
column_def(A) ::= column(C) PRIMARY KEY. {
    A = C;
    A->primary_key = true;
}
%type column {struct ast_column_def *}
column(A) ::= ident(N) type(T) static_opt(S) mask_opt(M). {
    A = arena_new(p->arena, struct ast_column_def);
    A->name = NAME(N);
    A->type = T;
    A->is_static = S;
    A->mask = M;
    A->source = SOURCE(N.p);
}
%type static_opt {bool}
static_opt(A) ::= . { A = false; }
static_opt(A) ::= STATIC. { A = true; }
%type mask_opt {struct ast_mask *}
mask_opt(A) ::= . { A = NULL; }
mask_opt(A) ::= mask(M). { A = M; }
%type mask {struct ast_mask *}
mask(A) ::= MASKED WITH DEFAULT. { A = build_mask(p, NULL, NULL); }
mask(A) ::= MASKED WITH function_name(N) LPAREN terms_opt(V) RPAREN. { A = build_mask(p, N, V); }

%type primary_key {struct ast_primary_key *}
primary_key(A) ::= PRIMARY KEY LPAREN partition_key(V) RPAREN. {
    A = build_primary_key(p, V, NULL);
}
primary_key(A) ::= PRIMARY KEY LPAREN partition_key(V) COMMA names(C) RPAREN. {
    A = build_primary_key(p, V, C);
}
%type partition_key {struct vec *}
partition_key(A) ::= ident(N). { A = build_names(p, NULL, N); }
partition_key(A) ::= LPAREN names(V) RPAREN. { A = V; }

schema_statement(A) ::= ALTER(K) TABLE if_exists(I) table_name(N) alter_table(T). {
    A = build_statement(p, AST_ALTER_TABLE, K.p);
    A->alter_table = *T;
    A->alter_table.name = *N;
    A->alter_table.if_exists = I;
}
%type alter_table {struct ast_alter_table *}
alter_table(A) ::= ALTER cident(N) TYPE type(T). {
    A = build_alter_table(p, AST_ALTER_TABLE_TYPE, false, build_names(p, NULL, N));
    A->type = T;
}
alter_table(A) ::= ALTER cident(N) alter_mask(M). { A = build_alter_mask(p, false, N, M); }
alter_table(A) ::= ALTER IF EXISTS cident(N) alter_mask(M). { A = build_alter_mask(p, true, N, M); }
%type alter_mask {struct ast_mask *}
alter_mask(A) ::= mask(M). { A = M; }
alter_mask(A) ::= DROP MASKED. { A = NULL; }
alter_table(A) ::= ADD if_not_exists(I) column(C). {
    A = build_alter_table(p, AST_ALTER_TABLE_ADD, I, NULL);
    A->columns = C;
    A->columns_count = 1;
}
alter_table(A) ::= ADD if_not_exists(I) LPAREN columns(V) RPAREN. {
    A = build_alter_table(p, AST_ALTER_TABLE_ADD, I, NULL);
    VEC_MOVE(A->columns, V);
}
%type columns {struct vec *}
columns(A) ::= column(C). {
    A = arena_new(p->arena, struct vec);
    *VEC_ADD(p, A, struct ast_column_def) = *C;
}
columns(A) ::= columns(V) COMMA column(C). {
    A = V;
    *VEC_ADD(p, A, struct ast_column_def) = *C;
}
alter_table(A) ::= DROP drop_names(V) drop_timestamp_opt(T). {
    A = build_alter_table(p, AST_ALTER_TABLE_DROP, false, V);
    A->timestamp = T;
}
alter_table(A) ::= DROP IF EXISTS drop_names(V) drop_timestamp_opt(T). {
    A = build_alter_table(p, AST_ALTER_TABLE_DROP, true, V);
    A->timestamp = T;
}
%type drop_names {struct vec *}
drop_names(A) ::= ident(N). { A = build_names(p, NULL, N); }
drop_names(A) ::= LPAREN names(V) RPAREN. { A = V; }
%type drop_timestamp_opt {struct ast_term *}
drop_timestamp_opt(A) ::= . { A = NULL; }
drop_timestamp_opt(A) ::= USING TIMESTAMP INTEGER(T). { A = build_long(p, T); }
alter_table(A) ::= DROP COMPACT STORAGE. {
    A = build_alter_table(p, AST_ALTER_TABLE_DROP_COMPACT, false, NULL);
}
alter_table(A) ::= RENAME if_exists(I) renames(V). {
    A = build_alter_table(p, AST_ALTER_TABLE_RENAME, I, NULL);
    VEC_MOVE(A->renames, V);
}
alter_table(A) ::= WITH properties(W). {
    A = build_alter_table(p, AST_ALTER_TABLE_WITH, false, NULL);
    A->with = *W;
}
%type renames {struct vec *}
renames(A) ::= ident(F) TO ident(T). { A = build_renames(p, NULL, F, T); }
renames(A) ::= renames(V) AND ident(F) TO ident(T). { A = build_renames(p, V, F, T); }

schema_statement(A) ::= DROP(K) TABLE if_exists(I) table_name(N). {
    A = build_drop(p, AST_DROP_TABLE, K, I, N);
}

/* --- Types, indexes, views -------------------------------------------------------------------- */

schema_statement(A) ::= CREATE(K) TYPE if_not_exists(I) user_type_name(N) LPAREN field_defs(V)
        RPAREN. {
    A = build_statement(p, AST_CREATE_TYPE, K.p);
    A->create_type.name = *N;
    A->create_type.if_not_exists = I;
    VEC_MOVE(A->create_type.fields, V);
}
%type field_defs {struct vec *}
field_defs(A) ::= ident(N) type(T). { A = build_field_def(p, NULL, N, T); }
field_defs(A) ::= field_defs(V) COMMA ident(N) type(T). { A = build_field_def(p, V, N, T); }
field_defs(A) ::= field_defs(V) COMMA. { A = V; }
schema_statement(A) ::= ALTER(K) TYPE if_exists(I) user_type_name(N) alter_type(T). {
    A = build_statement(p, AST_ALTER_TYPE, K.p);
    A->alter_type = *T;
    A->alter_type.name = *N;
    A->alter_type.if_exists = I;
}
%type alter_type {struct ast_alter_type *}
alter_type(A) ::= ALTER ident(N) TYPE type(T). {
    A = build_alter_type(p, AST_ALTER_TYPE_TYPE, false, N, T);
}
alter_type(A) ::= ADD if_not_exists(I) ident(N) type(T). {
    A = build_alter_type(p, AST_ALTER_TYPE_ADD, I, N, T);
}
alter_type(A) ::= RENAME if_exists(I) renames(V). {
    A = build_alter_type(p, AST_ALTER_TYPE_RENAME, I, BYTES_NULL, NULL);
    VEC_MOVE(A->renames, V);
}
schema_statement(A) ::= DROP(K) TYPE if_exists(I) user_type_name(N). {
    A = build_drop(p, AST_DROP_TYPE, K, I, N);
}

schema_statement(A) ::= CREATE(K) custom_opt(C) INDEX if_not_exists(I) index_name_opt(N) ON
        table_name(T) LPAREN
        index_targets_opt(V) RPAREN index_class_opt(U) properties_opt(W). {
    A = build_statement(p, AST_CREATE_INDEX, K.p);
    struct ast_create_index *x = &A->create_index;
    x->custom = C;
    x->if_not_exists = I;
    x->table = *T;
    if (N.p) {
        x->name = build_qualified(p, BYTES_NULL, N, "index")->name;
    }
    VEC_MOVE(x->targets, V);
    x->using_class = U;
    if (W) {
        x->with = *W;
    }
}
%type custom_opt {bool}
custom_opt(A) ::= . { A = false; }
custom_opt(A) ::= CUSTOM. { A = true; }
index_name_opt(A) ::= . { A = BYTES_NULL; }
index_name_opt(A) ::= keyspace_token(N). { A = N; }
index_class_opt(A) ::= . { A = BYTES_NULL; }
index_class_opt(A) ::= USING STRING(T). { A = build_string(p, T); }
%type index_targets_opt {struct vec *}
%type index_targets {struct vec *}
index_targets_opt(A) ::= . { A = NULL; }
index_targets_opt(A) ::= index_targets(V). { A = V; }
index_targets(A) ::= index_target(T). {
    A = arena_new(p->arena, struct vec);
    *VEC_ADD(p, A, struct ast_index_target) = *T;
}
index_targets(A) ::= index_targets(V) COMMA index_target(T). {
    A = V;
    *VEC_ADD(p, A, struct ast_index_target) = *T;
}
%type index_target {struct ast_index_target *}
index_target(A) ::= cident(N). { A = build_index_target(p, AST_INDEX_TARGET_SIMPLE, N); }
index_target(A) ::= VALUES LPAREN cident(N) RPAREN. {
    A = build_index_target(p, AST_INDEX_TARGET_VALUES, N);
}
index_target(A) ::= KEYS LPAREN cident(N) RPAREN. {
    A = build_index_target(p, AST_INDEX_TARGET_KEYS, N);
}
index_target(A) ::= ENTRIES LPAREN cident(N) RPAREN. {
    A = build_index_target(p, AST_INDEX_TARGET_ENTRIES, N);
}
index_target(A) ::= FULL LPAREN cident(N) RPAREN. {
    A = build_index_target(p, AST_INDEX_TARGET_FULL, N);
}
schema_statement(A) ::= DROP(K) INDEX if_exists(I) index_name(N). {
    A = build_drop(p, AST_DROP_INDEX, K, I, N);
}

schema_statement(A) ::= CREATE(K) MATERIALIZED VIEW if_not_exists(I) table_name(N) AS SELECT
        selectors(S) FROM table_name(B)
        where_opt(R) primary_key(P) table_properties_opt(W). {
    A = build_statement(p, AST_CREATE_VIEW, K.p);
    struct ast_create_view *v = &A->create_view;
    v->name = *N;
    v->base = *B;
    v->if_not_exists = I;
    VEC_MOVE(v->selectors, S);
    VEC_MOVE(v->where, R);
    v->primary_key = *P;
    if (W) {
        v->with = *W;
        if (W->compact_storage) {
            parse_error(p, "COMPACT STORAGE tables are not allowed starting with version 4.0");
        }
    }
}
schema_statement(A) ::= ALTER(K) MATERIALIZED VIEW if_exists(I) table_name(N) WITH properties(W). {
    A = build_statement(p, AST_ALTER_VIEW, K.p);
    A->alter_view.name = *N;
    A->alter_view.if_exists = I;
    A->alter_view.with = *W;
}
schema_statement(A) ::= DROP(K) MATERIALIZED VIEW if_exists(I) table_name(N). {
    A = build_drop(p, AST_DROP_VIEW, K, I, N);
}

/* --- Functions, aggregates, triggers ---------------------------------------------------------- */

%type or_replace {bool}
or_replace(A) ::= . { A = false; }
or_replace(A) ::= OR REPLACE. { A = true; }
schema_statement(A) ::= CREATE(K) or_replace(O) FUNCTION if_not_exists(I) function_name(N) LPAREN
        function_args_opt(V)
        RPAREN null_input(C) ON NULL INPUT RETURNS type(T) LANGUAGE IDENT(L) AS
                        STRING(B). {
    A = build_statement(p, AST_CREATE_FUNCTION, K.p);
    struct ast_create_function *f = &A->create_function;
    f->or_replace = O;
    f->if_not_exists = I;
    f->name = *N;
    VEC_MOVE(f->args, V);
    f->called_on_null_input = C;
    f->returns = T;
    f->language = NAME(L).text;
    f->body = build_string(p, B);
}
%type null_input {bool}
null_input(A) ::= RETURNS NULL. { A = false; }
null_input(A) ::= CALLED. { A = true; }
%type function_args_opt {struct vec *}
%type function_args {struct vec *}
function_args_opt(A) ::= . { A = NULL; }
function_args_opt(A) ::= function_args(V). { A = V; }
function_args(A) ::= ident(N) type(T). { A = build_field_def(p, NULL, N, T); }
function_args(A) ::= function_args(V) COMMA ident(N) type(T). { A = build_field_def(p, V, N, T); }
schema_statement(A) ::= DROP(K) FUNCTION if_exists(I) function_name(N). {
    A = build_drop(p, AST_DROP_FUNCTION, K, I, N);
}
schema_statement(A) ::= DROP(K) FUNCTION if_exists(I) function_name(N) LPAREN types_opt(V) RPAREN. {
    A = build_drop(p, AST_DROP_FUNCTION, K, I, N);
    A->drop.args_given = true;
    VEC_MOVE(A->drop.args.items, V);
}

schema_statement(A) ::= CREATE(K) or_replace(O) AGGREGATE if_not_exists(I) function_name(N) LPAREN
        types_opt(V) RPAREN
        SFUNC fname(F) STYPE type(T) finalfunc_opt(G) initcond_opt(C). {
    A = build_statement(p, AST_CREATE_AGGREGATE, K.p);
    struct ast_create_aggregate *g = &A->create_aggregate;
    g->or_replace = O;
    g->if_not_exists = I;
    g->name = *N;
    VEC_MOVE(g->args.items, V);
    g->sfunc = NAME(F);
    g->stype = T;
    if (G.p) {
        g->finalfunc = NAME(G);
    }
    g->initcond = C;
}
finalfunc_opt(A) ::= . { A = BYTES_NULL; }
finalfunc_opt(A) ::= FINALFUNC fname(N). { A = N; }
%type initcond_opt {struct ast_term *}
initcond_opt(A) ::= . { A = NULL; }
initcond_opt(A) ::= INITCOND term(T). { A = T; }
schema_statement(A) ::= DROP(K) AGGREGATE if_exists(I) function_name(N). {
    A = build_drop(p, AST_DROP_AGGREGATE, K, I, N);
}
schema_statement(A) ::= DROP(K) AGGREGATE if_exists(I) function_name(N) LPAREN types_opt(V) RPAREN.
        {
    A = build_drop(p, AST_DROP_AGGREGATE, K, I, N);
    A->drop.args_given = true;
    VEC_MOVE(A->drop.args.items, V);
}

schema_statement(A) ::= CREATE(K) TRIGGER if_not_exists(I) ident(N) ON table_name(T) USING
        STRING(C). {
    A = build_statement(p, AST_CREATE_TRIGGER, K.p);
    A->trigger = (struct ast_trigger){NAME(N), *T, I, build_string(p, C)};
}
schema_statement(A) ::= DROP(K) TRIGGER if_exists(I) ident(N) ON table_name(T). {
    A = build_statement(p, AST_DROP_TRIGGER, K.p);
    A->trigger = (struct ast_trigger){NAME(N), *T, I, BYTES_NULL};
}

/* --- Roles and permissions -------------------------------------------------------------------- */

%type access_statement {struct ast_statement *}
access_statement(A) ::= CREATE(K) ROLE if_not_exists(I) role_name(N) role_options_opt(V). {
    A = build_role_statement(p, AST_CREATE_ROLE, K, I, N, V);
}
access_statement(A) ::= ALTER(K) ROLE if_exists(I) role_name(N) role_options_opt(V). {
    A = build_role_statement(p, AST_ALTER_ROLE, K, I, N, V);
}
access_statement(A) ::= DROP(K) ROLE if_exists(I) role_name(N). {
    A = build_role_statement(p, AST_DROP_ROLE, K, I, N, NULL);
}
%type role_options_opt {struct vec *}
%type role_options {struct vec *}
role_options_opt(A) ::= . { A = NULL; }
role_options_opt(A) ::= WITH role_options(V). { A = V; }
role_options(A) ::= role_option(O). { A = build_role_option(p, NULL, O); }
role_options(A) ::= role_options(V) AND role_option(O). { A = build_role_option(p, V, O); }
%type role_option {struct ast_role_option *}
role_option(A) ::= PASSWORD EQ STRING(T). { A = build_role_text(p, AST_ROLE_PASSWORD, T); }
role_option(A) ::= HASHED PASSWORD EQ STRING(T). {
    A = build_role_text(p, AST_ROLE_HASHED_PASSWORD, T);
}
role_option(A) ::= OPTIONS EQ full_map(V). { A = build_role_map(p, V); }
role_option(A) ::= SUPERUSER EQ BOOLEAN_LITERAL(T). {
    A = build_role_flag(p, AST_ROLE_SUPERUSER, T);
}
role_option(A) ::= LOGIN EQ BOOLEAN_LITERAL(T). { A = build_role_flag(p, AST_ROLE_LOGIN, T); }
role_option(A) ::= ACCESS TO ALL DATACENTERS. {
    A = build_role_access(p, AST_ROLE_DATACENTERS, NULL);
}
role_option(A) ::= ACCESS TO DATACENTERS LBRACE strings(V) RBRACE. {
    A = build_role_access(p, AST_ROLE_DATACENTERS, V);
}
role_option(A) ::= ACCESS FROM ALL CIDRS. { A = build_role_access(p, AST_ROLE_CIDRS, NULL); }
role_option(A) ::= ACCESS FROM CIDRS LBRACE strings(V) RBRACE. {
    A = build_role_access(p, AST_ROLE_CIDRS, V);
}
%type strings {struct vec *}
strings(A) ::= STRING(T). { A = build_texts(p, NULL, T); }
strings(A) ::= strings(V) COMMA STRING(T). { A = build_texts(p, V, T); }

access_statement(A) ::= CREATE(K) USER if_not_exists(I) user_name(N) user_password_opt(V)
        superuser_opt(S). {
    A = build_role_statement(p, AST_CREATE_USER, K, I, N, S ? build_role_option(p, V, S) : V);
}
access_statement(A) ::= ALTER(K) USER if_exists(I) user_name(N) user_password_opt(V)
        superuser_opt(S). {
    A = build_role_statement(p, AST_ALTER_USER, K, I, N, S ? build_role_option(p, V, S) : V);
}
access_statement(A) ::= DROP(K) USER if_exists(I) user_name(N). {
    A = build_role_statement(p, AST_DROP_USER, K, I, N, NULL);
}
%type user_name {struct ast_name}
user_name(A) ::= IDENT(T). { A = build_user(p, T); }
user_name(A) ::= STRING(T). { A = build_user(p, T); }
user_name(A) ::= QUOTED_NAME(T). { A = build_user(p, T); }
%type user_password_opt {struct vec *}
user_password_opt(A) ::= . { A = NULL; }
user_password_opt(A) ::= WITH PASSWORD STRING(T). {
    A = build_role_option(p, NULL, build_role_text(p, AST_ROLE_PASSWORD, T));
}
user_password_opt(A) ::= WITH HASHED PASSWORD STRING(T). {
    A = build_role_option(p, NULL, build_role_text(p, AST_ROLE_HASHED_PASSWORD, T));
}
%type superuser_opt {struct ast_role_option *}
superuser_opt(A) ::= . { A = NULL; }
superuser_opt(A) ::= SUPERUSER. { A = build_role_flag(p, AST_ROLE_SUPERUSER, bytes_str("true")); }
superuser_opt(A) ::= NOSUPERUSER. {
    A = build_role_flag(p, AST_ROLE_SUPERUSER, bytes_str("false"));
}

access_statement(A) ::= ADD(K) IDENTITY if_not_exists(I) identity(N) TO ROLE identity(R). {
    A = build_statement(p, AST_ADD_IDENTITY, K.p);
    A->identity = (struct ast_identity){N, R, I};
}
access_statement(A) ::= DROP(K) IDENTITY if_exists(I) identity(N). {
    A = build_statement(p, AST_DROP_IDENTITY, K.p);
    A->identity = (struct ast_identity){N, BYTES_NULL, I};
}
identity(A) ::= IDENT(T). { A = build_identity(p, T); }
identity(A) ::= STRING(T). { A = build_identity(p, T); }
identity(A) ::= QUOTED_NAME(T). { A = build_identity(p, T); }

access_statement(A) ::= GRANT(K) permissions(G) ON resource(R) TO role_name(N). {
    A = build_permissions(p, AST_GRANT_PERMISSIONS, K, G, R);
    A->permissions.role = N;
}
access_statement(A) ::= REVOKE(K) permissions(G) ON resource(R) FROM role_name(N). {
    A = build_permissions(p, AST_REVOKE_PERMISSIONS, K, G, R);
    A->permissions.role = N;
}
access_statement(A) ::= GRANT(K) role_name(R) TO role_name(N). {
    A = build_statement(p, AST_GRANT_ROLE, K.p);
    A->grant_role = (struct ast_grant_role){R, N};
}
access_statement(A) ::= REVOKE(K) role_name(R) FROM role_name(N). {
    A = build_statement(p, AST_REVOKE_ROLE, K.p);
    A->grant_role = (struct ast_grant_role){R, N};
}
access_statement(A) ::= LIST(K) permissions(G) on_resource_opt(R) of_role_opt(N)
        norecursive_opt(C). {
    A = build_permissions(p, AST_LIST_PERMISSIONS, K, G, R);
    A->permissions.role = N;
    A->permissions.norecursive = C;
}
access_statement(A) ::= LIST(K) ROLES of_role_opt(N) norecursive_opt(C). {
    A = build_statement(p, AST_LIST_ROLES, K.p);
    A->list_roles = (struct ast_list_roles){N, C};
}
access_statement(A) ::= LIST(K) USERS. { A = build_statement(p, AST_LIST_USERS, K.p); }

%type on_resource_opt {struct ast_resource *}
on_resource_opt(A) ::= . { A = NULL; }
on_resource_opt(A) ::= ON resource(R). { A = R; }
%type of_role_opt {struct ast_name}
of_role_opt(A) ::= . { A = (struct ast_name){.quoted = false}; }
of_role_opt(A) ::= OF role_name(N). { A = N; }
%type norecursive_opt {bool}
norecursive_opt(A) ::= . { A = false; }
norecursive_opt(A) ::= NORECURSIVE. { A = true; }

/* A mask of 1 << AST_PERMISSION_x; ALL sets the bit AST_PERMISSION_COUNT too. */
%type permissions {uint32_t}
%type permission_list {uint32_t}
%type permission {enum ast_permission}
permissions(A) ::= ALL. { A = (2u << AST_PERMISSION_COUNT) - 1; }
permissions(A) ::= ALL PERMISSIONS. { A = (2u << AST_PERMISSION_COUNT) - 1; }
permissions(A) ::= permission_list(L). { A = L; }
permission_list(A) ::= permission(E) permission_opt. { A = 1u << E; }
permission_list(A) ::= permission_list(L) COMMA permission(E) permission_opt. { A = L | 1u << E; }
permission_opt ::= .
permission_opt ::= PERMISSION.
permission(A) ::= CREATE. { A = AST_PERMISSION_CREATE; }
permission(A) ::= ALTER. { A = AST_PERMISSION_ALTER; }
permission(A) ::= DROP. { A = AST_PERMISSION_DROP; }
permission(A) ::= SELECT. { A = AST_PERMISSION_SELECT; }
permission(A) ::= MODIFY. { A = AST_PERMISSION_MODIFY; }
permission(A) ::= AUTHORIZE. { A = AST_PERMISSION_AUTHORIZE; }
permission(A) ::= DESCRIBE. { A = AST_PERMISSION_DESCRIBE; }
permission(A) ::= EXECUTE. { A = AST_PERMISSION_EXECUTE; }
permission(A) ::= UNMASK. { A = AST_PERMISSION_UNMASK; }
permission(A) ::= SELECT_MASKED. { A = AST_PERMISSION_SELECT_MASKED; }

%type resource {struct ast_resource *}
resource(A) ::= ALL KEYSPACES. { A = build_resource(p, AST_RESOURCE_ALL_KEYSPACES); }
resource(A) ::= KEYSPACE keyspace_token(K). {
    A = build_resource(p, AST_RESOURCE_KEYSPACE);
    A->name.keyspace = build_keyspace_name(p, K);
}
resource(A) ::= table_name(N). {
    A = build_resource(p, AST_RESOURCE_TABLE);
    A->name = *N;
}
resource(A) ::= TABLE table_name(N). {
    A = build_resource(p, AST_RESOURCE_TABLE);
    A->name = *N;
}
resource(A) ::= ALL TABLES IN KEYSPACE keyspace_token(K). {
    A = build_resource(p, AST_RESOURCE_ALL_TABLES_IN);
    A->name.keyspace = build_keyspace_name(p, K);
}
resource(A) ::= ALL ROLES. { A = build_resource(p, AST_RESOURCE_ALL_ROLES); }
resource(A) ::= ROLE role_name(N). {
    A = build_resource(p, AST_RESOURCE_ROLE);
    A->name.name = N;
}
resource(A) ::= ALL FUNCTIONS. { A = build_resource(p, AST_RESOURCE_ALL_FUNCTIONS); }
resource(A) ::= ALL FUNCTIONS IN KEYSPACE keyspace_token(K). {
    A = build_resource(p, AST_RESOURCE_ALL_FUNCTIONS_IN);
    A->name.keyspace = build_keyspace_name(p, K);
}
resource(A) ::= FUNCTION function_name(N) LPAREN types_opt(V) RPAREN. {
    A = build_resource(p, AST_RESOURCE_FUNCTION);
    A->name = *N;
    VEC_MOVE(A->args.items, V);
}
resource(A) ::= ALL MBEANS. { A = build_resource(p, AST_RESOURCE_ALL_MBEANS); }
resource(A) ::= MBEAN STRING(T). {
    A = build_resource(p, AST_RESOURCE_MBEAN);
    A->text = build_string(p, T);
}
resource(A) ::= MBEANS STRING(T). {
    A = build_resource(p, AST_RESOURCE_MBEANS);
    A->text = build_string(p, T);
}

/* --- DESCRIBE --------------------------------------------------------------------------------- */

%type describe {struct ast_statement *}
describe(A) ::= describe_keyword(K) describe_what(D) internals_opt(I). {
    A = build_statement(p, AST_DESCRIBE, K.p);
    A->describe = *D;
    A->describe.with_internals = I;
}
describe_keyword(A) ::= DESCRIBE(K). { A = K; }
describe_keyword(A) ::= DESC(K). { A = K; }
%type internals_opt {bool}
internals_opt(A) ::= . { A = false; }
internals_opt(A) ::= WITH INTERNALS. { A = true; }
%type describe_what {struct ast_describe *}
describe_what(A) ::= CLUSTER. { A = build_describe(p, AST_DESCRIBE_CLUSTER, NULL); }
describe_what(A) ::= SCHEMA. { A = build_describe(p, AST_DESCRIBE_SCHEMA, NULL); }
describe_what(A) ::= FULL SCHEMA. {
    A = build_describe(p, AST_DESCRIBE_SCHEMA, NULL);
    A->full = true;
}
describe_what(A) ::= KEYSPACES. { A = build_describe(p, AST_DESCRIBE_KEYSPACES, NULL); }
describe_what(A) ::= KEYSPACE keyspace_token_opt(N). { A = build_describe_keyspace(p, N, false); }
describe_what(A) ::= ONLY KEYSPACE keyspace_token_opt(N). {
    A = build_describe_keyspace(p, N, true);
}
keyspace_token_opt(A) ::= . { A = BYTES_NULL; }
keyspace_token_opt(A) ::= keyspace_token(N). { A = N; }
describe_what(A) ::= TABLES. { A = build_describe(p, AST_DESCRIBE_TABLES, NULL); }
describe_what(A) ::= TABLE table_name(N). { A = build_describe(p, AST_DESCRIBE_TABLE, N); }
describe_what(A) ::= INDEX table_name(N). { A = build_describe(p, AST_DESCRIBE_INDEX, N); }
describe_what(A) ::= MATERIALIZED VIEW table_name(N). {
    A = build_describe(p, AST_DESCRIBE_VIEW, N);
}
describe_what(A) ::= TYPES. { A = build_describe(p, AST_DESCRIBE_TYPES, NULL); }
describe_what(A) ::= TYPE user_type_name(N). { A = build_describe(p, AST_DESCRIBE_TYPE, N); }
describe_what(A) ::= FUNCTIONS. { A = build_describe(p, AST_DESCRIBE_FUNCTIONS, NULL); }
describe_what(A) ::= FUNCTION function_name(N). { A = build_describe(p, AST_DESCRIBE_FUNCTION, N); }
describe_what(A) ::= AGGREGATES. { A = build_describe(p, AST_DESCRIBE_AGGREGATES, NULL); }
describe_what(A) ::= AGGREGATE function_name(N). {
    A = build_describe(p, AST_DESCRIBE_AGGREGATE, N);
}
describe_what(A) ::= ident(N). {
    A = build_describe(p, AST_DESCRIBE_NAME, build_qualified(p, BYTES_NULL, N, "table"));
}
describe_what(A) ::= ident(K) DOT ident(N). {
    A = build_describe(p, AST_DESCRIBE_NAME, build_qualified(p, K, N, "table"));
}

/* --- The parser object, for parse.c and error.c ----------------------------------------------- */

%code {
_Static_assert(YYNTOKEN <= 256, "struct keyword holds a token in a byte");

int grammar_tokens_count(void) {
    return YYNTOKEN;
}


/* Enough for CQL_DEPTH_MAX levels of anything: at most 8 entries a level. */
#define STACK_MAX (CQL_DEPTH_MAX * 8 + 400)

static void *grammar_grow(struct parse *p, const void *old, size_t old_bytes, size_t bytes) {
    if (bytes > STACK_MAX * 2 * sizeof(yyStackEntry)) {
        return NULL;
    }
    void *new = arena_alloc(p->arena, bytes);
    if (old) {
        memcpy(new, old, old_bytes);
    }
    return new;
}

size_t grammar_size(void) {
    return sizeof(yyParser);
}

void grammar_init(void *parser, struct parse *p) {
    ((yyParser *)parser)->p = p; /* grammar_grow is called before the template stores it */
    grammar_lemonInit(parser, p);
}

void grammar_feed(void *parser, int token, struct bytes text) {
    grammar_lemon(parser, token, text);
}

int grammar_fallback(int token) {
    return token < (int)(sizeof yyFallback / sizeof yyFallback[0]) ? yyFallback[token] : 0;
}

/* The action on token in state, without fallback. */
static YYACTIONTYPE plain_action(YYACTIONTYPE state, int token) {
    int i = yy_shift_ofst[state] + token;
    return yy_lookahead[i] == token ? yy_action[i] : yy_default[state];
}

/* Runs the automaton on the states alone: those of the parser's stack up to `kept`, then those
 * pushed here. */
bool grammar_accepts(void *parser, int token) {
    const yyParser *q = parser;
    YYACTIONTYPE pushed[64];
    size_t kept = (size_t)(q->yytos - q->yystack) + 1, count = 0;
    for (;;) {
        YYACTIONTYPE action = count ? pushed[count - 1] : q->yystack[kept - 1].stateno;
        if (action <= YY_MAX_SHIFT) {
            action = plain_action(action, token);
        }
        if (action < YY_MIN_REDUCE) {
            return action <= YY_MAX_SHIFTREDUCE || action == YY_ACCEPT_ACTION;
        }
        int rule = action - YY_MIN_REDUCE;
        size_t pop = (size_t)-yyRuleInfoNRhs[rule];
        size_t here = pop < count ? pop : count;
        count -= here;
        kept -= pop - here;
        if (count == sizeof pushed / sizeof pushed[0]) {
            return false;
        }
        YYACTIONTYPE state = count ? pushed[count - 1] : q->yystack[kept - 1].stateno;
        state = yy_find_reduce_action(state, yyRuleInfoLhs[rule]);
        if (state == YY_ACCEPT_ACTION) {
            return token == 0;
        }
        if (state > YY_MAX_SHIFT && state <= YY_MAX_SHIFTREDUCE) {
            state += YY_MIN_REDUCE - YY_MIN_SHIFTREDUCE;
        }
        pushed[count++] = state;
    }
}

static const char *const token_names[] = {
#define T(name) [CQL_TOKEN_##name]
    [0] = "EOF",
    T(LPAREN) = "'('", T(RPAREN) = "')'", T(LBRACKET) = "'['", T(RBRACKET) = "']'",
    T(LBRACE) = "'{'", T(RBRACE) = "'}'",
    T(COMMA) = "','", T(SEMICOLON) = "';'", T(COLON) = "':'", T(DOT) = "'.'", T(RANGE) = "RANGE",
    T(QMARK) = "QMARK",
    T(EQ) = "'='", T(NE) = "'!='", T(LT) = "'<'", T(LE) = "'<='", T(GT) = "'>'", T(GE) = "'>='",
    T(PLUS) = "'+'",
    T(MINUS) = "'-'", T(STAR) = "'*'", T(SLASH) = "'/'", T(PERCENT) = "'%'", T(PLUS_EQ) = "'+='",
    T(MINUS_EQ) = "'-='",
    T(EXPR_LPAREN) = "'expr('", T(IDENT) = "IDENT", T(QUOTED_NAME) = "QUOTED_NAME",
    T(EMPTY_NAME) = "EMPTY_QUOTED_NAME",
    T(STRING) = "STRING_LITERAL", T(INTEGER) = "INTEGER", T(FLOAT_LITERAL) = "FLOAT",
    T(BOOLEAN_LITERAL) = "BOOLEAN",
    T(DURATION_LITERAL) = "DURATION", T(UUID_LITERAL) = "UUID", T(HEX) = "HEXNUMBER",
    T(NAN) = "K_POSITIVE_NAN",
    T(INFINITY) = "K_POSITIVE_INFINITY", T(TABLE) = "K_COLUMNFAMILY",
#undef T
};

const char *grammar_token_name(int token) {
    return token < (int)(sizeof token_names / sizeof token_names[0]) ? token_names[token] : NULL;
}
}
