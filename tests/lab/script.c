/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements: the table of verbs that do something.  The verbs that only tell
 * something are in query.c.
 */

#include <config.h>

#include "tests/lab/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/door.h"
#include "tests/lab/guest.h"
#include "tests/lab/journal.h"
#include "tests/lab/login.h"
#include "tests/lab/loop.h"
#include "tests/lab/query.h"
#include "tests/lab/rule.h"
#include "tests/lab/wire.h"
#include "tests/lab/words.h"

static const char *setup_path;
static bool setup_esxi;

static bool
do_vm(struct gc_world *world, char *const *words, size_t count,
      struct gc_text *out)
{
    return gc_world_set_vm(world, words[0], words + 1, count - 1, out);
}

static bool
do_folder(struct gc_world *world, char *const *words, size_t count,
          struct gc_text *out)
{
    return gc_world_set_folder(world, words[0], words + 1, count - 1, out);
}

static bool
do_on(struct gc_world *world, char *const *words, size_t count,
      struct gc_text *out)
{
    (void)world;
    return gc_rule_add(words, count, out);
}

static bool
do_off(struct gc_world *world, char *const *words, size_t count,
       struct gc_text *out)
{
    (void)world;
    (void)words;
    (void)count;
    (void)out;
    gc_rule_drop_all();
    return true;
}

static bool
do_reset(struct gc_world *world, char *const *words, size_t count,
         struct gc_text *out)
{
    (void)words;
    (void)count;
    return gc_script_reset(world, out);
}

static bool
do_load(struct gc_world *world, char *const *words, size_t count,
        struct gc_text *out)
{
    (void)count;
    return gc_script_reset(world, out) && gc_script_file(world, words[0], out);
}

static bool
do_tls(struct gc_world *world, char *const *words, size_t count,
       struct gc_text *out)
{
    (void)world;
    return gc_door_switch(words[0], count > 1 ? words[1] : NULL, out);
}

static bool
do_quit(struct gc_world *world, char *const *words, size_t count,
        struct gc_text *out)
{
    (void)world;
    (void)words;
    (void)count;
    (void)out;
    gc_loop_stop();
    return true;
}

static bool
do_expire(struct gc_world *world, char *const *words, size_t count,
          struct gc_text *out)
{
    struct gc_vm *vm = count > 1 ? gc_world_vm(world, words[1]) : NULL;

    if (count == 1 && strcmp(words[0], "sessions") == 0)
        gc_login_expire_all();
    else if (count == 1 && strcmp(words[0], "guest-operations") == 0)
        gc_login_expire_guests();
    else if (vm != NULL && strcmp(words[0], "tickets") == 0)
        gc_guest_forget_tickets(vm);
    else if (vm != NULL && strcmp(words[0], "handshakes") == 0)
        gc_guest_forget_handshakes(vm);
    else
        gc_text_puts(out, "sessions, guest-operations, tickets VM or "
                          "handshakes VM, of a VM that exists");
    return out->len == 0;
}

static const struct {
    const char *name;
    size_t min, max;
    bool (*run)(struct gc_world *world, char *const *words, size_t count,
                struct gc_text *out);
} verbs[] = {
    {"set", 1, 32, gc_world_set}, {"vm", 1, 40, do_vm},
    {"folder", 2, 2, do_folder},  {"on", 4, 60, do_on},
    {"off", 0, 0, do_off},        {"expire", 1, 2, do_expire},
    {"reset", 0, 0, do_reset},    {"load", 1, 1, do_load},
    {"tls", 1, 2, do_tls},        {"quit", 0, 0, do_quit},
};

bool
gc_script_do(struct gc_world *world, char *const *words, size_t count,
             struct gc_text *out)
{
    size_t i;

    for (i = 0; i < GC_COUNT(verbs); i++) {
        if (strcmp(verbs[i].name, words[0]) != 0)
            continue;
        if (count - 1 < verbs[i].min || count - 1 > verbs[i].max) {
            gc_text_printf(out, "%s: wrong number of words", words[0]);
            return false;
        }
        return verbs[i].run(world, words + 1, count - 1, out);
    }
    return gc_query_do(world, words, count, out);
}

static bool
do_line(struct gc_world *world, const char *line, const char *directory,
        struct gc_text *why)
{
    GC_WORDS words = {0};

    if (!gc_words_cut(line, directory, &words, why))
        return false;
    if (words.count == 0)
        return true;
    /* They would pull the file from under its own reader. */
    if (strcmp(words.word[0], "load") == 0
        || strcmp(words.word[0], "reset") == 0) {
        gc_text_printf(why, "%s is for the control socket only", words.word[0]);
        return false;
    }
    return gc_script_do(world, words.word, words.count, why);
}

static bool
do_lines(struct gc_world *world, const char *path, char *text,
         struct gc_text *why)
{
    GC_TEXT directory = {0};
    GC_TEXT sentence = {0};
    const char *slash = strrchr(path, '/');
    char *line;
    unsigned number = 0;

    gc_text_puts(&directory, slash == NULL ? "." : path);
    if (slash != NULL)
        directory.data[slash - path] = '\0';
    while ((line = strsep(&text, "\n")) != NULL) {
        number++;
        gc_text_clear(&sentence);
        if (do_line(world, line, directory.data, &sentence))
            continue;
        gc_text_printf(why, "%s:%u: %s", path, number,
                       gc_text_string(&sentence));
        return false;
    }
    return true;
}

bool
gc_script_file(struct gc_world *world, const char *path, struct gc_text *why)
{
    GC_TEXT text = {0};
    char *copy;
    bool ok;

    if (!gc_text_read_file(path, GC_MAX_FILE, &text)) {
        gc_text_printf(why, "%s: %s", path, strerror(errno));
        return false;
    }
    copy = gc_text_dup(gc_text_string(&text));
    ok = do_lines(world, path, copy, why);
    free(copy);
    return ok;
}

void
gc_script_set_setup(const char *setup, bool esxi)
{
    setup_path = setup;
    setup_esxi = esxi;
}

bool
gc_script_reset(struct gc_world *world, struct gc_text *why)
{
    GC_TEXT username = {0};
    GC_TEXT password = {0};

    /* The login is the command line's, not the setup file's. */
    gc_text_puts(&username, world->settings.username);
    gc_text_puts(&password, world->settings.password);
    gc_rule_drop_all();
    gc_login_expire_all();
    gc_journal_reset();
    gc_wire_reset_count();
    gc_door_reset();
    gc_world_reset(world);
    gc_text_copy(world->settings.username, sizeof(world->settings.username),
                 username.data);
    gc_text_copy(world->settings.password, sizeof(world->settings.password),
                 password.data);
    if (setup_path != NULL && !gc_script_file(world, setup_path, why))
        return false;
    world->settings.esxi = world->settings.esxi || setup_esxi;
    return true;
}
