/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/tickets/vcenter.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "src/base/clock.h"
#include "src/vim/auth_manager.h"
#include "src/vim/inventory.h"

#define GRACE_MS 3000 /* for goodbyes */

/* Another process's login is waited for this long. */
#define LOGIN_WAIT_MS 5000

/* A refused password is not tried again for so long: five refusals lock an
 * account in many places. */
#define REFUSED_S 300

struct vcenter {
    struct gc_guest guest; /* first */
    struct gc_http *http;
    struct gc_session *session;
    struct gc_vcenter_options options;
    struct gc_kept_session kept; /* what the store has, as far as we know */
    /* Of the login that is due, or the last one. */
    struct gc_bytes password; /* secret */
    struct gc_password_identity identity;
    int64_t refused; /* when IDENTITY's was, in this process; or 0 */
    bool locked;     /* others wait for our login */
    bool alone;      /* the session is in no store: it is ours to end */
};

static struct vcenter *
self(struct gc_guest *guest)
{
    return (struct vcenter *)guest;
}

static void GC_PRINTF(2, 3) say(const struct vcenter *v, const char *fmt, ...)
{
    char raw[512], line[1024];
    va_list args;

    if (v->options.log == NULL)
        return;
    va_start(args, fmt);
    (void)vsnprintf(raw, sizeof(raw), fmt, args);
    va_end(args);
    gc_escape(line, sizeof(line), raw, strlen(raw));
    v->options.log(v->options.log_user, line);
}

static const char *
url(const struct vcenter *v)
{
    return gc_session_url(v->session);
}

void
gc_vcenter_identify(const char *path, struct gc_password_identity *ret_identity)
{
    struct stat sb;

    *ret_identity = (struct gc_password_identity){0};
    if (stat(path, &sb) != 0 || !S_ISREG(sb.st_mode))
        return;
    *ret_identity = (struct gc_password_identity){
        .dev = (int64_t)sb.st_dev,
        .inode = (int64_t)sb.st_ino,
        .size = (int64_t)sb.st_size,
        .mtime_s = (int64_t)sb.st_mtim.tv_sec,
        .mtime_ns = (int64_t)sb.st_mtim.tv_nsec,
        .ctime_s = (int64_t)sb.st_ctim.tv_sec,
        .ctime_ns = (int64_t)sb.st_ctim.tv_nsec,
    };
}

/* ---- what is kept ---- */

/* What the store has for us now; empty where that is nothing. */
static void
read_kept(const struct vcenter *v, struct gc_kept_session *ret_kept)
{
    struct gc_error why = {0};
    gc_status st;

    if (v->options.store == NULL)
        return;
    st = gc_store_session(v->options.store, url(v), v->options.username,
                          ret_kept, &why);
    if (st != GC_OK && st != GC_E_NOT_FOUND)
        say(v, "no stored session: %s", why.message);
}

/* Put the session as it is now, with FACTS or without, in the store. */
static gc_status
keep_session(struct vcenter *v, bool facts, struct gc_error *err)
{
    const struct gc_bytes *id = gc_session_id(v->session);
    GC_AUTO(gc_kept_session) kept = {0};
    gc_status st;

    (void)snprintf(kept.url, sizeof(kept.url), "%s", url(v));
    (void)snprintf(kept.username, sizeof(kept.username), "%s",
                   v->options.username);
    if (facts)
        kept.facts = *gc_session_vc_info(v->session);
    st = gc_bytes_set(&kept.id, id->data, id->len, err);
    if (st == GC_OK)
        st = gc_store_keep_session(v->options.store, &kept, err);
    if (st != GC_OK)
        return st;
    gc_kept_session_clear(&v->kept);
    v->kept = kept;
    kept = (struct gc_kept_session){.id = {0}};
    return GC_OK;
}

/* Write down that the password was refused; a session that is kept stays. */
static void
keep_refusal(struct vcenter *v)
{
    GC_AUTO(gc_kept_session) kept = {0};
    struct gc_error why = {0};

    v->refused = gc_clock_epoch();
    if (v->options.store == NULL)
        return;
    read_kept(v, &kept);
    (void)snprintf(kept.url, sizeof(kept.url), "%s", url(v));
    (void)snprintf(kept.username, sizeof(kept.username), "%s",
                   v->options.username);
    kept.refused = v->refused;
    kept.password = v->identity;
    if (gc_store_keep_session(v->options.store, &kept, &why) != GC_OK)
        say(v, "the refused login is not written down: %s", why.message);
}

