/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/cli/ticket_file.h"

#include <string.h>

#include "src/secret.h"
#include "src/tickets/ticket_json.h"

static gc_status
add_node(struct gc_entries *entries, const struct gc_json *node,
         struct gc_error *err)
{
    GC_AUTO(gc_entry) entry = {0};
    gc_status st = gc_ticket_read(node, &entry.ticket, err);

    if (st != GC_OK)
        return st;
    entry.used = entry.ticket.acquired;
    return gc_entries_add(entries, &entry, err);
}

static gc_status
parse(const struct gc_bytes *text, struct gc_entries *entries,
      struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = NULL;
    const struct gc_json *list;
    char version[GC_JSON_INT64_SIZE];
    gc_status st;

    st = gc_json_parse(text->data, text->len, &root, err);
    if (st != GC_OK)
        return st;
    if (!gc_json_int64(root, "version", version) || strcmp(version, "1") != 0)
        return gc_fail(err, GC_E_CONFIG, "the \"version\" is not 1");
    list = gc_json_get(root, "tickets");
    if (!gc_json_is_array(list))
        return add_node(entries, root, err);
    for (list = gc_json_first(list); list != NULL; list = gc_json_next(list)) {
        st = add_node(entries, list, err);
        if (st != GC_OK)
            return st;
    }
    return GC_OK;
}

gc_status
gc_ticket_file_read(struct gc_cli *cli, struct gc_entries *ret_entries,
                    struct gc_error *err)
{
    const char *file = gc_options_text(&cli->config, GC_OPT_TICKET_FILE);
    const char *password = gc_options_text(&cli->config, GC_OPT_PASSWORD_FILE);
    GC_AUTO(gc_bytes) text = {0};
    GC_AUTO(gc_entries) entries = {0};
    gc_status st;

    if (password != NULL && strcmp(file, "-") == 0
        && strcmp(password, "-") == 0)
        return gc_fail(err, GC_E_CONFIG,
                       "standard input cannot hold both the ticket and the "
                       "password");
    st = gc_secret_read(file, false, GC_JSON_TEXT_MAX, cli->limit, &text, err);
    if (st != GC_OK)
        return st;
    st = parse(&text, &entries, err);
    /* A malformed file is the user's mistake, not a peer's. */
    if (st == GC_E_PROTOCOL)
        st = err->status = GC_E_CONFIG;
    if (st == GC_E_CONFIG)
        return gc_fail_context(err, st, "%s", file);
    if (st != GC_OK)
        return st;
    *ret_entries = entries;
    entries = (struct gc_entries){0};
    return GC_OK;
}
