/* What the parts of the configuration share: config.c (command line, meaning), config_yaml.c (file), config_print.c (--help,
 * --print-config). */
#ifndef SERVER_RUN_CONFIG_VALUES_H
#define SERVER_RUN_CONFIG_VALUES_H

#include "server/run/option.h"

/* The values of all options, by index. */
struct config_values {
    struct option_value of[OPTIONS_COUNT];
    struct arena *a;
    struct fail *fail;
};

/* Every option at its default. */
void config_values_init(struct config_values *v, struct arena *a, struct fail *fail);
/* Gives the option index (found by the older name alias, or NULL) a text. where, name: for messages. */
err_t config_set(struct config_values *v, int index, const struct option_alias *alias,
                 struct bytes text, const char *where, const char *name) MUST_USE;
/* Takes the options of a YAML text. file: its name in messages. Hostile texts are bounded: 1 MiB, 16 levels. */
err_t config_yaml(struct config_values *v, const char *file, struct bytes text) MUST_USE;
err_t config_file(struct config_values *v, const char *path) MUST_USE;
/* A list or map of the command line, as YAML. */
err_t config_yaml_value(struct config_values *v, int index, struct bytes text, const char *where,
                        const char *name) MUST_USE;

/* --help and --print-config: the text. */
struct bytes config_help(struct arena *a);
struct bytes config_print(const struct config_values *v, struct arena *a);

#endif
