/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/cli/places.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/cli/output.h"
#include "src/cli/settings.h"

static void
tell_skipped(void *user, const char *line)
{
    (void)user;
    gc_output_warn("%s", line);
}

static gc_status
copy(const char *text, char *dst, size_t size, struct gc_error *err)
{
    if (strlen(text) >= size)
        return gc_fail(err, GC_E_CONFIG, "the name \"%.40s…\" is too long",
                       text);
    memcpy(dst, text, strlen(text) + 1);
    return GC_OK;
}

gc_status
gc_places_store_name(struct gc_cli *cli, char *dst, size_t size,
                     struct gc_error *err)
{
    const char *named = gc_options_text(&cli->config, GC_OPT_CACHE);
    char runtime[PATH_MAX], name[PATH_MAX + 8];

    if (named != NULL)
        return copy(named, dst, size, err);
    if (gc_settings_runtime(runtime, sizeof(runtime)))
        (void)snprintf(name, sizeof(name), "DIR:%s", runtime);
    else
        (void)snprintf(name, sizeof(name), "DIR:/run/guestcred/%ju",
                       (uintmax_t)geteuid());
    return copy(name, dst, size, err);
}

gc_status
gc_places_store(struct gc_cli *cli, bool create, struct gc_store **ret_store,
                struct gc_error *err)
{
    char name[PATH_MAX + 8];
    gc_status st = gc_places_store_name(cli, name, sizeof(name), err);

    if (st == GC_OK)
        st = gc_store_open(name, create, ret_store, err);
    /* Only what is to be there already can be missing. */
    if (st == GC_E_NOT_FOUND && create)
        st = err->status = GC_E_CONFIG;
    if (st == GC_OK)
        gc_store_on_skip(*ret_store, tell_skipped, NULL);
    else if (st != GC_E_NOT_FOUND && err->hint[0] == '\0')
        (void)gc_fail_hint(err, st,
                           gc_options_text(&cli->config, GC_OPT_CACHE) != NULL
                               ? "make it, yours and mode 700, or name another"
                               : "XDG_RUNTIME_DIR is not set or not yours, as "
                                 "after su or in a "
                                 "container: give --cache DIR:PATH");
    return gc_settings_blame(cli, GC_OPT_CACHE, st, err);
}

gc_status
gc_places_ledger_name(struct gc_cli *cli, char *dst, size_t size,
                      struct gc_error *err)
{
    const char *named = gc_options_text(&cli->config, GC_OPT_LEDGER);

    if (named != NULL)
        return copy(named, dst, size, err);
    if (geteuid() == 0)
        return copy(GC_LOCALSTATEDIR "/lib/guestcred", dst, size, err);
    if (gc_settings_home("XDG_STATE_HOME", ".local/state", dst, size))
        return GC_OK;
    return gc_fail(err, GC_E_CONFIG,
                   "no home directory for what is owed: give --ledger DIR");
}

gc_status
gc_places_ledger(struct gc_cli *cli, uid_t uid, struct gc_ledger **ret_ledger,
                 struct gc_error *err)
{
    char name[PATH_MAX];
    gc_status st = gc_places_ledger_name(cli, name, sizeof(name), err);

    if (st == GC_OK)
        st = gc_ledger_open(name, uid, ret_ledger, err);
    if (st == GC_OK)
        gc_ledger_on_skip(*ret_ledger, tell_skipped, NULL);
    return gc_settings_blame(cli, GC_OPT_LEDGER, st, err);
}
