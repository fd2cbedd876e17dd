/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings, virtual machines and folders, and the "key=value" words that make
 * and change them: one table a kind.
 */

#include <config.h>

#include "tests/lab/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/guest.h"

enum kind { STRING, NUMBER, SECONDS, FLAG, WORD };

struct key {
    const char *name;
    enum kind kind;
    size_t offset, size;
    const char *const *words;
};

static const char *const hello_words[] = {"present", "absent", "none", NULL};
static const char *const nothing_words[] = {"204", "null", "empty", NULL};
static const char *const reissue_words[] = {"off", "same", "new", NULL};
static const char *const power_words[] = {"on", "off", "suspended", NULL};
static const char *const tools_words[] = {"running", "stopped", "old",
                                          "disabled", NULL};
static const char *const os_words[] = {"windows", "linux", NULL};
static const char *const ntlm_words[] = {"off", "on", "only", NULL};
static const char *const challenge_words[] = {
    "never", "always-empty", "always-full", "two-legs", "endless", NULL};
static const char *const style_words[] = {"plain", "odd", NULL};
static const char *const released_words[] = {"InvalidGuestLogin",
                                             "GuestPermissionDenied", NULL};

#define AT(s, f)        offsetof(struct s, f), sizeof(((struct s *)NULL)->f)
#define SETTING(f)      AT(gc_settings, f), NULL
#define SETTING_W(f, w) AT(gc_settings, f), w
#define VM(f)           AT(gc_vm, f), NULL
#define VM_W(f, w)      AT(gc_vm, f), w

static const struct key setting_keys[] = {
    {"username", STRING, SETTING(username)},
    {"password", STRING, SETTING(password)},
    {"releases", STRING, SETTING(releases)},
    {"instance", STRING, SETTING(instance)},
    {"suffix", STRING, SETTING(suffix)},
    {"hello", WORD, SETTING_W(hello, hello_words)},
    {"nothing", WORD, SETTING_W(nothing, nothing_words)},
    {"reissue", WORD, SETTING_W(reissue, reissue_words)},
    {"max-sessions", NUMBER, SETTING(max_sessions)},
    {"idle", SECONDS, SETTING(idle)},
    {"strict", FLAG, SETTING(strict)},
    {"esxi", FLAG, SETTING(esxi)},
    {"cookie", FLAG, SETTING(cookie)},
};

static const struct key vm_keys[] = {
    {"name", STRING, VM(name)},
    {"path", STRING, VM(path)},
    {"uuid", STRING, VM(uuid)},
    {"instance-uuid", STRING, VM(instance_uuid)},
    {"host-name", STRING, VM(host_name)},
    {"ip", STRING, VM(ip)},
    {"keytab", STRING, VM(keytab)},
    {"allow", STRING, VM(allow)},
    {"power", WORD, VM_W(power, power_words)},
    {"tools", WORD, VM_W(tools, tools_words)},
    {"os", WORD, VM_W(os, os_words)},
    {"ntlm", WORD, VM_W(ntlm, ntlm_words)},
    {"challenge", WORD, VM_W(challenge, challenge_words)},
    {"ticket-style", WORD, VM_W(ticket_style, style_words)},
    {"after-release", WORD, VM_W(after_release, released_words)},
    {"renumber", FLAG, VM(renumber)},
    {"stub", FLAG, VM(stub)},
    {"stub-legs", NUMBER, VM(stub_legs)},
    {"sessionid", NUMBER, VM(session_id)},
    {"max-tickets", NUMBER, VM(max_tickets)},
    {"max-handshakes", NUMBER, VM(max_handshakes)},
    {"ticket-size", NUMBER, VM(ticket_size)},
    {"handshake-ttl", SECONDS, VM(handshake_ttl)},
    {"ticket-ttl", SECONDS, VM(ticket_ttl)},
};

static const struct key folder_keys[] = {
    {"path", STRING, AT(gc_folder, path), NULL},
};

static const struct gc_settings built_in_settings = {
    .username = "administrator@vsphere.local",
    .password = "",
    .releases = "9.0.0.0,8.0.3.0,8.0.2.0,8.0.1.0",
    .instance = "7f1a3c52-0d4e-4b8a-9a56-1c2d3e4f5a6b",
    .max_sessions = 100,
    .idle = 1800,
    .strict = true,
};

static const struct gc_vm built_in_vm = {
    .session_id = 1,
    .stub_legs = 1,
    .max_tickets = 50,
    .max_handshakes = 50,
    .handshake_ttl = 600,
    .ticket_ttl = 86400,
};

static bool
set_word(const struct key *key, int *to, const char *value)
{
    int i;

    for (i = 0; key->words[i] != NULL; i++) {
        if (strcmp(key->words[i], value) == 0) {
            *to = i;
            return true;
        }
    }
    return false;
}

static bool
set_value(const struct key *key, void *base, const char *value)
{
    char *to = (char *)base + key->offset;

    switch (key->kind) {
    case STRING:
        return gc_text_copy(to, key->size, value);
    case NUMBER:
        return gc_text_int64(value, (int64_t *)(void *)to);
    case SECONDS:
        return gc_text_seconds(value, (double *)(void *)to);
    case FLAG:
        *(bool *)to = strcmp(value, "on") == 0;
        return *(bool *)to || strcmp(value, "off") == 0;
    case WORD:
        return set_word(key, (int *)(void *)to, value);
    }
    return false;
}

