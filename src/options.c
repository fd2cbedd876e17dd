/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/bytes.h"
#include "src/base/utf8.h"

#define INFO(symbol, name, letter, kind, takers, env, govc, value, help)       \
    [GC_OPT_##symbol] = {name,  letter, GC_OPTION_##kind, takers, env, govc,   \
                         value, help},
static const struct gc_option_info infos[] = {GC_OPTION_TABLE(INFO)
                                                  GC_PAM_OPTION_TABLE(INFO)};
#undef INFO

const struct gc_option_info *
gc_option_info(gc_option o)
{
    return &infos[o];
}

static void
drop(struct gc_options *config, gc_option o)
{
    for (size_t i = 0; i < config->options[o].count; i++)
        free(config->options[o].items[i]);
    free(config->options[o].items);
    free(config->options[o].where);
    config->options[o].where = NULL;
    config->options[o].items = NULL;
    config->options[o].count = 0;
    config->options[o].origin = GC_FROM_NOWHERE;
}

void
gc_options_clear(struct gc_options *config)
{
    for (gc_option o = 0; o < GC_OPT_PAM_COUNT; o++)
        drop(config, o);
}

/* A whole number from 1 to MAX, decimal digits only; else 0. */
static int
number(const char *text, int max)
{
    int value = 0;

    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '9' || value > max)
            return 0;
        value = value * 10 + (*c - '0');
    }
    return value > max ? 0 : value;
}

/*
 * A file's name is whatever bytes the system took for it; so are the names that
 * PAM's side only compares: accounts, variables, a principal.
 */
static bool
takes_any_bytes(gc_option o)
{
    static const gc_option compared[] = {
        GC_OPT_CCACHE, GC_OPT_PAM_CCACHE, GC_OPT_PAM_VM_ENV,
        GC_OPT_PAM_S4U_USERS, GC_OPT_PAM_REQUIRE_PRINCIPAL};
    const char *value = infos[o].value;

    for (size_t i = 0; i < GC_COUNT_OF(compared); i++)
        if (o == compared[i])
            return true;
    return value != NULL
           && (strncmp(value, "FILE", 4) == 0 || strncmp(value, "DIR", 3) == 0);
}

static gc_status
check(gc_option o, const char *text, struct gc_error *err)
{
    const char *name = infos[o].name;
    int max = o == GC_OPT_TIMEOUT           ? GC_OPTIONS_TIMEOUT_MAX
              : o == GC_OPT_MINUTES         ? GC_OPTIONS_MINUTES_MAX
              : o == GC_OPT_PAM_MINIMUM_UID ? GC_OPTIONS_UID_MAX
                                            : 0;

    if (text == NULL)
        return GC_OK;
    if (text[0] == '\0')
        return gc_fail(err, GC_E_CONFIG, "%s is empty", name);
    if (strlen(text) > GC_OPTIONS_TEXT_MAX)
        return gc_fail(err, GC_E_CONFIG, "%s is longer than %d bytes", name,
                       GC_OPTIONS_TEXT_MAX);
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return gc_fail(err, GC_E_CONFIG, "%s holds a control character",
                           name);
    if (!takes_any_bytes(o) && !gc_utf8_is(text, strlen(text)))
        return gc_fail(err, GC_E_CONFIG, "%s is not UTF-8", name);
    if (max > 0 && number(text, max) == 0)
        return gc_fail(err, GC_E_CONFIG,
                       "%s is \"%s\", not a whole number from 1 to %d", name,
                       text, max);
    if (infos[o].kind == GC_OPTION_FLAG && strcmp(text, "yes") != 0
        && strcmp(text, "no") != 0)
        return gc_fail(err, GC_E_CONFIG, "%s is \"%s\", not yes or no", name,
                       text);
    return GC_OK;
}

static gc_status
append(struct gc_options *config, gc_option o, const char *text,
       struct gc_error *err)
{
    size_t count = config->options[o].count;
    char **items;
    char *copy;

