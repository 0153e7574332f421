/* The fixed words of the tree's enums, and quoting. */
#include "cql/lang/parse_priv.h"

const char *ast_operator_text(enum ast_operator op)
{
    static const char *const texts[] = {
        [AST_OP_EQ] = "=",
        [AST_OP_LT] = "<",
        [AST_OP_LTE] = "<=",
        [AST_OP_GT] = ">",
        [AST_OP_GTE] = ">=",
        [AST_OP_NEQ] = "!=",
        [AST_OP_IN] = "IN",
        [AST_OP_CONTAINS] = "CONTAINS",
        [AST_OP_CONTAINS_KEY] = "CONTAINS KEY",
        [AST_OP_LIKE] = "LIKE",
        [AST_OP_IS_NOT_NULL] = "IS NOT",
    };
    return texts[op];
}

const char *ast_permission_text(enum ast_permission p)
{
    static const char *const texts[] = {
        [AST_PERMISSION_CREATE] = "CREATE",     [AST_PERMISSION_ALTER] = "ALTER",
        [AST_PERMISSION_DROP] = "DROP",         [AST_PERMISSION_SELECT] = "SELECT",
        [AST_PERMISSION_MODIFY] = "MODIFY",     [AST_PERMISSION_AUTHORIZE] = "AUTHORIZE",
        [AST_PERMISSION_DESCRIBE] = "DESCRIBE", [AST_PERMISSION_EXECUTE] = "EXECUTE",
        [AST_PERMISSION_UNMASK] = "UNMASK",     [AST_PERMISSION_SELECT_MASKED] = "SELECT_MASKED",
    };
    return texts[p];
}

const char *ast_statement_text(enum ast_statement_kind kind)
{
    static const char *const texts[] = {
        [AST_SELECT] = "SELECT",
        [AST_INSERT] = "INSERT",
        [AST_UPDATE] = "UPDATE",
        [AST_DELETE] = "DELETE",
        [AST_BATCH] = "BATCH",
        [AST_USE] = "USE",
        [AST_TRUNCATE] = "TRUNCATE",
        [AST_CREATE_KEYSPACE] = "CREATE KEYSPACE",
        [AST_ALTER_KEYSPACE] = "ALTER KEYSPACE",
        [AST_DROP_KEYSPACE] = "DROP KEYSPACE",
        [AST_CREATE_TABLE] = "CREATE TABLE",
        [AST_ALTER_TABLE] = "ALTER TABLE",
        [AST_DROP_TABLE] = "DROP TABLE",
        [AST_CREATE_TYPE] = "CREATE TYPE",
        [AST_ALTER_TYPE] = "ALTER TYPE",
        [AST_DROP_TYPE] = "DROP TYPE",
        [AST_CREATE_INDEX] = "CREATE INDEX",
        [AST_DROP_INDEX] = "DROP INDEX",
        [AST_CREATE_VIEW] = "CREATE MATERIALIZED VIEW",
        [AST_ALTER_VIEW] = "ALTER MATERIALIZED VIEW",
        [AST_DROP_VIEW] = "DROP MATERIALIZED VIEW",
        [AST_CREATE_FUNCTION] = "CREATE FUNCTION",
        [AST_DROP_FUNCTION] = "DROP FUNCTION",
        [AST_CREATE_AGGREGATE] = "CREATE AGGREGATE",
        [AST_DROP_AGGREGATE] = "DROP AGGREGATE",
        [AST_CREATE_TRIGGER] = "CREATE TRIGGER",
        [AST_DROP_TRIGGER] = "DROP TRIGGER",
        [AST_CREATE_ROLE] = "CREATE ROLE",
        [AST_ALTER_ROLE] = "ALTER ROLE",
        [AST_DROP_ROLE] = "DROP ROLE",
        [AST_CREATE_USER] = "CREATE USER",
        [AST_ALTER_USER] = "ALTER USER",
        [AST_DROP_USER] = "DROP USER",
        [AST_ADD_IDENTITY] = "ADD IDENTITY",
        [AST_DROP_IDENTITY] = "DROP IDENTITY",
        [AST_GRANT_PERMISSIONS] = "GRANT",
        [AST_REVOKE_PERMISSIONS] = "REVOKE",
        [AST_LIST_PERMISSIONS] = "LIST PERMISSIONS",
        [AST_GRANT_ROLE] = "GRANT ROLE",
        [AST_REVOKE_ROLE] = "REVOKE ROLE",
        [AST_LIST_ROLES] = "LIST ROLES",
        [AST_LIST_USERS] = "LIST USERS",
        [AST_DESCRIBE] = "DESCRIBE",
    };
    _Static_assert(sizeof texts / sizeof texts[0] == AST_STATEMENT_COUNT, "a text for every kind");
    return texts[kind];
}

bool cql_is_reserved(struct bytes word)
{
    return keyword_class(word, NULL) == KEYWORD_RESERVED;
}

bool cql_needs_quotes(struct bytes ident)
{
    if (ident.n == 0 || ident.p[0] < 'a' || ident.p[0] > 'z') {
        return true;
    }
    for (size_t i = 1; i < ident.n; i++) {
        uint8_t c = ident.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) {
            return true;
        }
    }
    return cql_is_reserved(ident);
}

static void put_quoted(struct buf *out, struct bytes text, uint8_t quote)
{
    buf_u8(out, quote);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == quote) {
            buf_u8(out, quote);
        }
        buf_u8(out, text.p[i]);
    }
    buf_u8(out, quote);
}

void cql_quote_identifier(struct buf *out, struct bytes ident)
{
    if (cql_needs_quotes(ident)) {
        put_quoted(out, ident, '"');
    } else {
        buf_put_bytes(out, ident);
    }
}

void cql_quote_string(struct buf *out, struct bytes text)
{
    put_quoted(out, text, '\'');
}