static bool
adopt(struct vcenter *v, struct gc_kept_session *take_kept)
{
    struct gc_error why = {0};

    if (take_kept->url[0] == '\0' || v->options.no_reuse)
        return false;
    if (gc_session_adopt(v->session, &take_kept->facts, &take_kept->id, &why)
        != GC_OK) {
        say(v, "no stored session: %s", why.message);
        return false;
    }
    if (take_kept->id.len > 0)
        say(v, "using the stored vCenter session");
    gc_kept_session_clear(&v->kept);
    v->kept = *take_kept;
    *take_kept = (struct gc_kept_session){.id = {0}};
    return true;
}

/* ---- one login at a time, and no refused password twice ---- */

static bool
same_password(const struct gc_password_identity *a,
              const struct gc_password_identity *b)
{
    return a->dev == b->dev && a->inode == b->inode && a->size == b->size
           && a->mtime_s == b->mtime_s && a->mtime_ns == b->mtime_ns
           && a->ctime_s == b->ctime_s && a->ctime_ns == b->ctime_ns;
}

static gc_status
fail_refused(const struct vcenter *v, int64_t when, struct gc_error *err)
{
    int64_t left = REFUSED_S - (gc_clock_epoch() - when);
    gc_status st = gc_fail(
        err, GC_E_VCENTER_DENIED,
        "%s refused the login of %s a moment ago, and the password is the same",
        url(v), v->options.username);

    if (err != NULL)
        (void)snprintf(err->fault, sizeof(err->fault), "InvalidLogin");
    return gc_fail_hint(err, st,
                        "correct the password: more refused logins may lock "
                        "the account; it is tried again when it changes, or in "
                        "%d s",
                        (int)(left > 0 ? left : 1));
}

static bool
is_recent(int64_t when)
{
    int64_t age = gc_clock_epoch() - when;

    return when != 0 && age >= 0 && age < REFUSED_S;
}

/*
 * Look for what other processes found since: a session to take over, or that
 * the password is refused.  A password that was typed or piped may differ from
 * theirs, unless they tried it while we waited: SINCE.
 */
static gc_status
look(struct vcenter *v, const struct gc_bytes *refused, int64_t since,
     struct gc_error *err)
{
    static const struct gc_password_identity typed = {0};
    GC_AUTO(gc_kept_session) now = {0};

    read_kept(v, &now);
    if (is_recent(now.refused) && same_password(&now.password, &v->identity)
        && (!same_password(&v->identity, &typed) || now.refused >= since))
        return fail_refused(v, now.refused, err);
    if (now.id.len > 0 && !gc_bytes_equal(&now.id, refused))
        (void)adopt(v, &now);
    return GC_OK;
}

static gc_status
lock_login(struct vcenter *v, const struct gc_bytes *refused,
           struct gc_limit limit, struct gc_error *err)
{
    struct gc_error why = {0};
    int64_t since = gc_clock_epoch();
    bool waited = false;
    gc_status st;

    st = gc_store_login_begin(v->options.store, url(v), v->options.username,
                              gc_clock_within(limit.deadline, LOGIN_WAIT_MS),
                              limit.cancel_fd, &waited, &why);
    if (st == GC_E_CANCELED) {
        if (err != NULL)
            *err = why;
        return st;
    }
    v->locked = st == GC_OK;
    v->alone = st != GC_OK || v->options.no_reuse;
    if (st != GC_OK)
        say(v, "logging in alone: %s", why.message);
    return look(v, refused, waited || st != GC_OK ? since : INT64_MAX, err);
}

static void
unlock_login(struct vcenter *v)
{
    if (v->locked)
        gc_store_login_end(v->options.store);
    v->locked = false;
    gc_bytes_clear(&v->password);
}

/* See gc_session_login. */
static gc_status
begin_login(void *user, const struct gc_bytes *refused, struct gc_limit limit,
            struct gc_error *err)
{
    struct vcenter *v = user;
    struct gc_password_identity identity = {0};
    gc_status st;

