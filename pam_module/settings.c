/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/options checks that values are well-formed; this file checks what PAM
 * allows.  Never reads the environment, which an unprivileged user may control.
 */
#include <config.h>

#include "pam_module/settings.h"

#include <fcntl.h>
#include <string.h>

#include "src/base/descriptor.h"

#define CONF   GC_SYSCONFDIR "/guestcred/guestcred.conf"
#define HELPER GC_PKGLIBEXECDIR "/guestcred-helper"

void
gc_settings_clear(struct gc_settings *settings)
{
    gc_options_clear(&settings->config);
    *settings = (struct gc_settings){.helper = NULL};
}

gc_status
gc_settings_take_arguments(struct gc_settings *settings, int argc,
                           const char **argv, struct gc_error *err)
{
    gc_status st = GC_OK;

    for (int i = 0; st == GC_OK && i < argc; i++)
        st = gc_options_put_pam_argument(&settings->config, argv[i], err);
    if (st == GC_OK)
        return GC_OK;
    return gc_fail_context(err, st, "argument");
}

/* ---- the file ---- */

static gc_status
read_file(struct gc_options *config, struct gc_error *err)
{
    const char *given = gc_options_text(config, GC_OPT_PAM_CONF);
    const struct gc_trust trust = {.own = true,
                                   .root = true,
                                   .forbidden = 022,
                                   .max = GC_OPTIONS_FILE_MAX,
                                   .needed = given != NULL};
    const char *path = given == NULL ? CONF : given;
    GC_AUTO(gc_bytes) text = {0};
    gc_status st;

    if (path[0] != '/')
        return gc_fail(err, GC_E_CONFIG, "conf is not an absolute path");
    st = gc_trusted_read(AT_FDCWD, path, &trust, &text, NULL, err);
    if (st != GC_OK)
        return st == GC_E_NOT_FOUND ? GC_OK : st;
    return gc_options_put_pam_file(config, path, gc_bytes_text(&text), text.len,
                                   err);
}

/* ---- what makes sense ---- */

static gc_status
check_pairs(const struct gc_options *config, struct gc_error *err)
{
    size_t vms = gc_options_count(config, GC_OPT_PAM_VM);
    bool map = gc_options_text(config, GC_OPT_PAM_MAP) != NULL;

    if (vms != gc_options_count(config, GC_OPT_PAM_SPN))
        return gc_fail(err, GC_E_CONFIG, "as many spn as vm are needed");
    if (map == (vms > 0))
        return gc_fail(err, GC_E_CONFIG,
                       map ? "map and vm exclude each other"
                           : "which VM?  There is neither vm nor map");
    if (!map
        && (gc_options_text(config, GC_OPT_PAM_VM_ENV) != NULL
            || gc_options_flag(config, GC_OPT_PAM_VM_PROMPT)))
        return gc_fail(err, GC_E_CONFIG, "vm_env and vm_prompt need a map");
    for (size_t i = 0; i < vms; i++) {
        const char *spn = gc_options_item(config, GC_OPT_PAM_SPN, i);

        if (!gc_options_vm_split(gc_options_item(config, GC_OPT_PAM_VM, i),
                                 NULL))
            return gc_fail(err, GC_E_CONFIG,
                           "vm is \"%.128s\", not [INSTANCE-UUID/]vm-NUMBER: "
                           "here a VM has no other name",
                           gc_options_item(config, GC_OPT_PAM_VM, i));
        if (strchr(spn, '/') == NULL || strpbrk(spn, "{} \t") != NULL)
            return gc_fail(err, GC_E_CONFIG,
                           "spn is \"%.128s\", not a literal host/NAME", spn);
    }
    return GC_OK;
}

