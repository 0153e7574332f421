/* See dump.h. Written apart from the printer, so that what the printer loses shows. */
#include "tests/unit/lang/dump.h"

static void dump_bytes(struct buf *out, struct bytes b)
{
    if (b.p == NULL) {
        buf_put_str(out, "~");
        return;
    }
    buf_printf(out, "%zu:", b.n);
    buf_put_bytes(out, b);
}

static void dump_name(struct buf *out, struct ast_name n)
{
    dump_bytes(out, n.text);
    buf_u8(out, ' ');
}

static void dump_names(struct buf *out, const struct ast_name *items, size_t count)
{
    buf_u8(out, '[');
    for (size_t i = 0; i < count; i++) {
        dump_name(out, items[i]);
    }
    buf_u8(out, ']');
}

static void dump_qualified(struct buf *out, const struct ast_qualified_name *q)
{
    dump_name(out, q->keyspace);
    dump_name(out, q->name);
}

static void dump_type(struct buf *out, const struct ast_type *t)
{
    if (t == NULL) {
        buf_put_str(out, "notype ");
        return;
    }
    buf_printf(out, "(type%d d%u v%d ", (int)t->kind, t->depth, t->dimension);
    dump_bytes(out, t->name);
    dump_qualified(out, &t->user);
    for (size_t i = 0; i < t->args_count; i++) {
        dump_type(out, t->args[i]);
    }
    buf_u8(out, ')');
}

static void dump_types(struct buf *out, const struct ast_types *types)
{
    buf_u8(out, '[');
    for (size_t i = 0; i < types->items_count; i++) {
        dump_type(out, types->items[i]);
    }
    buf_u8(out, ']');
}

static void dump_literal(struct buf *out, const struct ast_literal *l)
{
    buf_printf(out, "lit%d ", (int)l->kind);
    dump_bytes(out, l->text);
    buf_u8(out, ' ');
}

static void dump_term(struct buf *out, const struct ast_term *t);

static void dump_terms(struct buf *out, const struct ast_terms *terms)
{
    buf_u8(out, '[');
    for (size_t i = 0; i < terms->items_count; i++) {
        dump_term(out, terms->items[i]);
    }
    buf_u8(out, ']');
}

static void dump_term(struct buf *out, const struct ast_term *t)
{
    if (t == NULL) {
        buf_put_str(out, "none ");
        return;
    }
    buf_printf(out, "(term%d d%u ", (int)t->kind, t->depth);
    switch (t->kind) {
    case AST_TERM_LITERAL: dump_literal(out, &t->literal); break;
    case AST_TERM_MARKER:
        buf_printf(out, "#%u ", t->marker.index);
        dump_name(out, t->marker.name);
        break;
    case AST_TERM_LIST:
    case AST_TERM_SET:
    case AST_TERM_TUPLE: dump_terms(out, &t->elements); break;
    case AST_TERM_MAP:
        for (size_t i = 0; i < t->entries.items_count; i++) {
            dump_term(out, t->entries.items[i].key);
            dump_term(out, t->entries.items[i].value);
        }
        break;
    case AST_TERM_UDT:
        for (size_t i = 0; i < t->fields.items_count; i++) {
            dump_name(out, t->fields.items[i].name);
            dump_term(out, t->fields.items[i].value);
        }
        break;
    case AST_TERM_HINT:
    case AST_TERM_CAST:
        dump_type(out, t->convert.type);
        dump_term(out, t->convert.operand);
        break;
    case AST_TERM_CALL:
        dump_qualified(out, &t->call.function);
        dump_terms(out, &t->call.args);
        break;
    case AST_TERM_BINARY:
        buf_printf(out, "%c ", t->binary.op);
        dump_term(out, t->binary.left);
        dump_term(out, t->binary.right);
        break;
    case AST_TERM_COLUMN: dump_name(out, t->column); break;
    case AST_TERM_FIELD:
    case AST_TERM_ELEMENT:
    case AST_TERM_SLICE:
        dump_term(out, t->access.of);
        dump_name(out, t->access.field);
        dump_term(out, t->access.from);
        dump_term(out, t->access.to);
        break;
    case AST_TERM_COUNT_ROWS: break;
    case AST_TERM_NEGATE:
    case AST_TERM_WRITETIME:
    case AST_TERM_MAXWRITETIME:
    case AST_TERM_TTL: dump_term(out, t->operand); break;
    }
    buf_u8(out, ')');
}

static void dump_where(struct buf *out, const struct ast_relation *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct ast_relation *r = &items[i];
        buf_printf(out, "\n  rel%d op%d ", (int)r->kind, (int)r->op);
        dump_names(out, r->columns, r->columns_count);
        dump_term(out, r->key);
        dump_term(out, r->value);
        dump_terms(out, &r->values);
        dump_qualified(out, &r->index);
    }
}