    st = v->options.password(v->options.user, limit, &v->password, &identity,
                             err);
    if (st != GC_OK)
        return st;
    if (is_recent(v->refused) && same_password(&identity, &v->identity))
        st = fail_refused(v, v->refused, err);
    v->identity = identity;
    v->alone = v->options.store == NULL;
    if (st == GC_OK && !v->alone)
        st = lock_login(v, refused, limit, err);
    if (st != GC_OK || gc_session_id(v->session)->len > 0) {
        v->alone = false;
        unlock_login(v);
    } else {
        say(v, "logging in to vCenter as %s", v->options.username);
    }
    return st;
}

static void
end_login(void *user, gc_status st, const struct gc_error *why)
{
    struct vcenter *v = user;
    struct gc_error unwritten = {0};

    if (st == GC_OK)
        v->refused = 0;
    if (st == GC_OK && !v->alone
        && keep_session(v, true, &unwritten) != GC_OK) {
        v->alone = true;
        say(v, "the session is not kept: %s", unwritten.message);
    }
    if (strcmp(why->fault, "InvalidLogin") == 0)
        keep_refusal(v);
    unlock_login(v);
}

static gc_status
hand_password(void *user, struct gc_bytes *ret_password, struct gc_error *err)
{
    struct vcenter *v = user;

    return gc_bytes_set(ret_password, v->password.data, v->password.len, err);
}

/* ---- the seam ---- */

static struct gc_guest_about
vcenter_about(struct gc_guest *guest)
{
    const struct vcenter *v = self(guest);

    return (struct gc_guest_about){
        .url = url(v),
        .vcenter = gc_session_vc_info(v->session)->instance_uuid,
        .spoke = gc_session_spoke(v->session),
    };
}

static gc_status
vcenter_open(struct gc_guest *guest, struct gc_limit limit,
             struct gc_error *err)
{
    return gc_guest_manager_find(self(guest)->session, GC_GUEST_AUTH, limit,
                                 err);
}

static gc_status
vcenter_login(struct gc_guest *guest, struct gc_limit limit,
              struct gc_error *err)
{
    return gc_session_relogin(self(guest)->session, limit, err);
}

static gc_status
vcenter_locate(struct gc_guest *guest, const char *ref, bool with_name,
               struct gc_limit limit, struct gc_place *ret_place,
               struct gc_error *err)
{
    struct gc_session *session = self(guest)->session;
    struct gc_place place = {.vm = ""};
    gc_status st = gc_inventory_find(session, ref, limit, place.vm, err);

    if (st == GC_OK && with_name)
        st = gc_inventory_name(session, place.vm, limit, place.name, err);
    if (st == GC_OK)
        *ret_place = place;
    return st;
}

static gc_status
vcenter_leg(struct gc_guest *guest, struct gc_exchange *exchange,
            const struct gc_bytes *token, enum gc_leg *ret_leg,
            struct gc_bytes *ret_bytes, struct gc_error *err)
{
    exchange->session = self(guest)->session;
    return gc_auth_manager_leg(exchange, token, ret_leg, ret_bytes, err);
}

static gc_status
vcenter_validate(struct gc_guest *guest, const char *vm,
                 const struct gc_bytes *ticket, struct gc_limit limit,
                 struct gc_error *err)
{
    return gc_auth_manager_validate(self(guest)->session, vm, ticket, limit,
                                    err);
}

static gc_status
vcenter_release(struct gc_guest *guest, const char *vm,
                const struct gc_bytes *ticket, struct gc_limit limit,
                enum gc_released *ret_how, struct gc_error *err)
{
    return gc_auth_manager_release(self(guest)->session, vm, ticket, limit,
                                   ret_how, err);
}

static void
log_out(struct vcenter *v)
{
    struct gc_error why = {0};

    if (gc_session_logout(v->session, gc_limit_grace(GRACE_MS), &why) != GC_OK)
        say(v, "logging out of vCenter failed: %s", why.message);
}

/*
 * What changed since it was kept.  Where another process has put its own
 * session there meanwhile, ours is surplus.
 */
