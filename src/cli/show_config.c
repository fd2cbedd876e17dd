/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guestcred config: what is in force, as a configuration file that says where
 * each value came from.
 */

#include <config.h>

#include "src/cli/cli.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "src/base/utf8.h"
#include "src/cli/output.h"
#include "src/cli/paths.h"
#include "src/cli/settings.h"

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
 * An address without its login, which ends at the last @: a password may hold
 * an @, and a slash too, that were not escaped.
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

/* A value that a file cannot hold, or would mean otherwise, is a comment. */
static void
put_lines(const struct sheet *s, const char *name, const char *value,
          const char *source, bool fits_file)
{
    char shown[4 * GC_OPTIONS_TEXT_MAX + 1];

    gc_escape(shown, sizeof(shown), value, strlen(value));
    gc_output_line(s->cli, "# %s", source);
    if (!s->cli->quiet)
        (void)printf("%s%s = %s\n",
                     fits_file && strcmp(shown, value) == 0 ? "" : "# ", name,
                     shown);
}

static void
put(struct sheet *s, const char *name, const char *value, const char *source,
    bool fits_file)
{
    struct gc_json *row;

    if (!s->cli->json) {
        put_lines(s, name, value, source, fits_file);
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

/* The defaults. */
static gc_status
put_defaults(struct sheet *s, struct gc_error *err)
{
    const struct gc_options *c = &s->cli->config;
    char path[PATH_MAX];
    gc_status st = GC_OK;

    if (gc_options_text(c, GC_OPT_TIMEOUT) == NULL)
        put(s, "timeout", "30", "default", true);
    if (gc_options_text(c, GC_OPT_MECH) == NULL)
        put(s, "mech", "kerberos", "default", true);
    if (gc_options_text(c, GC_OPT_STORE) == NULL) {
        st = gc_paths_store_name(s->cli, path, err);
        if (st == GC_OK)
            put(s, "store", path, "default", true);
    }
    return st;
}

static void
put_option(struct sheet *s, gc_option o)
{
    const struct gc_options *c = &s->cli->config;
    bool fits_file = (gc_option_info(o)->takers & GC_IN_FILE) != 0;
    char address[GC_OPTIONS_TEXT_MAX + 8];

    for (size_t i = 0; i < gc_options_count(c, o); i++) {
        const char *value = gc_options_item(c, o, i);

        (void)snprintf(address, sizeof(address), "%s", value);
        if (o == GC_OPT_URL || o == GC_OPT_PROXY)
            mask(value, address, sizeof(address));
        put(s, gc_option_info(o)->name, address, gc_options_where(c, o),
            fits_file && strcmp(address, value) == 0);
    }
}

/* A password has no option, and is not shown. */
static void
put_password(struct sheet *s)
{
    static const char source[] = "GOVC_PASSWORD";
    struct gc_json *row;

    if (!gc_settings_has_govc_password(s->cli))
        return;
    if (!s->cli->json) {
        gc_output_line(s->cli, "# the password is that of %s", source);
        return;
    }
    row = gc_json_add_object(s->list, NULL);
    (void)gc_json_add_string(row, "name", "password");
    (void)gc_json_add_string(row, "source", source);
}

gc_status
gc_cli_config(struct gc_cli *cli, struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = gc_output_object();
    struct sheet s = {
        .cli = cli,
        .list = gc_json_add_array(root, "options"),
    };
    gc_status st;

    for (gc_option o = 0; o < GC_OPT_COUNT; o++)
        if (o != GC_OPT_JSON && o != GC_OPT_QUIET && o != GC_OPT_VERBOSE)
            put_option(&s, o);
    put_password(&s);
    st = put_defaults(&s, err);
    if (st != GC_OK)
        return st;
    if (s.unfit != NULL)
        return gc_fail(err, GC_E_CONFIG,
                       "%s: %s is not UTF-8, and cannot be told in JSON",
                       s.unfit_source, s.unfit);
    return cli->json ? gc_output_json(root, err) : gc_output_flush(err);
}