static void dump_if(struct buf *out, const struct ast_if *c)
{
    buf_printf(out, "\n  if %d %d ", c->exists, c->not_exists);
    for (size_t i = 0; i < c->items_count; i++) {
        dump_name(out, c->items[i].column);
        dump_term(out, c->items[i].element);
        dump_name(out, c->items[i].field);
        buf_printf(out, "op%d ", (int)c->items[i].op);
        dump_term(out, c->items[i].value);
        dump_terms(out, &c->items[i].values);
    }
}

static void dump_using(struct buf *out, const struct ast_using *u)
{
    buf_put_str(out, "\n  using ");
    dump_term(out, u->timestamp);
    dump_term(out, u->ttl);
    dump_term(out, u->timeout);
    dump_name(out, u->consistency);
    for (size_t i = 0; i < u->items_count; i++) {
        buf_printf(out, "item%d ", (int)u->items[i].kind);
        dump_term(out, u->items[i].value);
        dump_name(out, u->items[i].consistency);
    }
}

static void dump_selectors(struct buf *out, const struct ast_selector *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_put_str(out, "\n  sel ");
        dump_term(out, items[i].term);
        dump_name(out, items[i].alias);
    }
}

static void dump_entries(struct buf *out, const struct ast_property_entry *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dump_literal(out, &items[i].key);
        dump_literal(out, &items[i].value);
    }
}

static void dump_with(struct buf *out, const struct ast_properties *w)
{
    buf_printf(out, "\n  with compact%d ", w->compact_storage);
    for (size_t i = 0; i < w->items_count; i++) {
        dump_name(out, w->items[i].name);
        buf_printf(out, "map%d word%d ", w->items[i].is_map, w->items[i].is_keyword);
        dump_literal(out, &w->items[i].value);
        dump_entries(out, w->items[i].entries, w->items[i].entries_count);
    }
    for (size_t i = 0; i < w->clustering_order_count; i++) {
        dump_name(out, w->clustering_order[i].column);
        buf_printf(out, "desc%d ", w->clustering_order[i].descending);
    }
}

static void dump_mask(struct buf *out, const struct ast_mask *m)
{
    if (m == NULL) {
        return;
    }
    buf_printf(out, "mask%d ", m->is_default);
    dump_qualified(out, &m->function);
    dump_terms(out, &m->args);
}

static void dump_columns(struct buf *out, const struct ast_column_def *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_put_str(out, "\n  col ");
        dump_name(out, items[i].name);
        dump_type(out, items[i].type);
        buf_printf(out, "static%d key%d ", items[i].is_static, items[i].primary_key);
        dump_mask(out, items[i].mask);
    }
}

static void dump_key(struct buf *out, const struct ast_primary_key *k)
{
    dump_names(out, k->partition, k->partition_count);
    dump_names(out, k->clustering, k->clustering_count);
    buf_printf(out, "inline%d ", k->inline_column);
}

static void dump_renames(struct buf *out, const struct ast_rename *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dump_name(out, items[i].from);
        dump_name(out, items[i].to);
    }
}

static void dump_data(struct buf *out, const struct ast_statement *s)
{
    if (s->kind == AST_SELECT) {
        const struct ast_select *q = &s->select;
        buf_printf(out, "json%d distinct%d filter%d ", q->json, q->distinct, q->allow_filtering);
        dump_selectors(out, q->selectors, q->selectors_count);
        dump_qualified(out, &q->table);
        dump_where(out, q->where, q->where_count);
        dump_terms(out, &q->group_by);
        for (size_t i = 0; i < q->order_by_count; i++) {
            dump_name(out, q->order_by[i].column);
            dump_term(out, q->order_by[i].ann_of);
            buf_printf(out, "desc%d ", q->order_by[i].descending);
        }
        dump_term(out, q->per_partition_limit);
        dump_term(out, q->limit);
        dump_using(out, &q->using);
    } else if (s->kind == AST_INSERT) {
        const struct ast_insert *q = &s->insert;
        dump_qualified(out, &q->table);
        dump_names(out, q->columns, q->columns_count);
        dump_terms(out, &q->values);
        dump_term(out, q->json);
        buf_printf(out, "unset%d ifnot%d ", q->default_unset, q->if_not_exists);
        dump_using(out, &q->using);
    } else if (s->kind == AST_UPDATE) {
        const struct ast_update *q = &s->update;
        dump_qualified(out, &q->table);
        dump_using(out, &q->using);
        for (size_t i = 0; i < q->set_count; i++) {
            buf_printf(out, "\n  set%d ", (int)q->set[i].kind);
            dump_name(out, q->set[i].column);
            dump_term(out, q->set[i].element);
            dump_name(out, q->set[i].field);
            dump_term(out, q->set[i].value);
        }
        dump_where(out, q->where, q->where_count);
        dump_if(out, &q->condition);
    } else if (s->kind == AST_DELETE) {
        const struct ast_delete *q = &s->delete;
        for (size_t i = 0; i < q->columns_count; i++) {
            dump_name(out, q->columns[i].column);
            dump_term(out, q->columns[i].element);
            dump_name(out, q->columns[i].field);
        }
        dump_qualified(out, &q->table);
        dump_using(out, &q->using);
        dump_where(out, q->where, q->where_count);
        dump_if(out, &q->condition);
    } else {
        buf_printf(out, "batch%d ", (int)s->batch.kind);
        dump_using(out, &s->batch.using);
        for (size_t i = 0; i < s->batch.items_count; i++) {
            dump_statement(out, s->batch.items[i]);
        }
    }
}

