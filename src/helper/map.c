/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/helper/map.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gss/spn.h"
#include "src/base/bytes.h"
#include "src/base/utf8.h"
#include "src/options.h"
#include "src/secret.h"

#define LETTERS    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define NAME_CHARS LETTERS "0123456789._-"
/* "CORP\alice", "alice@corp.example" and "build$" are accounts too. */
#define WHO_CHARS NAME_CHARS "\\@+$"

_Static_assert(sizeof(((struct gc_map_vm *)0)->vcenter)
                       == sizeof(((struct gc_options_vm *)0)->vcenter)
                   && sizeof(((struct gc_map_vm *)0)->vm)
                          == sizeof(((struct gc_options_vm *)0)->moid),
               "both parts fit");

#define GROUP_TEXT_MAX (1024 * 1024)
#define GROUPS_KNOWN   16
#define GROUPS_MAX     1024 /* that one account is in */

/* All point into the map's text. */
struct row {
    const char *name, *vm, *target, *who;
    size_t line;
};

struct gc_map {
    char *text; /* cut into fields */
    struct row *rows;
    size_t count;
};

void
gc_map_free(struct gc_map *map)
{
    if (map == NULL)
        return;
    free(map->text);
    free(map->rows);
    free(map);
}

/* ---- reading ---- */

static bool
is_name(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len < GC_MAP_NAME_SIZE && strspn(text, NAME_CHARS) == len;
}

/* LEN bytes at TEXT as one account, "@" and a group, or "*". */
static bool
is_who(const char *text, size_t len)
{
    if (len == 1 && text[0] == '*')
        return true;
    if (len > 0 && text[0] == '@')
        text++, len--;
    if (len == 0 || len > GC_MAP_WHO_MAX || strchr("-.@+$\\", text[0]) != NULL)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x80 && strchr(WHO_CHARS, text[i]) == NULL)
            return false;
    return true;
}

static bool
is_list(const char *text)
{
    size_t len;

    for (;; text += len + 1) {
        len = strcspn(text, ",");
        if (!is_who(text, len))
            return false;
        if (text[len] == '\0')
            return true;
    }
}

static gc_status
check_target(const char *text, struct gc_spn *ret_spn, struct gc_error *err)
{
    gc_status st;

    if (strchr(text, '/') == NULL || strpbrk(text, "{}") != NULL)
        return gc_fail(err, GC_E_CONFIG,
                       "\"%.128s\" is not a literal host/NAME", text);
    st = gc_spn_parse(text, ret_spn, err);
    if (st == GC_OK && strcmp(ret_spn->service, "host") != 0)
        st = gc_fail(err, GC_E_CONFIG, "\"%.128s\" is not a host's", text);
    return st;
}

static gc_status
check_row(const struct row *row, struct gc_error *err)
{
    struct gc_spn spn;
    gc_status st;

    if (!is_name(row->name))
        return gc_fail(err, GC_E_CONFIG,
                       "\"%.128s\" is not a name of letters, digits, \".\", "
                       "\"_\" and \"-\", %d at most",
                       row->name, GC_MAP_NAME_SIZE - 1);
    if (!gc_options_vm_split(row->vm, NULL))
        return gc_fail(err, GC_E_CONFIG,
                       "\"%.128s\" is not [INSTANCE-UUID/]vm-NUMBER: here a VM "
                       "has no other name",
                       row->vm);
    st = check_target(row->target, &spn, err);
    if (st == GC_OK && !is_list(row->who))
        st = gc_fail(err, GC_E_CONFIG,
                     "\"%.128s\" is not a list of accounts, @groups or *",
                     row->who);
    return st;
}

/* LINE's fields into ROW; *RET_THERE says whether it has any. */
static gc_status
split(char *line, struct row *row, bool *ret_there, struct gc_error *err)
{
    static const char blank[] = " \t\r";
    const char **fields[] = {&row->name, &row->vm, &row->target, &row->who};
    size_t count = 0;
    char *rest = NULL;

    for (const char *field = strtok_r(line, blank, &rest);
         field != NULL && field[0] != '#';
         field = strtok_r(NULL, blank, &rest)) {
        if (count == GC_COUNT_OF(fields))
            return gc_fail(err, GC_E_CONFIG,
                           "more than NAME VM TARGET WHO; WHO has no blanks");
        *fields[count++] = field;
    }
    *ret_there = count > 0;
    if (count > 0 && count < GC_COUNT_OF(fields))
        return gc_fail(err, GC_E_CONFIG, "less than NAME VM TARGET WHO");
    return count == 0 ? GC_OK : check_row(row, err);
}

static int
by_name(const void *a, const void *b)
{
    const struct row *const *x = a, *const *y = b;
    int order = strcmp((*x)->name, (*y)->name);

    if (order != 0)
        return order;
    return (*x)->line < (*y)->line ? -1 : 1;
}

