/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/helper/vcenter.h"

#include <fcntl.h>
#include <strings.h>

#include "src/base/descriptor.h"
#include "src/secret.h"
#include "src/tickets/vcenter.h"

#define PASSWORD_SIZE 1024

void
gc_vcenter_clear(struct gc_vcenter *v)
{
    gc_guest_free(v->guest);
    gc_store_free(v->sessions);
    *v = (struct gc_vcenter){.guest = NULL};
}

/* Read only when a login is due, so that no child was forked with it. */
static gc_status
password(void *user, struct gc_limit limit, struct gc_bytes *ret_password,
         struct gc_password_identity *ret_identity, struct gc_error *err)
{
    static const struct gc_trust trust = {.own = true,
                                          .root = true,
                                          .forbidden = 077,
                                          .max = PASSWORD_SIZE,
                                          .needed = true};
    const struct gc_request *r = user;
    const char *file = gc_options_text(&r->config, GC_OPT_PASSWORD_FILE);
    gc_status st;

    (void)limit; /* a regular file makes nobody wait */
    if (file == NULL || file[0] != '/')
        return gc_fail(err, GC_E_CONFIG, "password_file is %s",
                       file == NULL ? "not configured"
                                    : "not an absolute path");
    gc_vcenter_identify(file, ret_identity);
    st = gc_trusted_read(AT_FDCWD, file, &trust, ret_password, NULL, err);
    if (st == GC_OK)
        st = gc_secret_tidy(ret_password, file, PASSWORD_SIZE, err);
    return st == GC_OK ? gc_secret_check_text(ret_password, file, err) : st;
}

gc_status
gc_vcenter_open(const struct gc_request *r, const char *transaction,
                const char *host, struct gc_vcenter *ret_vcenter,
                struct gc_error *err)
{
    const struct gc_options *c = &r->config;
    struct gc_vcenter *v = ret_vcenter;
    union {
        const struct gc_request *from;
        void *as; /* password only reads it */
    } user = {r};
    struct gc_vcenter_options options = {
        .http =
            {
                .url = gc_options_text(c, GC_OPT_URL),
                .ca_file = gc_options_text(c, GC_OPT_CA_FILE),
                .pin = gc_options_text(c, GC_OPT_PIN),
                .proxy = gc_options_text(c, GC_OPT_PROXY),
            },
        .username = gc_options_text(c, GC_OPT_USERNAME),
        .password = password,
        .user = user.as,
    };
    gc_status st;

    if (options.http.url == NULL || options.username == NULL)
        return gc_fail(err, GC_E_CONFIG, "url or username is not configured");
    st = gc_store_open(GC_REQUEST_STATE "/vcenter", GC_STORE_CREATE,
                       &v->sessions, err);
    options.store = v->sessions;
    if (st == GC_OK)
        st = gc_vcenter_new(&options, &v->guest, err);
    v->login = (struct gc_tickets_login){transaction, r->as.uid, host};
    v->tickets = (struct gc_tickets){
        .guest = v->guest, .store = r->store, .login = &v->login};
    return st;
}

gc_status
gc_vcenter_check(struct gc_vcenter *v, const struct gc_map_vm *vm,
                 struct gc_limit limit, struct gc_error *err)
{
    gc_status st = v->guest->ops->open(v->guest, limit, err);

    if (st != GC_OK || vm->vcenter[0] == '\0')
        return st;
    if (strcasecmp(v->guest->ops->about(v->guest).vcenter, vm->vcenter) != 0)
        return gc_fail(
            err, GC_E_NOT_FOUND,
            "%s belongs to another vCenter than the one that answers", vm->vm);
    return GC_OK;
}
