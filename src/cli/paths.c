/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/cli/paths.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/descriptor.h"
#include "src/cli/output.h"
#include "src/cli/settings.h"

#define STORE_HINT "name a directory of your own: --store DIR, or --store none"

static void
tell_skipped(void *user, const char *line)
{
    (void)user;
    gc_output_warn("%s", line);
}

/*
 * Sixteen digits made from /etc/machine-id, which is itself confidential.
 * False: there is none.
 */
static bool
hash_machine(char dst[HOST_NAME_MAX + 1])
{
    const struct gc_trust trust = {
        .root = true, .own = true, .forbidden = 022, .max = 64};
    GC_AUTO(gc_bytes) text = {0};
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    if (gc_trusted_read(AT_FDCWD, "/etc/machine-id", &trust, &text, NULL, NULL)
            != GC_OK
        /* "uninitialized" in an image that has not started yet. */
        || strspn(gc_bytes_text(&text), "0123456789abcdef") != 32)
        return false;
    for (size_t i = 0; i < 32; i++)
        hash = (hash ^ text.data[i]) * UINT64_C(1099511628211);
    (void)snprintf(dst, HOST_NAME_MAX + 1, "%016" PRIx64, hash);
    return true;
}

/*
 * A home may be on many machines, and a process id means something on one only.
 */
static void
name_machine(char dst[HOST_NAME_MAX + 1])
{
    if (!hash_machine(dst)
        && (gethostname(dst, HOST_NAME_MAX + 1) != 0 || dst[0] == '.'
            || dst[0] == '\0' || strchr(dst, '/') != NULL))
        (void)snprintf(dst, HOST_NAME_MAX + 1, "localhost");
    dst[HOST_NAME_MAX] = '\0';
}

/* A relative name is one in the working directory. */
static gc_status
name_given(const char *given, char ret_path[PATH_MAX], struct gc_error *err)
{
    char here[PATH_MAX] = "";
    int n;

    if (given[0] != '/' && strcmp(given, "none") != 0
        && getcwd(here, sizeof(here)) == NULL)
        return gc_fail(err, GC_E_CONFIG, "the working directory is gone");
    n = snprintf(ret_path, PATH_MAX, "%s%s%s", here, here[0] != '\0' ? "/" : "",
                 given);
    if (n < 0 || n >= PATH_MAX)
        return gc_fail(err, GC_E_CONFIG, "the name \"%.40s…\" is too long",
                       given);
    return GC_OK;
}

gc_status
gc_paths_store_name(struct gc_cli *cli, char ret_path[PATH_MAX],
                    struct gc_error *err)
{
    const char *given = gc_options_text(&cli->config, GC_OPT_STORE);
    char machine[HOST_NAME_MAX + 1], home[PATH_MAX];
    gc_status st;
    int n;

    if (given != NULL)
        return name_given(given, ret_path, err);
    if (geteuid() == 0) {
        (void)snprintf(ret_path, PATH_MAX, "%s",
                       GC_LOCALSTATEDIR "/lib/guestcred/root");
        return GC_OK;
    }
    name_machine(machine);
    if (gc_settings_home("XDG_STATE_HOME", ".local/state", home,
                         sizeof(home))) {
        n = snprintf(ret_path, PATH_MAX, "%s/%s", home, machine);
        if (n > 0 && n < PATH_MAX)
            return GC_OK;
    }
    st = gc_fail(err, GC_E_CONFIG,
                 "there is no home directory to keep tickets in");
    return gc_fail_hint(err, st, STORE_HINT);
}

gc_status
gc_paths_store(struct gc_cli *cli, gc_store_mode mode,
               struct gc_store **ret_store, struct gc_error *err)
{
    char path[PATH_MAX];
    gc_status st = gc_paths_store_name(cli, path, err);

    *ret_store = NULL;
    if (st == GC_OK && strcmp(path, "none") == 0)
        return GC_OK;
    if (st == GC_OK)
        st = gc_store_open(path, mode, ret_store, err);
    if (st == GC_OK)
        gc_store_on_skip(*ret_store, tell_skipped, NULL);
    else if (st != GC_E_NOT_FOUND && err->hint[0] == '\0')
        (void)gc_fail_hint(err, st, STORE_HINT);
    return gc_settings_blame(cli, GC_OPT_STORE, st, err);
}

struct gc_store *
gc_paths_copies(const struct gc_cli *cli)
{
    const char *path = secure_getenv("GUESTCRED_LOGIN");
    struct gc_store *copies = NULL;
    struct gc_error why = {0};
    gc_status st;

    if (path == NULL || path[0] == '\0')
        return NULL;
    st = gc_store_open(path, GC_STORE_LOGIN, &copies, &why);
    if (st == GC_OK)
        gc_store_on_skip(copies, tell_skipped, NULL);
    else if (st != GC_E_NOT_FOUND)
        gc_output_note(cli, 1, "GUESTCRED_LOGIN: %s", why.message);
    return copies;
}