static void dump_tables(struct buf *out, const struct ast_statement *s)
{
    if (s->kind == AST_CREATE_TABLE) {
        const struct ast_create_table *t = &s->create_table;
        dump_qualified(out, &t->name);
        buf_printf(out, "ifnot%d ", t->if_not_exists);
        dump_columns(out, t->columns, t->columns_count);
        /* where an inline key stands among the others is not kept by the printer, nor does it
         * matter */
        for (int pass = 0; pass < 2; pass++) {
            for (size_t i = 0; i < t->primary_keys_count; i++) {
                if (t->primary_keys[i].inline_column == (pass == 0)) {
                    dump_key(out, &t->primary_keys[i]);
                }
            }
        }
        dump_with(out, &t->with);
    } else if (s->kind == AST_ALTER_TABLE) {
        const struct ast_alter_table *t = &s->alter_table;
        dump_qualified(out, &t->name);
        buf_printf(out, "if%d alter%d ifcol%d ", t->if_exists, (int)t->kind, t->if_column);
        dump_columns(out, t->columns, t->columns_count);
        dump_names(out, t->names, t->names_count);
        dump_term(out, t->timestamp);
        dump_renames(out, t->renames, t->renames_count);
        dump_type(out, t->type);
        dump_mask(out, t->mask);
        dump_with(out, &t->with);
    } else if (s->kind == AST_CREATE_TYPE) {
        const struct ast_create_type *t = &s->create_type;
        dump_qualified(out, &t->name);
        buf_printf(out, "ifnot%d ", t->if_not_exists);
        for (size_t i = 0; i < t->fields_count; i++) {
            dump_name(out, t->fields[i].name);
            dump_type(out, t->fields[i].type);
        }
    } else if (s->kind == AST_ALTER_TYPE) {
        const struct ast_alter_type *t = &s->alter_type;
        dump_qualified(out, &t->name);
        buf_printf(out, "if%d alter%d iffield%d ", t->if_exists, (int)t->kind, t->if_field);
        dump_name(out, t->field.name);
        dump_type(out, t->field.type);
        dump_renames(out, t->renames, t->renames_count);
    } else if (s->kind == AST_CREATE_INDEX) {
        const struct ast_create_index *x = &s->create_index;
        buf_printf(out, "custom%d ifnot%d ", x->custom, x->if_not_exists);
        dump_name(out, x->name);
        dump_qualified(out, &x->table);
        for (size_t i = 0; i < x->targets_count; i++) {
            buf_printf(out, "target%d ", (int)x->targets[i].kind);
            dump_name(out, x->targets[i].column);
        }
        dump_bytes(out, x->using_class);
        dump_with(out, &x->with);
    } else {
        const struct ast_create_view *v = &s->create_view;
        dump_qualified(out, &v->name);
        dump_qualified(out, &v->base);
        buf_printf(out, "ifnot%d ", v->if_not_exists);
        dump_selectors(out, v->selectors, v->selectors_count);
        dump_where(out, v->where, v->where_count);
        dump_key(out, &v->primary_key);
        dump_with(out, &v->with);
    }
}

static void dump_functions(struct buf *out, const struct ast_statement *s)
{
    if (s->kind == AST_CREATE_FUNCTION) {
        const struct ast_create_function *f = &s->create_function;
        buf_printf(out, "replace%d ifnot%d called%d ", f->or_replace, f->if_not_exists,
                   f->called_on_null_input);
        dump_qualified(out, &f->name);
        for (size_t i = 0; i < f->args_count; i++) {
            dump_name(out, f->args[i].name);
            dump_type(out, f->args[i].type);
        }
        dump_type(out, f->returns);
        dump_bytes(out, f->language);
        dump_bytes(out, f->body);
    } else {
        const struct ast_create_aggregate *g = &s->create_aggregate;
        buf_printf(out, "replace%d ifnot%d ", g->or_replace, g->if_not_exists);
        dump_qualified(out, &g->name);
        dump_types(out, &g->args);
        dump_name(out, g->sfunc);
        dump_type(out, g->stype);
        dump_name(out, g->finalfunc);
        dump_term(out, g->initcond);
    }
}

