/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request log, one JSON object a line, and the counters of requests.
 * Holds names, numbers and verdicts; never a token, ticket, id or password.
 */

#ifndef GC_LAB_JOURNAL_H
#define GC_LAB_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/lab/reply.h"
#include "tests/lab/rule.h"

/* PATH is appended to; false with errno set. */
bool gc_journal_open(const char *path);
void gc_journal_close(void);

/* Count a request as it comes in. */
void gc_journal_count(const struct gc_request *request);
/* How many came in; METHOD and VM may be "*". */
uint64_t gc_journal_requests(const char *method, const char *vm);
void gc_journal_list(struct gc_text *out);
void gc_journal_reset(void);

/* One line, once the reply is settled.  LINK numbers the TCP connection. */
void gc_journal_write(const struct gc_request *request,
                      const struct gc_reply *reply,
                      const struct gc_picked *picked, unsigned link);

#endif
