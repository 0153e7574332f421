/* Properties of CREATE and ALTER statements: read, and checked as Cassandra does. */
#ifndef CQL_SCHEMA_OPTIONS_PRIV_H
#define CQL_SCHEMA_OPTIONS_PRIV_H

#include "cql/schema/change.h"
#include "cql/schema/schema_priv.h"

/* NULL when it is not given. */
const struct schema_property *properties_find(const struct schema_properties *p, const char *name);
/* ERR_SYNTAX when it is given as a map; text is null when it is absent. */
err_t properties_text(const struct schema_properties *p, const char *name, struct bytes *text,
                      struct fail *fail);
/* ERR_SYNTAX when it is given and no map; *map is NULL when it is absent. */
err_t properties_map(const struct schema_properties *p, const char *name,
                     const struct option_map **map, struct fail *fail);
err_t properties_bool(const struct schema_properties *p, const char *name, bool *value,
                      struct fail *fail);

/* The options that p gives over those in o, whose strings then live in a. Numbers and sub-options are read here; ranges are
 * checked by table_options_check(). */
err_t table_options_apply(struct arena *a, const struct schema_properties *p, bool is_new,
                          struct table_options *o, struct fail *fail);
/* Names that are no option: ERR_SYNTAX. Ranges: ERR_CONFIG. */
err_t table_options_check(const struct schema_properties *p, const struct table_options *o,
                          struct fail *fail);

/* given → what is kept: the full class name, thresholds filled in. */
err_t compaction_read(struct arena *a, const struct option_map *given, struct option_map *out,
                      struct fail *fail);
err_t compaction_check(const struct option_map *m, struct fail *fail);
bool compaction_is_leveled(const struct option_map *m);
err_t compression_read(struct arena *a, const struct option_map *given, struct option_map *out,
                       struct fail *fail);

/* Java's Integer.parseInt, Long.parseLong. */
bool option_int(struct bytes text, int32_t *out);
bool option_long(struct bytes text, int64_t *out);
/* Appends "[a, b]": the keys in the order in which Java's HashMap<String, …> gives them that was made as a copy of a map of
 * map_count entries, of which these are what is left. */
void option_keys_print(struct arena *a, const struct bytes *keys, size_t count, size_t map_count,
                       struct buf *out);

#endif