static gc_status
check_unique(const struct gc_map *map, const char *path, struct gc_error *err)
{
    const struct row **sorted = calloc(map->count + 1, sizeof(const void *));
    gc_status st = GC_OK;

    if (sorted == NULL)
        return gc_fail_no_memory(err);
    for (size_t i = 0; i < map->count; i++)
        sorted[i] = &map->rows[i];
    qsort(sorted, map->count, sizeof(const void *), by_name);
    for (size_t i = 1; st == GC_OK && i < map->count; i++)
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
            st = gc_fail(err, GC_E_CONFIG,
                         "%.256s:%zu: \"%s\" is in line %zu already", path,
                         sorted[i]->line, sorted[i]->name, sorted[i - 1]->line);
    free(sorted);
    return st;
}

static gc_status
take_lines(struct gc_map *map, const char *path, struct gc_error *err)
{
    size_t number = 1;
    char *next;
    bool there = false;
    gc_status st;

    for (char *line = map->text + gc_utf8_mark(map->text, strlen(map->text));
         line != NULL; line = next, number++) {
        struct row *row = &map->rows[map->count];

        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        st = split(line, row, &there, err);
        if (st != GC_OK)
            return gc_fail_context(err, st, "%.256s:%zu", path, number);
        row->line = number;
        map->count += there ? 1 : 0;
    }
    return check_unique(map, path, err);
}

gc_status
gc_map_parse(const char *path, const char *text, size_t len,
             struct gc_map **ret_map, struct gc_error *err)
{
    GC_AUTO_PTR(gc_map) map = NULL;
    size_t lines = 1;
    gc_status st;

    if (len > GC_MAP_TEXT_MAX)
        return gc_fail(err, GC_E_CONFIG, "%.256s is larger than %d bytes", path,
                       GC_MAP_TEXT_MAX);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\0')
            return gc_fail(err, GC_E_CONFIG, "%.256s:%zu: a NUL", path, lines);
        if (text[i] == '\n')
            lines++;
    }
    map = calloc(1, sizeof(*map));
    if (map == NULL)
        return gc_fail_no_memory(err);
    map->text = strndup(len == 0 ? "" : text, len);
    map->rows = calloc(lines, sizeof(*map->rows));
    if (map->text == NULL || map->rows == NULL)
        return gc_fail_no_memory(err);
    st = take_lines(map, path, err);
    if (st == GC_OK)
        *ret_map = GC_TAKE(map);
    return st;
}

gc_status
gc_map_read_file(const char *path, struct gc_map **ret_map,
                 struct gc_error *err)
{
    /* Only a regular file is read, and that lets nobody wait. */
    const struct gc_limit limit = {0, -1};
    GC_AUTO(gc_bytes) text = {0};
    gc_status st = gc_secret_read(path, GC_SECRET_ROOTS_OPEN, GC_MAP_TEXT_MAX,
                                  limit, &text, err);

    if (st != GC_OK)
        return st;
    return gc_map_parse(path, gc_bytes_text(&text), text.len, ret_map, err);
}

/* ---- who may enter ---- */

/* Somebody who asks, and what was looked up already. */
struct asker {
    const char *user;
    gid_t gid;
    gid_t groups[GROUPS_MAX]; /* GID among them */
    int group_count;          /* 0: not looked up */
    struct {
        const char *name; /* within the map, LEN bytes */
        size_t len;
        bool in;
    } known[GROUPS_KNOWN];
    size_t known_count;
};

static gc_status
find_groups(struct asker *asker, struct gc_error *err)
{
    int count = GROUPS_MAX;

    if (asker->group_count > 0)
        return GC_OK;
    if (getgrouplist(asker->user, asker->gid, asker->groups, &count) < 0
        || count <= 0 || count > GROUPS_MAX)
        return gc_fail(err, GC_E_FAILED,
                       "the account %.200s is in more than %d groups",
                       asker->user, GROUPS_MAX);
    asker->group_count = count;
    return GC_OK;
}

static bool
in_group(const struct asker *asker, gid_t gid)
{
    for (int i = 0; i < asker->group_count; i++)
        if (asker->groups[i] == gid)
            return true;
    return false;
}

/*
 * Is the group called NAME one of ASKER's?  Where that cannot be told it is
 * not; GC_E_NO_MEMORY, GC_E_FAILED.
 */
static gc_status
look_up(struct asker *asker, const char *name, bool *ret_in,
        struct gc_error *err)
{
    size_t size = 4096;
    struct group entry, *found;
    int error;
    gc_status st = find_groups(asker, err);

    *ret_in = false;
    if (st != GC_OK)
        return st;
    do {
        char *text = malloc(size);

        if (text == NULL)
            return gc_fail_no_memory(err);
        found = NULL;
        error = getgrnam_r(name, &entry, text, size, &found);
        if (error == 0 && found != NULL)
            *ret_in = in_group(asker, found->gr_gid);
        free(text);
        size *= 4;
    } while (error == EINTR || (error == ERANGE && size <= GROUP_TEXT_MAX));
    return GC_OK;
}

