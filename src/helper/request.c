/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module has checked the options; those that security depends on are
 * checked again here.
 */
#include <config.h>

#include "src/helper/request.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "gss/spn.h"
#include "src/base/clock.h"

#define ARRIVAL_MS 2000 /* the request was sent before we were started */

#define PASSWORD_PAGE 4096
_Static_assert(GC_WIRE_PASSWORD_SIZE <= PASSWORD_PAGE, "it fits");

void
gc_request_wipe(struct gc_request *request)
{
    if (request->password == NULL)
        return;
    explicit_bzero(request->password, PASSWORD_PAGE);
    (void)munmap(request->password, PASSWORD_PAGE);
    request->password = NULL;
    request->typed = (struct gc_bytes){0};
}

/* Move the password to a page that is empty in forked children. */
static gc_status
hide_password(struct gc_request *request, struct gc_error *err)
{
    char *from = request->wire.password;
    void *page = mmap(NULL, PASSWORD_PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return gc_fail_no_memory(err);
    (void)madvise(page, PASSWORD_PAGE, MADV_WIPEONFORK);
    request->password = page;
    memcpy(page, from, GC_WIRE_PASSWORD_SIZE);
    explicit_bzero(from, GC_WIRE_PASSWORD_SIZE);
    return GC_OK;
}

void
gc_request_clear(struct gc_request *request)
{
    gc_request_wipe(request);
    gc_wire_request_clear(&request->wire);
    gc_options_clear(&request->config);
    gc_store_free(request->store);
    gc_logins_free(request->logins);
    *request = (struct gc_request){.store = NULL};
}

static gc_status
take_options(struct gc_request *request, struct gc_error *err)
{
    const char *option = NULL;
    gc_status st = GC_OK;

    while (st == GC_OK
           && (option = gc_wire_option_next(&request->wire, option)) != NULL)
        st = gc_options_put_pam_argument(&request->config, option, err);
    return st;
}

gc_status
gc_request_read(int socket, struct gc_request *ret_request,
                struct gc_error *err)
{
    struct gc_request *request = ret_request;
    GC_AUTO(gc_bytes) frame = {0};
    int64_t now = gc_clock_now(), left;
    gc_status st = gc_wire_receive(socket, now + ARRIVAL_MS, &frame, err);

    if (st == GC_OK)
        st = gc_wire_request_read(&frame, &request->wire, err);
    if (st == GC_OK)
        st = hide_password(request, err);
    if (st == GC_OK)
        st = take_options(request, err);
    if (st != GC_OK)
        return st;
    request->end = request->wire.deadline;
    request->latest = now + (request->end - now) / 3 * 2;
    left = request->end - now;
    request->deadline =
        request->end
        - (left > 3 * GC_REQUEST_RESERVE_MS ? GC_REQUEST_RESERVE_MS : left / 3);
    return GC_OK;
}

const char *
gc_request_text(const struct gc_request *request, gc_option option,
                const char *fallback)
{
    const char *text = gc_options_text(&request->config, option);

    return text == NULL ? fallback : text;
}

bool
gc_request_proves_here(const struct gc_request *request)
{
    return strcmp(gc_request_text(request, GC_OPT_PAM_PROOF, "local"), "guest")
           != 0;
}

bool
gc_request_has_source(const struct gc_request *request, const char *word)
{
    const char *at = gc_request_text(request, GC_OPT_PAM_SOURCE, "password");
    size_t len;

    for (; *at != '\0'; at += len + (at[len] == ',' ? 1 : 0)) {
        len = strcspn(at, ",");
        if (strlen(word) == len && strncmp(word, at, len) == 0)
            return true;
    }
    return false;
}

gc_status
gc_request_account(struct gc_request *request, struct gc_error *err)
{
    const struct gc_wire_request *wire = &request->wire;
    gc_status st;

    if (wire->uid == 0)
        return gc_fail(err, GC_E_DENIED, "there is no such account");
    st = gc_child_as_user(wire->user, &request->as, err);
    if (st == GC_E_NOT_FOUND)
        return gc_fail(err, GC_E_DENIED, "there is no such account");
    if (st != GC_OK)
        return st;
    if (request->as.uid != wire->uid || request->as.uid == 0
        || request->as.uid < gc_options_minimum_uid(&request->config))
        return gc_fail(err, GC_E_DENIED,
                       "the account is root, below minimum_uid, or changed");
    return GC_OK;
}

gc_status
gc_request_open(struct gc_request *request, struct gc_error *err)
{
    char path[sizeof(GC_REQUEST_LOGINS) + 24];
    gc_status st;

    (void)snprintf(path, sizeof(path), GC_REQUEST_LOGINS "/%lu",
                   (unsigned long)request->as.uid);
    st = gc_store_open(path, GC_STORE_CREATE, &request->store, err);
    if (st == GC_OK)
        st = gc_logins_open(GC_REQUEST_RUN "/logins", &request->logins, err);
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
take_pairs(struct gc_request *request, struct gc_error *err)
{
    const struct gc_options *config = &request->config;
    size_t count = gc_options_count(config, GC_OPT_PAM_VM);
    gc_status st = GC_OK;

    if (count == 0)
        return gc_fail(err, GC_E_CONFIG,
                       "which VM?  There is neither vm nor map");
    if (count > GC_REQUEST_VMS_MAX
        || count != gc_options_count(config, GC_OPT_PAM_SPN))
        return gc_fail(err, GC_E_CONFIG, "more than %d VMs, or not as many spn",
                       GC_REQUEST_VMS_MAX);
    for (size_t i = 0; st == GC_OK && i < count; i++)
        st = take_pair(gc_options_item(config, GC_OPT_PAM_VM, i),
                       gc_options_item(config, GC_OPT_PAM_SPN, i),
                       &request->vms[i], err);
    request->vm_count = count;
    return st;
}

/* The user gets one answer for all reasons; the log gets the reason. */
static gc_status
look_up(struct gc_request *request, const struct gc_map *map, const char *name,
        struct gc_error *err)
{
    const char *user = request->wire.user, *reason = NULL;
    gid_t gid = request->as.gid;
    gc_status st;

    if (name[0] == '\0')
        st = gc_map_list(map, user, gid, request->vms, GC_REQUEST_VMS_MAX,
                         &request->vm_count, err);
    else
        st = gc_map_find(map, name, user, gid, &request->vms[0], &reason, err);
    if (st == GC_OK && name[0] != '\0')
        request->vm_count = 1;
    if (st == GC_OK && request->vm_count == 0) {
        reason = "the map does not let the user into any VM";
        st = gc_fail(err, GC_E_DENIED, "not permitted");
    }
    return st == GC_E_DENIED && reason != NULL
               ? gc_fail_context(err, st, "%s", reason)
               : st;
}

gc_status
gc_request_choose(struct gc_request *request, const char *name,
                  struct gc_error *err)
{
    const char *path = gc_options_text(&request->config, GC_OPT_PAM_MAP);
    bool named = gc_options_text(&request->config, GC_OPT_PAM_VM_ENV) != NULL
                 || gc_options_flag(&request->config, GC_OPT_PAM_VM_PROMPT);
    GC_AUTO_PTR(gc_map) map = NULL;
    gc_status st;

    if (path == NULL)
        return take_pairs(request, err);
    if (named && name[0] == '\0')
        return gc_fail(err, GC_E_DENIED, "the user did not name a VM");
    st = gc_map_read_file(path, &map, err);
    return st == GC_OK ? look_up(request, map, named ? name : "", err) : st;
}