static bool
set_one(const struct key *keys, size_t count, void *base, const char *word,
        struct gc_text *why)
{
    size_t name_len = strcspn(word, "="), i;

    for (i = 0; i < count; i++) {
        if (strlen(keys[i].name) != name_len
            || strncmp(keys[i].name, word, name_len) != 0)
            continue;
        if (word[name_len] == '='
            && set_value(&keys[i], base, word + name_len + 1))
            return true;
        gc_text_printf(why, "bad value: %s", word);
        return false;
    }
    gc_text_printf(why, "unknown key: %.*s", (int)name_len, word);
    return false;
}

static bool
set_all(const struct key *keys, size_t key_count, void *base,
        char *const *words, size_t count, struct gc_text *why)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (!set_one(keys, key_count, base, words[i], why))
            return false;
    }
    return true;
}

bool
gc_world_set(struct gc_world *world, char *const *words, size_t count,
             struct gc_text *why)
{
    return set_all(setting_keys, GC_COUNT(setting_keys), &world->settings,
                   words, count, why);
}

static struct gc_vm *
add_vm(struct gc_world *world, const char *id)
{
    struct gc_vm *vm = gc_text_grab(1, sizeof(*vm)), **at = &world->vms;

    *vm = built_in_vm;
    gc_text_copy(vm->id, sizeof(vm->id), id);
    gc_text_copy(vm->name, sizeof(vm->name), id);
    while (*at != NULL)
        at = &(*at)->next;
    *at = vm;
    return vm;
}

/* What a guest holds in memory goes with its power and with its Tools. */
static bool
change_vm(struct gc_vm *vm, char *const *words, size_t count,
          struct gc_text *why)
{
    bool ok = set_all(vm_keys, GC_COUNT(vm_keys), vm, words, count, why);

    if (vm->power == GC_POWER_OFF || vm->tools == GC_TOOLS_STOPPED)
        gc_guest_forget(vm);
    gc_guest_rekey(vm);
    return ok;
}

bool
gc_world_set_vm(struct gc_world *world, const char *id, char *const *words,
                size_t count, struct gc_text *why)
{
    bool all = strcmp(id, "*") == 0, ok = true;
    struct gc_vm *vm;

    if (strlen(id) >= GC_ID_SIZE || id[0] == '\0') {
        gc_text_puts(why, "bad VM id");
        return false;
    }
    if (!all && gc_world_vm(world, id) == NULL)
        add_vm(world, id);
    for (vm = world->vms; vm != NULL && ok; vm = vm->next) {
        if (all || strcmp(vm->id, id) == 0)
            ok = change_vm(vm, words, count, why);
    }
    return ok;
}

bool
gc_world_set_folder(struct gc_world *world, const char *id, char *const *words,
                    size_t count, struct gc_text *why)
{
    struct gc_folder *folder = world->folders;

    while (folder != NULL && strcmp(folder->id, id) != 0)
        folder = folder->next;
    if (folder == NULL) {
        folder = gc_text_grab(1, sizeof(*folder));
        if (!gc_text_copy(folder->id, sizeof(folder->id), id)) {
            free(folder);
            gc_text_puts(why, "bad folder id");
            return false;
        }
        folder->next = world->folders;
        world->folders = folder;
    }
    return set_all(folder_keys, GC_COUNT(folder_keys), folder, words, count,
                   why);
}

struct gc_vm *
gc_world_vm(const struct gc_world *world, const char *id)
{
    struct gc_vm *vm = world->vms;

    while (vm != NULL && strcmp(vm->id, id) != 0)
        vm = vm->next;
    return vm;
}

const struct gc_folder *
gc_world_folder(const struct gc_world *world, const char *id)
{
    const struct gc_folder *folder = world->folders;

    while (folder != NULL && strcmp(folder->id, id) != 0)
        folder = folder->next;
    return folder;
}

const char *
gc_world_moid(const struct gc_world *world, const char *base)
{
    static char moid[2 * GC_ID_SIZE];

    snprintf(moid, sizeof(moid), "%s%s", base, world->settings.suffix);
    return moid;
}

bool
gc_world_listed(const char *list, const char *item)
{
    size_t len = strlen(item);
    const char *at = list;

    while (*at != '\0') {
        size_t piece = strcspn(at, ",");

        if (piece == len && strncmp(at, item, len) == 0)
            return true;
        at += piece;
        at += *at == ',';
    }
    return false;
}

void
gc_world_reset(struct gc_world *world)
{
    while (world->vms != NULL) {
        struct gc_vm *vm = world->vms;

        world->vms = vm->next;
        gc_guest_forget(vm);
        gc_guest_rekey(vm);
        free(vm);
    }
    while (world->folders != NULL) {
        struct gc_folder *folder = world->folders;

        world->folders = folder->next;
        free(folder);
    }
    world->settings = built_in_settings;
}