static void
update_kept(struct vcenter *v, bool facts)
{
    const struct gc_bytes *id = gc_session_id(v->session);
    GC_AUTO(gc_kept_session) now = {0};
    struct gc_error why = {0};

    if (id->len == 0)
        return;
    if (facts && gc_bytes_equal(id, &v->kept.id)
        && memcmp(gc_session_vc_info(v->session), &v->kept.facts,
                  sizeof(v->kept.facts))
               == 0)
        return;
    read_kept(v, &now);
    if (gc_bytes_equal(&now.id, &v->kept.id)) {
        if (keep_session(v, facts, &why) == GC_OK)
            return;
        say(v, "the session is not kept: %s", why.message);
    }
    if (!gc_bytes_equal(&now.id, id))
        log_out(v);
}

/* Neither a session that another process put there, nor a refusal. */
static void
forget_kept(const struct vcenter *v)
{
    const struct gc_bytes *id = gc_session_id(v->session);
    GC_AUTO(gc_kept_session) now = {0};
    struct gc_error why = {0};
    gc_status st;

    read_kept(v, &now);
    if (id->len == 0 || !gc_bytes_equal(&now.id, id))
        return;
    gc_bytes_clear(&now.id);
    if (now.refused != 0)
        st = gc_store_keep_session(v->options.store, &now, &why);
    else
        st = gc_store_forget_session(v->options.store, url(v),
                                     v->options.username, &why);
    if (st != GC_OK)
        say(v, "%s", why.message);
}

static void
vcenter_close(struct gc_guest *guest, gc_status status, bool logout)
{
    struct vcenter *v = self(guest);

    if (!logout && !gc_session_spoke(v->session))
        return;
    /* Forgotten first, so that no other process takes it up as it ends. */
    if (logout)
        forget_kept(v);
    if (logout || v->alone || v->options.no_reuse || v->options.store == NULL) {
        log_out(v);
    } else {
        /*
         * Such a failure may be due to facts that are wrong: do not keep them.
         */
        update_kept(v, status != GC_E_PROTOCOL && status != GC_E_NOT_SUPPORTED);
    }
}

static void
vcenter_free(struct gc_guest *guest)
{
    struct vcenter *v = self(guest);

    gc_session_free(v->session);
    gc_http_free(v->http);
    gc_kept_session_clear(&v->kept);
    gc_bytes_clear(&v->password);
    free(v);
}

static const struct gc_guest_ops vcenter_ops = {
    .about = vcenter_about,
    .open = vcenter_open,
    .login = vcenter_login,
    .locate = vcenter_locate,
    .leg = vcenter_leg,
    .validate = vcenter_validate,
    .release = vcenter_release,
    .close = vcenter_close,
    .free = vcenter_free,
};

gc_status
gc_vcenter_new(const struct gc_vcenter_options *options,
               struct gc_guest **ret_guest, struct gc_error *err)
{
    struct vcenter *v = calloc(1, sizeof(*v));
    GC_AUTO_PTR(gc_guest) guest = v == NULL ? NULL : &v->guest;
    GC_AUTO(gc_kept_session) kept = {0};
    struct gc_session_login login = {options->username, hand_password,
                                     begin_login, end_login, v};
    gc_status st;

    if (v == NULL)
        return gc_fail_no_memory(err);
    v->guest.ops = &vcenter_ops;
    v->options = *options;
    st = gc_http_new(&options->http, &v->http, err);
    if (st == GC_OK)
        st = gc_session_new(v->http, &login, &v->session, err);
    if (st != GC_OK)
        return st;
    read_kept(v, &kept);
    (void)adopt(v, &kept);
    *ret_guest = GC_TAKE(guest);
    return GC_OK;
}

struct gc_session *
gc_vcenter_session(struct gc_guest *guest)
{
    return self(guest)->session;
}

bool
gc_vcenter_means(const char *ref, const struct gc_entry *entry)
{
    char meant[GC_INVENTORY_REF_SIZE], asked[GC_INVENTORY_REF_SIZE];
    const char *name = strncmp(ref, "name:", 5) == 0 ? ref + 5 : ref;

    (void)gc_inventory_canonical(ref, meant);
    (void)gc_inventory_canonical(entry->asked, asked);
    return strcmp(meant, entry->ticket.vm) == 0 || strcmp(meant, asked) == 0
           || (entry->ticket.name[0] != '\0'
               && strcmp(name, entry->ticket.name) == 0);
}
