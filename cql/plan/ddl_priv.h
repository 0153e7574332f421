/* What the files of DDL share. */
#ifndef CQL_PLAN_DDL_PRIV_H
#define CQL_PLAN_DDL_PRIV_H

#include "cql/plan/ddl.h"

struct ddl {
    const struct schema *schema;
    struct bytes keyspace; /* the session's */
    const struct schema_env *env;
    struct arena *arena;
    struct schema_change *change;
    struct fail *fail;
};

err_t ddl_properties(struct ddl *d, const struct ast_properties *with,
                     struct schema_properties *out);
err_t ddl_create_table(struct ddl *d, const struct ast_create_table *ct);
err_t ddl_alter_table(struct ddl *d, const struct ast_alter_table *at);
err_t ddl_drop_table(struct ddl *d, const struct ast_drop *drop);

#endif