    if (count >= GC_OPTIONS_LIST_MAX)
        return gc_fail(err, GC_E_CONFIG, "%s is given more than %d times",
                       infos[o].name, GC_OPTIONS_LIST_MAX);
    copy = strdup(text == NULL ? "yes" : text);
    items = reallocarray(config->options[o].items, count + 1, sizeof(*items));
    if (items != NULL)
        config->options[o].items = items;
    if (copy == NULL || items == NULL) {
        free(copy);
        return gc_fail_no_memory(err);
    }
    items[count] = copy;
    config->options[o].count = count + 1;
    return GC_OK;
}

gc_status
gc_options_put(struct gc_options *config, gc_option o, const char *text,
               gc_origin origin, const char *where, struct gc_error *err)
{
    gc_status st;

    if (origin < config->options[o].origin)
        return GC_OK;
    st = check(o, text, err);
    if (st != GC_OK)
        return st;
    if (origin > config->options[o].origin)
        drop(config, o);
    else if (infos[o].kind == GC_OPTION_TEXT)
        return gc_fail(err, GC_E_CONFIG, "%s is given twice", infos[o].name);
    else if (infos[o].kind == GC_OPTION_FLAG)
        return GC_OK;
    config->options[o].origin = origin;
    if (config->options[o].where == NULL)
        config->options[o].where = strdup(where);
    if (config->options[o].where == NULL)
        return gc_fail_no_memory(err);
    return append(config, o, text, err);
}

/* ---- the configuration file ---- */

/* LINE without the blanks around it; cuts it in place. */
static char *
trim(char *line)
{
    static const char blank[] = " \t\r";
    size_t len;

    line += strspn(line, blank);
    for (len = strlen(line); len > 0 && strchr(blank, line[len - 1]); len--)
        line[len - 1] = '\0';
    return line;
}

/* The option that TAKER calls NAME, or GC_OPT_COUNT; "_" and "-" are the same.
 */
static gc_option
find(const char *name, unsigned taker)
{
    for (gc_option o = 0; o < GC_OPT_PAM_COUNT; o++) {
        const char *own = infos[o].name, *c = name;

        if (o == GC_OPT_COUNT || (infos[o].takers & taker) == 0)
            continue;
        while (*own != '\0' && *own == (*c == '_' ? '-' : *c))
            own++, c++;
        if (*own == '\0' && *c == '\0')
            return o;
    }
    return GC_OPT_COUNT;
}

static gc_status
put_line(struct gc_options *config, char *line, unsigned taker,
         gc_origin origin, const char *where, struct gc_error *err)
{
    char *name = trim(line), *value;
    gc_option o;

    if (name[0] == '\0' || name[0] == '#')
        return GC_OK;
    value = strchr(name, '=');
    if (value != NULL) {
        *value++ = '\0';
        value = trim(value);
    }
    name = trim(name);
    o = find(name, taker);
    /* One file serves the commands and the PAM module. */
    if (o == GC_OPT_COUNT && find(name, GC_IN_FILE | GC_IN_PAM) != GC_OPT_COUNT)
        return GC_OK;
    if (o == GC_OPT_COUNT)
        return gc_fail(err, GC_E_CONFIG, "unknown option \"%.64s\"", name);
    if (value == NULL && infos[o].kind != GC_OPTION_FLAG)
        return gc_fail(err, GC_E_CONFIG, "%s has no value", infos[o].name);
    return gc_options_put(config, o, value, origin, where, err);
}

static gc_status
put_file(struct gc_options *config, const char *path, const char *text,
         size_t len, unsigned taker, gc_origin origin, struct gc_error *err)
{
    GC_AUTO_TEXT copy = strndup(text, len);
    char where[GC_OPTIONS_TEXT_MAX + 16], *next;
    int number_of_line = 1;
    gc_status st;

    if (copy == NULL)
        return gc_fail_no_memory(err);
    if (strlen(copy) != len)
        return gc_fail(err, GC_E_CONFIG, "%s holds a NUL", path);
    for (char *line = copy + gc_utf8_mark(copy, len); line != NULL;
         line = next, number_of_line++) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        (void)snprintf(where, sizeof(where), "%s:%d", path, number_of_line);
        st = put_line(config, line, taker, origin, where, err);
        if (st != GC_OK)
            return gc_fail_context(err, st, "%s", where);
    }
    return GC_OK;
}

