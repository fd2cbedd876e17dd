/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guestcred config: what is in force, and where each value came from.
 */

#include <config.h>

#include "src/cli/cli.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "src/base/utf8.h"
#include "src/cli/output.h"
#include "src/cli/places.h"

struct sheet {
    struct gc_cli *cli;
    struct gc_json *list;
    const char *unfit; /* what cannot go into JSON; NULL: nothing */
    const char *unfit_source;
};

/* A file may be called anything. */
static bool
is_fit(const char *text)
{
    return gc_utf8_is(text, strlen(text));
}

/*
 * An address without who logs in there.  Up to the last @, for a password may
 * hold one, and a slash too, where whoever wrote it did not escape them.
 */
static void
mask(const char *address, char *dst, size_t size)
{
    size_t scheme = strcspn(address, ":@/");
    bool has_scheme = strncmp(address + scheme, "://", 3) == 0;
    const char *from = has_scheme ? address + scheme + 3 : address;
    const char *at = strrchr(from, '@');

    if (at == NULL)
        (void)snprintf(dst, size, "%s", address);
    else
        (void)snprintf(dst, size, "%.*s***%s", (int)(from - address), address,
                       at);
}

static void
put(struct sheet *s, const char *name, const char *value, const char *source)
{
    struct gc_json *row;

    if (!s->cli->json) {
        gc_output_line(s->cli, "%s = %s    # %s", name, value, source);
        return;
    }
    if (!is_fit(value) || !is_fit(source)) {
        s->unfit = name;
        s->unfit_source = source;
        return;
    }
    row = gc_json_add_object(s->list, NULL);
    (void)gc_json_add_string(row, "name", name);
    (void)gc_json_add_string(row, "value", value);
    (void)gc_json_add_string(row, "source", source);
}

/* What holds where nothing was said. */
static gc_status
put_defaults(struct sheet *s, struct gc_error *err)
{
    const struct gc_options *c = &s->cli->config;
    char name[PATH_MAX + 8];
    gc_status st = GC_OK;

    if (gc_options_text(c, GC_OPT_TIMEOUT) == NULL)
        put(s, "timeout", "30", "default");
    if (gc_options_text(c, GC_OPT_MECH) == NULL)
        put(s, "mech", "kerberos", "default");
    if (gc_options_text(c, GC_OPT_CACHE) == NULL) {
        st = gc_places_store_name(s->cli, name, sizeof(name), err);
        if (st == GC_OK)
            put(s, "cache", name, "default");
    }
    if (st == GC_OK && gc_options_text(c, GC_OPT_LEDGER) == NULL) {
        st = gc_places_ledger_name(s->cli, name, sizeof(name), err);
        if (st == GC_OK)
            put(s, "ledger", name, "default");
    }
    return st;
}

gc_status
gc_cli_config(struct gc_cli *cli, struct gc_error *err)
{
    const struct gc_options *c = &cli->config;
    GC_AUTO_PTR(gc_json) root = gc_output_object();
    struct sheet s = {
        .cli = cli,
        .list = gc_json_add_array(root, "options"),
    };
    char address[GC_OPTIONS_TEXT_MAX + 8];
    gc_status st;

    for (gc_option o = 0; o < GC_OPT_COUNT; o++) {
        const struct gc_option_info *info = gc_option_info(o);

        if (o == GC_OPT_JSON || o == GC_OPT_QUIET || o == GC_OPT_VERBOSE)
            continue;
        for (size_t i = 0; i < gc_options_count(c, o); i++) {
            const char *value = gc_options_item(c, o, i);

            if (o == GC_OPT_URL || o == GC_OPT_PROXY) {
                mask(value, address, sizeof(address));
                value = address;
            }
            put(&s, info->name, value, gc_options_where(c, o));
        }
    }
    st = put_defaults(&s, err);
    if (st != GC_OK)
        return st;
    if (s.unfit != NULL)
        return gc_fail(err, GC_E_CONFIG,
                       "%s: %s is not UTF-8, and cannot be told in JSON",
                       s.unfit_source, s.unfit);
    return cli->json ? gc_output_json(root, err) : gc_output_flush(err);
}
