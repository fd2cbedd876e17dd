/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/cli/targets.h"

#include <stdlib.h>
#include <string.h>

#include "gss/spn.h"
#include "src/base/utf8.h"
#include "src/cli/settings.h"
#include "src/secret.h"

#define VMS_FILE_MAX (256 * 1024)

void
gc_targets_clear(struct gc_targets *targets)
{
    for (size_t i = 0; i < targets->count; i++) {
        free(targets->items[i].ref);
        free(targets->items[i].spn);
    }
    free(targets->items);
    *targets = (struct gc_targets){0};
}

/* "{vm}" is not a host name; what it becomes is checked when it is known. */
static gc_status
check_spn(const char *spn, struct gc_error *err)
{
    struct gc_spn parsed;
    char trial[GC_TARGET_SIZE];
    const char *mark = strstr(spn, "{vm}");
    gc_status st;

    if (strlen(spn) >= sizeof(trial))
        return gc_fail(err, GC_E_CONFIG, "the SPN is longer than %zu bytes",
                       sizeof(trial) - 1);
    memcpy(trial, spn, strlen(spn) + 1);
    if (mark != NULL && strstr(mark + 1, "{vm}") != NULL)
        return gc_fail(err, GC_E_CONFIG, "the SPN holds {vm} more than once");
    if (mark != NULL)
        memcpy(trial + (mark - spn), "name", 4);
    st = gc_spn_parse(trial, &parsed, err);
    if (st == GC_E_CONFIG && mark != NULL)
        return gc_fail_context(err, st, "%.256s for a VM called \"name\"", spn);
    return st;
}

static gc_status
add(struct gc_targets *targets, const char *ref, const char *spn,
    struct gc_error *err)
{
    struct gc_target *items, fresh;
    gc_status st;

    if (spn == NULL) {
        st = gc_fail(err, GC_E_CONFIG, "no SPN for %s", ref);
        return gc_fail_hint(err, st,
                            "name the guest as Kerberos knows it: --spn "
                            "host/guest.example.com");
    }
    st = check_spn(spn, err);
    if (st != GC_OK)
        return st;
    if (targets->count >= GC_TARGETS_MAX)
        return gc_fail(err, GC_E_CONFIG, "more than %d VMs", GC_TARGETS_MAX);
    items = reallocarray(targets->items, targets->count + 1, sizeof(*items));
    if (items == NULL)
        return gc_fail_no_memory(err);
    targets->items = items;
    fresh = (struct gc_target){strdup(ref), strdup(spn)};
    items[targets->count++] = fresh;
    if (fresh.ref == NULL || fresh.spn == NULL)
        return gc_fail_no_memory(err);
    return GC_OK;
}

/*
 * Cut the next word off *TEXT, with quotes and backslashes as in a shell.
 * RET_WORD is NULL at the end of the line, and where a comment begins.
 */
static gc_status
next_word(char **text, char **ret_word, struct gc_error *err)
{
    static const char blank[] = " \t\r";
    char *from = *text + strspn(*text, blank), *to = from, quote = '\0';

    *ret_word = from[0] == '\0' || from[0] == '#' ? NULL : from;
    if (*ret_word == NULL)
        return GC_OK;
    for (; from[0] != '\0'; from++) {
        if (quote == '\0' && strchr(blank, from[0]) != NULL)
            break;
        if (from[0] == quote
            || (quote == '\0' && strchr("'\"", from[0]) != NULL)) {
            quote = quote == '\0' ? from[0] : '\0';
            continue;
        }
        if (from[0] == '\\' && from[1] != '\0'
            && (quote == '\0'
                || (quote == '"' && strchr("\"\\", from[1]) != NULL)))
            from++;
        *to++ = from[0];
    }
    if (quote != '\0')
        return gc_fail(err, GC_E_CONFIG, "a quote is not closed");
    *text = from[0] == '\0' ? from : from + 1;
    *to = '\0';
    return GC_OK;
}

static gc_status
add_line(struct gc_targets *targets, char *line, const char *spn,
         struct gc_error *err)
{
    char *words[3] = {NULL};
    size_t count = 0;
    gc_status st;

    do {
        st = next_word(&line, &words[count], err);
        if (st != GC_OK)
            return st;
    } while (words[count] != NULL && ++count < GC_COUNT_OF(words));
    if (count == 0)
        return GC_OK;
    if (count > 2) {
        st = gc_fail(err, GC_E_CONFIG, "more than REF and SPN");
        return gc_fail_hint(err, st, "a REF with blanks stands in quotes");
    }
    if (!gc_utf8_is(words[0], strlen(words[0])))
        return gc_fail(err, GC_E_CONFIG, "the VM is not UTF-8");
    return add(targets, words[0], words[1] != NULL ? words[1] : spn, err);
}

static gc_status
add_file(struct gc_cli *cli, const char *file, const char *spn,
         struct gc_targets *targets, struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    char *line, *next;
    int number = 1;
    gc_status st;

    st = gc_secret_read(file, false, VMS_FILE_MAX, cli->limit, &text, err);
    if (st != GC_OK)
        return st;
    if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL)
        return gc_fail(err, GC_E_CONFIG, "%s holds a NUL", file);
    line = (char *)text.data;
    if (line != NULL)
        line += gc_utf8_mark(line, text.len);
    for (; line != NULL; line = next, number++) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        st = add_line(targets, line, spn, err);
        if (st != GC_OK)
            return gc_fail_context(err, st, "%s:%d", file, number);
    }
    return GC_OK;
}

gc_status
gc_targets_read(struct gc_cli *cli, struct gc_targets *ret_targets,
                struct gc_error *err)
{
    const struct gc_options *c = &cli->config;
    const char *file = gc_options_text(c, GC_OPT_VMS_FROM);
    const char *spn = gc_options_text(c, GC_OPT_SPN);
    GC_AUTO(gc_targets) targets = {0};
    gc_status st = GC_OK;

    /* GUESTCRED_VM counts only where no option names a VM. */
    if (file == NULL || gc_options_origin(c, GC_OPT_VM) == GC_FROM_COMMAND_LINE)
        for (size_t i = 0; i < gc_options_count(c, GC_OPT_VM); i++) {
            st = add(&targets, gc_options_item(c, GC_OPT_VM, i), spn, err);
            if (st != GC_OK)
                return gc_settings_blame(cli, GC_OPT_SPN, st, err);
        }
    if (file != NULL)
        st = add_file(cli, file, spn, &targets, err);
    if (st != GC_OK)
        return st;
    if (targets.count == 0) {
        st = gc_fail(err, GC_E_CONFIG, "no VM is named");
        return gc_fail_hint(err, st, "give --vm REF or --vms-from FILE");
    }
    targets.several = file != NULL || targets.count > 1;
    *ret_targets = targets;
    targets = (struct gc_targets){0};
    return GC_OK;
}