gc_status
gc_options_put_file(struct gc_options *config, const char *path,
                    const char *text, size_t len, gc_origin origin,
                    struct gc_error *err)
{
    return put_file(config, path, text, len, GC_IN_FILE, origin, err);
}

gc_status
gc_options_put_pam_file(struct gc_options *config, const char *path,
                        const char *text, size_t len, struct gc_error *err)
{
    return put_file(config, path, text, len, GC_IN_PAM, GC_FROM_SYSTEM_FILE,
                    err);
}

gc_status
gc_options_put_pam_argument(struct gc_options *config, const char *argument,
                            struct gc_error *err)
{
    GC_AUTO_TEXT name = strdup(argument);
    char *value;
    gc_option o;

    if (name == NULL)
        return gc_fail_no_memory(err);
    value = strchr(name, '=');
    if (value != NULL)
        *value++ = '\0';
    o = find(name, GC_ON_PAM);
    if (o == GC_OPT_COUNT)
        return gc_fail(err, GC_E_CONFIG, "unknown option \"%.64s\"", name);
    if (value == NULL && infos[o].kind != GC_OPTION_FLAG)
        return gc_fail(err, GC_E_CONFIG, "%s has no value", infos[o].name);
    return gc_options_put(config, o, value, GC_FROM_COMMAND_LINE, "an argument",
                          err);
}

/* ---- what others write too ---- */

bool
gc_options_vm_split(const char *text, struct gc_options_vm *ret_vm)
{
    const char *slash = strchr(text, '/'), *moid = text;
    struct gc_options_vm vm = {.vcenter = ""};
    size_t len;

    if (slash != NULL) {
        if ((size_t)(slash - text) != sizeof(vm.vcenter) - 1
            || strspn(text, "0123456789abcdefABCDEF-")
                   != sizeof(vm.vcenter) - 1)
            return false;
        for (size_t i = 0; i < sizeof(vm.vcenter) - 1; i++)
            vm.vcenter[i] =
                (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] - 'A' + 'a'
                                                        : text[i]);
        moid = slash + 1;
    }
    /* Whoever may rename a VM must not choose which it is. */
    len = strlen(moid);
    if (strncmp(moid, "vm-", 3) != 0 || len < 4 || len >= sizeof(vm.moid)
        || strspn(moid + 3, "0123456789") != len - 3)
        return false;
    memcpy(vm.moid, moid, len + 1);
    if (ret_vm != NULL)
        *ret_vm = vm;
    return true;
}

/* ---- reading it out ---- */

const char *
gc_options_text(const struct gc_options *config, gc_option o)
{
    return config->options[o].count > 0 ? config->options[o].items[0] : NULL;
}

bool
gc_options_flag(const struct gc_options *config, gc_option o)
{
    const char *text = gc_options_text(config, o);

    return text != NULL && strcmp(text, "no") != 0;
}

size_t
gc_options_count(const struct gc_options *config, gc_option o)
{
    return config->options[o].count;
}

const char *
gc_options_item(const struct gc_options *config, gc_option o, size_t i)
{
    return i < config->options[o].count ? config->options[o].items[i] : NULL;
}

gc_origin
gc_options_origin(const struct gc_options *config, gc_option o)
{
    return config->options[o].origin;
}

const char *
gc_options_where(const struct gc_options *config, gc_option o)
{
    return config->options[o].where;
}

int
gc_options_timeout_ms(const struct gc_options *config, int fallback_s)
{
    const char *text = gc_options_text(config, GC_OPT_TIMEOUT);

    return (text == NULL ? fallback_s : number(text, GC_OPTIONS_TIMEOUT_MAX))
           * 1000;
}

unsigned int
gc_options_minimum_uid(const struct gc_options *config)
{
    const char *text = gc_options_text(config, GC_OPT_PAM_MINIMUM_UID);

    return text == NULL ? 1000u
                        : (unsigned int)number(text, GC_OPTIONS_UID_MAX);
}

int
gc_options_minutes(const struct gc_options *config)
{
    const char *text = gc_options_text(config, GC_OPT_MINUTES);

    return text == NULL ? 0 : number(text, GC_OPTIONS_MINUTES_MAX);
}
