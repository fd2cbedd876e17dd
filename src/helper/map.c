/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/helper/map.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gss/spn.h"
#include "src/base/descriptor.h"
#include "src/base/utf8.h"
#include "src/options.h"

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

/* One of a list: an account, or a group, of LEN bytes at NAME. */
struct who {
    const char *name;
    size_t len;
    bool group, quoted;
};

/* Take the one at *AT; *AT is then at its comma or end. */
static struct who
next_who(const char **at)
{
    struct who who = {.name = *at};

    who.group = who.name[0] == '@';
    who.name += who.group ? 1 : 0;
    who.quoted = who.group && who.name[0] == '"';
    who.name += who.quoted ? 1 : 0;
    who.len = strcspn(who.name, who.quoted ? "\"" : ",");
    *at = who.name + who.len;
    if (who.quoted && **at == '"')
        ++*at;
    else if (who.quoted)
        who.len = 0; /* no end */
    return who;
}

/* An account, a group, or "*"? */
static bool
is_who(const struct who *who)
{
    if (who->len == 0 || who->len > GC_MAP_WHO_MAX)
        return false;
    if (!who->group && who->len == 1 && who->name[0] == '*')
        return true;
    if (!who->quoted && strchr("-.@+$\\", who->name[0]) != NULL)
        return false;
    for (size_t i = 0; i < who->len; i++) {
        unsigned char c = (unsigned char)who->name[i];

        if (c < ' ' || c == 0x7f
            || (!who->quoted && c < 0x80 && strchr(WHO_CHARS, c) == NULL))
            return false;
    }
    return true;
}

static bool
is_list(const char *text)
{
    for (;; text++) {
        const struct who who = next_who(&text);

        if (!is_who(&who) || (*text != ',' && *text != '\0'))
            return false;
        if (*text == '\0')
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
                     "\"%.128s\" is not a list of accounts, @groups, "
                     "@\"groups with blanks\" or *",
                     row->who);
    return st;
}

/* The next field of LINE, cut off, or NULL.  Quotes may have blanks in them. */
static char *
cut_field(char **line)
{
    static const char blank[] = " \t\r";
    char *field = *line + strspn(*line, blank), *end = field;

    if (*field == '\0' || *field == '#')
        return NULL;
    for (bool quoted = false;
         *end != '\0' && (quoted || strchr(blank, *end) == NULL); end++)
        quoted ^= *end == '"';
    *line = end + (*end == '\0' ? 0 : 1);
    *end = '\0';
    return field;
}

/* LINE's fields into ROW; *RET_THERE says whether it has any. */
static gc_status
split(char *line, struct row *row, bool *ret_there, struct gc_error *err)
{
    const char **fields[] = {&row->name, &row->vm, &row->target, &row->who};
    size_t count = 0;

    for (const char *field = cut_field(&line); field != NULL;
         field = cut_field(&line)) {
        if (count == GC_COUNT_OF(fields))
            return gc_fail(err, GC_E_CONFIG,
                           "more than NAME VM TARGET WHO; WHO has no blanks "
                           "but in @\"GROUP\"");
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
    static const struct gc_trust trust = {.own = true,
                                          .root = true,
                                          .forbidden = 022,
                                          .max = GC_MAP_TEXT_MAX,
                                          .needed = true};
    GC_AUTO(gc_bytes) text = {0};
    gc_status st;

    if (path[0] != '/')
        return gc_fail(err, GC_E_CONFIG, "%s is not an absolute path", path);
    st = gc_trusted_read(AT_FDCWD, path, &trust, &text, NULL, err);
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

/* Is ASKER named in LIST, by the account or, if GROUPS, by a group? */
static gc_status
is_named(const char *list, struct asker *asker, bool groups, bool *ret_named,
         struct gc_error *err)
{
    gc_status st = GC_OK;

    for (const char *at = list; st == GC_OK && !*ret_named; at++) {
        const struct who who = next_who(&at);

        if (groups && who.group)
            st = is_member(asker, who.name, who.len, ret_named, err);
        else if (!groups && !who.group)
            *ret_named = who.name[0] == '*'
                         || (strlen(asker->user) == who.len
                             && memcmp(who.name, asker->user, who.len) == 0);
        if (*at == '\0')
            break;
    }
    return st;
}

/* May ASKER enter?  Accounts first: they cost nothing. */
static gc_status
permits(const struct row *row, struct asker *asker, bool *ret_may,
        struct gc_error *err)
{
    gc_status st;

    *ret_may = false;
    if (asker->user[0] == '\0')
        return GC_OK;
    st = is_named(row->who, asker, false, ret_may, err);
    if (st == GC_OK && !*ret_may)
        st = is_named(row->who, asker, true, ret_may, err);
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