static gc_status
is_member(struct asker *asker, const char *name, size_t len, bool *ret_in,
          struct gc_error *err)
{
    char copy[GC_MAP_WHO_MAX + 1];
    gc_status st;
    size_t i;

    for (i = 0; i < asker->known_count; i++)
        if (asker->known[i].len == len
            && memcmp(asker->known[i].name, name, len) == 0) {
            *ret_in = asker->known[i].in;
            return GC_OK;
        }
    memcpy(copy, name, len);
    copy[len] = '\0';
    st = look_up(asker, copy, ret_in, err);
    if (st != GC_OK || i == GROUPS_KNOWN)
        return st;
    asker->known[i].name = name;
    asker->known[i].len = len;
    asker->known[i].in = *ret_in;
    asker->known_count++;
    return GC_OK;
}

/* May ASKER enter?  Accounts first: they cost nothing. */
static gc_status
permits(const struct row *row, struct asker *asker, bool *ret_may,
        struct gc_error *err)
{
    gc_status st = GC_OK;
    size_t len;

    *ret_may = false;
    if (asker->user[0] == '\0')
        return GC_OK;
    for (const char *who = row->who; !*ret_may; who += len + 1) {
        len = strcspn(who, ",");
        *ret_may = who[0] == '*'
                   || (who[0] != '@' && strlen(asker->user) == len
                       && memcmp(who, asker->user, len) == 0);
        if (who[len] == '\0')
            break;
    }
    for (const char *who = row->who; st == GC_OK && !*ret_may; who += len + 1) {
        len = strcspn(who, ",");
        if (who[0] == '@')
            st = is_member(asker, who + 1, len - 1, ret_may, err);
        if (who[len] == '\0')
            break;
    }
    return st;
}

/* What stands in ROW was checked when it was read. */
static gc_status
hand_out(const struct row *row, struct gc_map_vm *ret_vm, struct gc_error *err)
{
    struct gc_map_vm vm = {.name = ""};
    struct gc_options_vm parts;
    struct gc_spn spn;
    gc_status st = check_target(row->target, &spn, err);

    if (st == GC_OK && !gc_options_vm_split(row->vm, &parts))
        st = gc_fail(err, GC_E_INTERNAL, "a VM that is none");
    if (st != GC_OK)
        return st;
    memcpy(vm.name, row->name, strlen(row->name) + 1);
    memcpy(vm.vcenter, parts.vcenter, sizeof(vm.vcenter));
    memcpy(vm.vm, parts.moid, sizeof(vm.vm));
    gc_spn_print(&spn, vm.target);
    *ret_vm = vm;
    return GC_OK;
}

static const struct row *
find_row(const struct gc_map *map, const char *name)
{
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->rows[i].name, name) == 0)
            return &map->rows[i];
    return NULL;
}

gc_status
gc_map_find(const struct gc_map *map, const char *name, const char *user,
            gid_t gid, struct gc_map_vm *ret_vm, const char **ret_reason,
            struct gc_error *err)
{
    struct asker asker = {.user = user, .gid = gid};
    const struct row *row = is_name(name) ? find_row(map, name) : NULL;
    bool may = false;
    gc_status st = GC_OK;

    *ret_reason = NULL;
    if (row != NULL)
        st = permits(row, &asker, &may, err);
    if (st != GC_OK)
        return st;
    if (row != NULL && may)
        return hand_out(row, ret_vm, err);
    if (row != NULL)
        *ret_reason = "the map does not let the user into that VM";
    else
        *ret_reason = is_name(name) ? "the map has no such VM"
                                    : "not a name that a VM can have";
    return gc_fail(err, GC_E_DENIED, "there is no such VM for this user");
}

gc_status
gc_map_list(const struct gc_map *map, const char *user, gid_t gid,
            struct gc_map_vm *ret_vms, size_t max, size_t *ret_count,
            struct gc_error *err)
{
    struct asker asker = {.user = user, .gid = gid};
    size_t count = 0;
    bool may = false;
    gc_status st = GC_OK;

    for (size_t i = 0; i < map->count && count < max; i++) {
        st = permits(&map->rows[i], &asker, &may, err);
        if (st == GC_OK && may)
            st = hand_out(&map->rows[i], &ret_vms[count++], err);
        if (st != GC_OK)
            return st;
    }
    *ret_count = count;
    return GC_OK;
}

gc_status
gc_map_permits(const char *list, const char *user, gid_t gid, bool *ret_may,
               struct gc_error *err)
{
    struct asker asker = {.user = user, .gid = gid};
    const struct row row = {.who = list};

    *ret_may = false;
    if (!is_list(list))
        return gc_fail(err, GC_E_CONFIG, "\"%.64s\" is no list of WHO", list);
    return permits(&row, &asker, ret_may, err);
}
