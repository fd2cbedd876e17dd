/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options were checked by the module; what they are read for here is checked
 * again where it would matter.
 */
#include <config.h>

#include "src/helper/errand.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "gss/spn.h"
#include "src/base/clock.h"

#define ARRIVAL_MS 2000 /* the request was sent before we were started */

#define PASSWORD_PAGE 4096
_Static_assert(GC_WIRE_PASSWORD_SIZE <= PASSWORD_PAGE, "it fits");

void
gc_errand_wipe(struct gc_errand *errand)
{
    if (errand->password == NULL)
        return;
    explicit_bzero(errand->password, PASSWORD_PAGE);
    (void)munmap(errand->password, PASSWORD_PAGE);
    errand->password = NULL;
    errand->typed = (struct gc_bytes){0};
}

/* The password moves to a page that forks find empty. */
static gc_status
hide_password(struct gc_errand *errand, struct gc_error *err)
{
    char *from = errand->request.password;
    void *page = mmap(NULL, PASSWORD_PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return gc_fail_no_memory(err);
    (void)madvise(page, PASSWORD_PAGE, MADV_WIPEONFORK);
    errand->password = page;
    memcpy(page, from, GC_WIRE_PASSWORD_SIZE);
    explicit_bzero(from, GC_WIRE_PASSWORD_SIZE);
    return GC_OK;
}

void
gc_errand_clear(struct gc_errand *errand)
{
    gc_errand_wipe(errand);
    gc_wire_request_clear(&errand->request);
    gc_options_clear(&errand->config);
    gc_store_free(errand->store);
    gc_logins_free(errand->logins);
    *errand = (struct gc_errand){.store = NULL};
}

static gc_status
take_options(struct gc_errand *errand, struct gc_error *err)
{
    const char *option = NULL;
    gc_status st = GC_OK;

    while (st == GC_OK
           && (option = gc_wire_option_next(&errand->request, option)) != NULL)
        st = gc_options_put_pam_argument(&errand->config, option, err);
    return st;
}

gc_status
gc_errand_read(int socket, struct gc_errand *ret_errand, struct gc_error *err)
{
    struct gc_errand *errand = ret_errand;
    GC_AUTO(gc_bytes) frame = {0};
    int64_t now = gc_clock_now(), left;
    gc_status st = gc_wire_receive(socket, now + ARRIVAL_MS, &frame, err);

    if (st == GC_OK)
        st = gc_wire_request_read(&frame, &errand->request, err);
    if (st == GC_OK)
        st = hide_password(errand, err);
    if (st == GC_OK)
        st = take_options(errand, err);
    if (st != GC_OK)
        return st;
    errand->end = errand->request.deadline;
    errand->latest = now + (errand->end - now) / 3 * 2;
    left = errand->end - now;
    errand->deadline =
        errand->end
        - (left > 3 * GC_ERRAND_RESERVE_MS ? GC_ERRAND_RESERVE_MS : left / 3);
    return GC_OK;
}

const char *
gc_errand_text(const struct gc_errand *errand, gc_option option,
               const char *fallback)
{
    const char *text = gc_options_text(&errand->config, option);

    return text == NULL ? fallback : text;
}

bool
gc_errand_proves_here(const struct gc_errand *errand)
{
    return strcmp(gc_errand_text(errand, GC_OPT_PAM_PROOF, "local"), "guest")
           != 0;
}

bool
gc_errand_has_source(const struct gc_errand *errand, const char *word)
{
    const char *at = gc_errand_text(errand, GC_OPT_PAM_SOURCE, "password");
    size_t len;

    for (; *at != '\0'; at += len + (at[len] == ',' ? 1 : 0)) {
        len = strcspn(at, ",");
        if (strlen(word) == len && strncmp(word, at, len) == 0)
            return true;
    }
    return false;
}

gc_status
gc_errand_account(struct gc_errand *errand, struct gc_error *err)
{
    const struct gc_wire_request *request = &errand->request;
    gc_status st;

    if (request->uid == 0)
        return gc_fail(err, GC_E_DENIED, "there is no such account");
    st = gc_child_as_user(request->user, &errand->as, err);
    if (st == GC_E_NOT_FOUND)
        return gc_fail(err, GC_E_DENIED, "there is no such account");
    if (st != GC_OK)
        return st;
    if (errand->as.uid != request->uid || errand->as.uid == 0
        || errand->as.uid < gc_options_minimum_uid(&errand->config))
        return gc_fail(err, GC_E_DENIED, "the account is not one to let in");
    return GC_OK;
}

gc_status
gc_errand_open(struct gc_errand *errand, struct gc_error *err)
{
    char path[sizeof(GC_ERRAND_LOGINS) + 24];
    gc_status st;

    (void)snprintf(path, sizeof(path), GC_ERRAND_LOGINS "/%lu",
                   (unsigned long)errand->as.uid);
    st = gc_store_open(path, GC_STORE_CREATE, &errand->store, err);
    if (st == GC_OK)
        st = gc_logins_open(GC_ERRAND_RUN "/logins", &errand->logins, err);
    return st;
}

/* ---- which VMs ---- */

static gc_status
take_pair(const char *vm, const char *spn, struct gc_map_vm *ret_vm,
          struct gc_error *err)
{
    struct gc_options_vm parts;
    struct gc_spn target;
    gc_status st;

    if (!gc_options_vm_split(vm, &parts))
        return gc_fail(err, GC_E_CONFIG, "vm is not [INSTANCE-UUID/]vm-NUMBER");
    st = gc_spn_parse(spn, &target, err);
    if (st != GC_OK)
        return st;
    *ret_vm = (struct gc_map_vm){.name = ""};
    (void)snprintf(ret_vm->vcenter, sizeof(ret_vm->vcenter), "%s",
                   parts.vcenter);
    (void)snprintf(ret_vm->vm, sizeof(ret_vm->vm), "%s", parts.moid);
    gc_spn_print(&target, ret_vm->target);
    return GC_OK;
}

static gc_status
take_pairs(struct gc_errand *errand, struct gc_error *err)
{
    const struct gc_options *config = &errand->config;
    size_t count = gc_options_count(config, GC_OPT_PAM_VM);
    gc_status st = GC_OK;

    if (count == 0)
        return gc_fail(err, GC_E_CONFIG,
                       "which VM?  There is neither vm nor map");
    if (count > GC_ERRAND_VMS_MAX
        || count != gc_options_count(config, GC_OPT_PAM_SPN))
        return gc_fail(err, GC_E_CONFIG, "more than %d VMs, or not as many spn",
                       GC_ERRAND_VMS_MAX);
    for (size_t i = 0; st == GC_OK && i < count; i++)
        st = take_pair(gc_options_item(config, GC_OPT_PAM_VM, i),
                       gc_options_item(config, GC_OPT_PAM_SPN, i),
                       &errand->vms[i], err);
    errand->vm_count = count;
    return st;
}

/* The map's answer is one for all reasons; which it was is for the log. */
static gc_status
look_up(struct gc_errand *errand, const struct gc_map *map, const char *name,
        struct gc_error *err)
{
    const char *user = errand->request.user, *reason = NULL;
    gid_t gid = errand->as.gid;
    gc_status st;

    if (name[0] == '\0')
        st = gc_map_list(map, user, gid, errand->vms, GC_ERRAND_VMS_MAX,
                         &errand->vm_count, err);
    else
        st = gc_map_find(map, name, user, gid, &errand->vms[0], &reason, err);
    if (st == GC_OK && name[0] != '\0')
        errand->vm_count = 1;
    if (st == GC_OK && errand->vm_count == 0) {
        reason = "the map lets the user into no VM";
        st = gc_fail(err, GC_E_DENIED, "not permitted");
    }
    return st == GC_E_DENIED && reason != NULL
               ? gc_fail_context(err, st, "%s", reason)
               : st;
}

gc_status
gc_errand_choose(struct gc_errand *errand, const char *name,
                 struct gc_error *err)
{
    const char *path = gc_options_text(&errand->config, GC_OPT_PAM_MAP);
    bool named = gc_options_text(&errand->config, GC_OPT_PAM_VM_ENV) != NULL
                 || gc_options_flag(&errand->config, GC_OPT_PAM_VM_PROMPT);
    GC_AUTO_PTR(gc_map) map = NULL;
    gc_status st;

    if (path == NULL)
        return take_pairs(errand, err);
    if (named && name[0] == '\0')
        return gc_fail(err, GC_E_DENIED, "the user named no VM");
    st = gc_map_read_file(path, &map, err);
    return st == GC_OK ? look_up(errand, map, named ? name : "", err) : st;
}