static gc_status
check_words(const struct gc_options *config, struct gc_error *err)
{
    const char *mech = gc_options_text(config, GC_OPT_MECH);
    const char *proof = gc_options_text(config, GC_OPT_PAM_PROOF);
    const char *password = gc_options_text(config, GC_OPT_PASSWORD_FILE);

    if (mech != NULL && strcmp(mech, "kerberos") != 0
        && strcmp(mech, "negotiate") != 0)
        return gc_fail(err, GC_E_CONFIG,
                       "mech is \"%.64s\": only kerberos and negotiate prove "
                       "anybody",
                       mech);
    if (proof != NULL && strcmp(proof, "local") != 0
        && strcmp(proof, "guest") != 0)
        return gc_fail(err, GC_E_CONFIG,
                       "proof is \"%.64s\", not local or guest", proof);
    if (password != NULL && password[0] != '/')
        return gc_fail(err, GC_E_CONFIG,
                       "password_file is not an absolute path");
    return GC_OK;
}

/* "password,ccache,s4u", each once. */
static gc_status
take_sources(struct gc_settings *settings, struct gc_error *err)
{
    static const char *const words[] = {"password", "ccache", "s4u"};
    const char *text = gc_options_text(&settings->config, GC_OPT_PAM_SOURCE);
    unsigned int seen = 0;
    size_t len, word;

    for (const char *at = text == NULL ? words[0] : text; at != NULL;) {
        len = strcspn(at, ",");
        for (word = 0; word < GC_COUNT_OF(words); word++)
            if (strlen(words[word]) == len
                && strncmp(words[word], at, len) == 0)
                break;
        if (word == GC_COUNT_OF(words) || (seen & (1u << word)) != 0)
            return gc_fail(err, GC_E_CONFIG,
                           "source is \"%.64s\", not password, ccache, s4u or "
                           "a list of them",
                           text);
        seen |= 1u << word;
        if (word < 2)
            settings->sources[settings->source_count++] =
                word == 0 ? GC_WIRE_PASSWORD : GC_WIRE_CCACHE;
        at = at[len] == ',' ? at + len + 1 : NULL;
    }
    return GC_OK;
}

gc_status
gc_settings_take_file(struct gc_settings *settings, struct gc_error *err)
{
    struct gc_options *config = &settings->config;
    const char *helper;
    gc_status st = read_file(config, err);

    if (st == GC_OK)
        st = check_pairs(config, err);
    if (st == GC_OK)
        st = check_words(config, err);
    if (st == GC_OK)
        st = take_sources(settings, err);
    if (st != GC_OK)
        return st;
    helper = gc_options_text(config, GC_OPT_PAM_HELPER);
    settings->helper = helper == NULL ? HELPER : helper;
    settings->timeout_ms = gc_options_timeout_ms(config, GC_SETTINGS_TIMEOUT_S);
    settings->minimum_uid = gc_options_minimum_uid(config);
    settings->ignore_root =
        gc_options_text(config, GC_OPT_PAM_IGNORE_ROOT) == NULL
        || gc_options_flag(config, GC_OPT_PAM_IGNORE_ROOT);
    settings->try_first_pass =
        gc_options_flag(config, GC_OPT_PAM_TRY_FIRST_PASS);
    settings->use_first_pass =
        gc_options_flag(config, GC_OPT_PAM_USE_FIRST_PASS);
    settings->no_prompt = gc_options_flag(config, GC_OPT_PAM_NO_PROMPT);
    settings->vm_prompt = gc_options_flag(config, GC_OPT_PAM_VM_PROMPT);
    settings->debug = gc_options_flag(config, GC_OPT_PAM_DEBUG);
    settings->silent = gc_options_flag(config, GC_OPT_PAM_SILENT);
    return GC_OK;
}

gc_status
gc_settings_pass_on(const struct gc_settings *settings,
                    struct gc_wire_request *request, struct gc_error *err)
{
    const struct gc_options *config = &settings->config;
    gc_status st = GC_OK;

    for (gc_option o = 0; o < GC_OPT_PAM_COUNT; o++) {
        if (o == GC_OPT_COUNT)
            continue;
        for (size_t i = 0; st == GC_OK && i < gc_options_count(config, o); i++)
            st = gc_wire_option_add(request, gc_option_info(o)->name,
                                    gc_options_item(config, o, i), err);
    }
    return st;
}
