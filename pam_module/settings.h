/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments and configuration file.  Each call reads them once: the helper gets
 * exactly what was checked here.
 */

#ifndef GC_PAM_MODULE_SETTINGS_H
#define GC_PAM_MODULE_SETTINGS_H

#include "src/base/base.h"
#include "src/helper/wire.h"
#include "src/options.h"

#define GC_SETTINGS_TIMEOUT_S 15

/* Zero it before use. */
struct gc_settings {
    struct gc_options config;
    const char *helper; /* borrowed from CONFIG, or static */
    int timeout_ms;
    unsigned int minimum_uid;
    bool ignore_root, try_first_pass, use_first_pass, no_prompt;
    bool vm_prompt, debug, silent;
    size_t source_count; /* sources that prove a user: not s4u */
    gc_wire_source sources[2];
};
void gc_settings_clear(struct gc_settings *settings);

/*
 * Take the arguments; reads no file.  GC_E_CONFIG: one is unknown or invalid.
 */
GC_MUST_USE gc_status gc_settings_take_arguments(struct gc_settings *settings,
                                                 int argc, const char **argv,
                                                 struct gc_error *err);

/*
 * Then read the file, conf= or the installed one (which may be missing), and
 * check that all settings fit together.  The file must be regular, belong to
 * root, be writable by root only, and be no symbolic link.
 */
GC_MUST_USE gc_status gc_settings_take_file(struct gc_settings *settings,
                                            struct gc_error *err);

/* Put all settings into REQUEST. */
GC_MUST_USE gc_status gc_settings_pass_on(const struct gc_settings *settings,
                                          struct gc_wire_request *request,
                                          struct gc_error *err);

#endif
