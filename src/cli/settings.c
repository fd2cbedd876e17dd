/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/cli/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/descriptor.h"

static gc_status
read_environment(struct gc_cli *cli, unsigned taker, struct gc_error *err)
{
    for (gc_option o = 0; o < GC_OPT_COUNT; o++) {
        const struct gc_option_info *info = gc_option_info(o);
        const struct {
            const char *name;
            gc_origin origin;
        } sources[] = {{info->env, GC_FROM_ENVIRONMENT},
                       {info->govc_env, GC_FROM_GOVC}};

        for (size_t i = 0; i < GC_COUNT_OF(sources); i++) {
            const char *text =
                sources[i].name == NULL ? NULL : secure_getenv(sources[i].name);
            gc_status st;

            /* "config" shows what is in force for every command. */
            if (text == NULL || text[0] == '\0'
                || ((info->takers & taker) == 0 && taker != GC_ON_CONFIG))
                continue;
            st = gc_options_put(&cli->config, o, text, sources[i].origin,
                                sources[i].name, err);
            if (st != GC_OK)
                return gc_fail_context(err, st, "%s", sources[i].name);
        }
    }
    return GC_OK;
}

static gc_status
read_file(struct gc_cli *cli, const char *path, gc_origin origin, bool needed,
          struct gc_error *err)
{
    const struct gc_trust trust = {.own = origin != GC_FROM_SYSTEM_FILE,
                                   .root = true,
                                   .forbidden = 022,
                                   .max = GC_OPTIONS_FILE_MAX,
                                   .needed = needed};
    GC_AUTO(gc_bytes) text = {0};
    gc_status st = gc_trusted_read(AT_FDCWD, path, &trust, &text, NULL, err);

    if (st != GC_OK)
        return st == GC_E_NOT_FOUND ? GC_OK : st;
    return gc_options_put_file(&cli->config, path, gc_bytes_text(&text),
                               text.len, origin, err);
}

gc_status
gc_settings_blame(const struct gc_cli *cli, gc_option option, gc_status st,
                  struct gc_error *err)
{
    const char *where = gc_options_where(&cli->config, option);

    if (where == NULL || (st != GC_E_CONFIG && st != GC_E_UNTRUSTED))
        return st;
    return gc_fail_context(err, st, "%s", where);
}

bool
gc_settings_has_govc_password(const struct gc_cli *cli)
{
    const char *govc = secure_getenv("GOVC_PASSWORD");

    return govc != NULL && govc[0] != '\0'
           && gc_options_text(&cli->config, GC_OPT_PASSWORD_FILE) == NULL
           && gc_options_origin(&cli->config, GC_OPT_USERNAME) == GC_FROM_GOVC;
}

/*
 * $VARIABLE, if it is an absolute path.  sudo may leave root with the
 * environment of another user, who must not say where root reads and writes:
 * what there is of the path has to be root's then.
 */
static const char *
base_directory(const char *variable)
{
    const char *base = secure_getenv(variable);
    char path[PATH_MAX];
    struct stat sb;
    char *slash;

    if (base == NULL || base[0] != '/' || strlen(base) >= sizeof(path))
        return NULL;
    if (geteuid() != 0)
        return base;
    memcpy(path, base, strlen(base) + 1);
    while (stat(path, &sb) != 0) {
        slash = strrchr(path, '/');
        if (errno != ENOENT || slash == NULL || slash == path)
            return NULL;
        *slash = '\0';
    }
    return sb.st_uid == 0 ? base : NULL;
}

bool
gc_settings_home(const char *variable, const char *fallback, char *dst,
                 size_t size)
{
    const char *base = base_directory(variable);
    const char *home = base_directory("HOME");
    const struct passwd *pw;
    int n;

    if (base != NULL) {
        n = snprintf(dst, size, "%s/guestcred", base);
        return n > 0 && (size_t)n < size;
    }
    if (home == NULL) {
        pw = getpwuid(geteuid());
        home = pw != NULL ? pw->pw_dir : NULL;
    }
    if (home == NULL || home[0] != '/')
        return false;
    n = snprintf(dst, size, "%s/%s/guestcred", home, fallback);
    return n > 0 && (size_t)n < size;
}

gc_status
gc_settings_read(struct gc_cli *cli, unsigned taker, struct gc_error *err)
{
    char home[PATH_MAX], path[PATH_MAX + 16];
    const char *named;
    gc_status st;

    st = read_environment(cli, taker, err);
    if (st != GC_OK)
        return st;
    named = gc_options_text(&cli->config, GC_OPT_CONFIG);
    if (named != NULL)
        return read_file(cli, named, GC_FROM_USER_FILE, true, err);
    st = read_file(cli, GC_SYSCONFDIR "/guestcred/guestcred.conf",
                   GC_FROM_SYSTEM_FILE, false, err);
    if (st != GC_OK
        || !gc_settings_home("XDG_CONFIG_HOME", ".config", home, sizeof(home)))
        return st;
    (void)snprintf(path, sizeof(path), "%s/guestcred.conf", home);
    return read_file(cli, path, GC_FROM_USER_FILE, false, err);
}