static void dump_role(struct buf *out, const struct ast_role *r)
{
    dump_name(out, r->name);
    buf_printf(out, "if%d ", r->if_exists);
    for (size_t i = 0; i < r->options_count; i++) {
        const struct ast_role_option *o = &r->options[i];
        buf_printf(out, "option%d flag%d ", (int)o->kind, o->flag);
        dump_bytes(out, o->text);
        for (size_t j = 0; j < o->texts_count; j++) {
            dump_bytes(out, o->texts[j]);
        }
        dump_entries(out, o->entries, o->entries_count);
    }
}

static void dump_permissions(struct buf *out, const struct ast_permissions *g)
{
    buf_printf(out, "mask%x all%d on%d norec%d ", g->permissions, g->all, (int)g->resource.kind,
               g->norecursive);
    dump_qualified(out, &g->resource.name);
    dump_types(out, &g->resource.args);
    dump_bytes(out, g->resource.text);
    dump_name(out, g->role);
}

static void dump_rest(struct buf *out, const struct ast_statement *s)
{
    switch (s->kind) {
    case AST_USE: dump_name(out, s->use); break;
    case AST_TRUNCATE: dump_qualified(out, &s->truncate); break;
    case AST_CREATE_KEYSPACE:
    case AST_ALTER_KEYSPACE:
    case AST_DROP_KEYSPACE:
        dump_name(out, s->keyspace.name);
        buf_printf(out, "if%d ", s->keyspace.if_exists);
        dump_with(out, &s->keyspace.with);
        break;
    case AST_ALTER_VIEW:
        dump_qualified(out, &s->alter_view.name);
        buf_printf(out, "if%d ", s->alter_view.if_exists);
        dump_with(out, &s->alter_view.with);
        break;
    case AST_CREATE_TRIGGER:
    case AST_DROP_TRIGGER:
        dump_name(out, s->trigger.name);
        dump_qualified(out, &s->trigger.table);
        buf_printf(out, "if%d ", s->trigger.if_exists);
        dump_bytes(out, s->trigger.using_class);
        break;
    case AST_ADD_IDENTITY:
    case AST_DROP_IDENTITY:
        dump_bytes(out, s->identity.identity);
        dump_bytes(out, s->identity.role);
        buf_printf(out, "if%d ", s->identity.if_exists);
        break;
    case AST_GRANT_ROLE:
    case AST_REVOKE_ROLE:
        dump_name(out, s->grant_role.role);
        dump_name(out, s->grant_role.grantee);
        break;
    case AST_LIST_ROLES:
        dump_name(out, s->list_roles.of);
        buf_printf(out, "norec%d ", s->list_roles.norecursive);
        break;
    case AST_LIST_USERS: break;
    case AST_DESCRIBE:
        buf_printf(out, "what%d full%d only%d internals%d ", (int)s->describe.kind,
                   s->describe.full, s->describe.only, s->describe.with_internals);
        dump_qualified(out, &s->describe.name);
        break;
    default: /* DROP TABLE, TYPE, INDEX, VIEW, FUNCTION, AGGREGATE */
        dump_qualified(out, &s->drop.name);
        buf_printf(out, "if%d args%d ", s->drop.if_exists, s->drop.args_given);
        dump_types(out, &s->drop.args);
        break;
    }
}

void dump_statement(struct buf *out, const struct ast_statement *s)
{
    buf_printf(out, "%s: ", ast_statement_text(s->kind));
    switch (s->kind) {
    case AST_SELECT:
    case AST_INSERT:
    case AST_UPDATE:
    case AST_DELETE:
    case AST_BATCH: dump_data(out, s); break;
    case AST_CREATE_TABLE:
    case AST_ALTER_TABLE:
    case AST_CREATE_TYPE:
    case AST_ALTER_TYPE:
    case AST_CREATE_INDEX:
    case AST_CREATE_VIEW: dump_tables(out, s); break;
    case AST_CREATE_FUNCTION:
    case AST_CREATE_AGGREGATE: dump_functions(out, s); break;
    case AST_CREATE_ROLE:
    case AST_ALTER_ROLE:
    case AST_DROP_ROLE:
    case AST_CREATE_USER:
    case AST_ALTER_USER:
    case AST_DROP_USER: dump_role(out, &s->role); break;
    case AST_GRANT_PERMISSIONS:
    case AST_REVOKE_PERMISSIONS:
    case AST_LIST_PERMISSIONS: dump_permissions(out, &s->permissions); break;
    default: dump_rest(out, s); break;
    }
    buf_printf(out, " markers%zu\n", s->markers_count);
}
