/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The administrator's map of VMs: the user's name for each, its moId, its
 * target, and the users that may enter.  Root alone writes it, because it
 * decides about access.  Each line is one VM:
 *
 *   NAME  [INSTANCE-UUID/]vm-42  host/guest.corp.example[@REALM]  WHO[,WHO]...
 *
 * with blanks and tabs between; a field that begins with "#" and what follows
 * it is a comment.  NAME has letters, digits, ".", "_" and "-", 64 at most. WHO
 * is an account, "@" and a group, or "*" for everybody; a group with blanks or
 * commas stands in double quotes, @"domain users".  All of it is literal.
 */

#ifndef GC_SRC_HELPER_MAP_H
#define GC_SRC_HELPER_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "gss/initiator.h"
#include "src/base/base.h"

#define GC_MAP_TEXT_MAX  (256 * 1024)
#define GC_MAP_NAME_SIZE 65
#define GC_MAP_UUID_SIZE 37
#define GC_MAP_MOID_SIZE 22
#define GC_MAP_WHO_MAX   255 /* bytes of one WHO */

struct gc_map_vm {
    char name[GC_MAP_NAME_SIZE];
    char vcenter[GC_MAP_UUID_SIZE]; /* instance uuid, lower case; "": any */
    char vm[GC_MAP_MOID_SIZE];      /* "vm-42" */
    char target[GC_TARGET_SIZE];    /* as gc_spn_print writes it */
};

struct gc_map;
void gc_map_free(struct gc_map *map);
GC_DEFINE_FREEP(gc_map)

/*
 * Read the map at PATH: absolute, a regular file of root's (or ours), which
 * nobody else may write and no symbolic link.  GC_E_CONFIG for that, and as
 * gc_map_parse.
 */
GC_MUST_USE gc_status gc_map_read_file(const char *path,
                                       struct gc_map **ret_map,
                                       struct gc_error *err);

/*
 * The map in LEN bytes of TEXT, found at PATH.  GC_E_CONFIG with PATH:LINE for
 * whatever is not as above, and for a NAME given twice: then nothing of it
 * holds.
 */
GC_MUST_USE gc_status gc_map_parse(const char *path, const char *text,
                                   size_t len, struct gc_map **ret_map,
                                   struct gc_error *err);

/*
 * Find the VM called NAME, if USER, whose first group is GID, may enter.
 * Otherwise GC_E_DENIED, with one text whether there is no such VM, USER may
 * not enter, or NAME is malformed, so that a user learns nothing about other
 * VMs. *RET_REASON, a static string (NULL on success), tells them apart for the
 * log. USER's groups are looked up at the first @group, which may be slow.
 * GC_E_FAILED: there are too many.
 */
GC_MUST_USE gc_status gc_map_find(const struct gc_map *map, const char *name,
                                  const char *user, gid_t gid,
                                  struct gc_map_vm *ret_vm,
                                  const char **ret_reason,
                                  struct gc_error *err);

/*
 * The first MAX of what USER may enter, in the order of the file, into RET_VMS,
 * which has room for so many.  None is GC_OK too.
 */
GC_MUST_USE gc_status gc_map_list(const struct gc_map *map, const char *user,
                                  gid_t gid, struct gc_map_vm *ret_vms,
                                  size_t max, size_t *ret_count,
                                  struct gc_error *err);

/* Is USER in LIST, "WHO[,WHO]..." as above?  GC_E_CONFIG: that is no list. */
GC_MUST_USE gc_status gc_map_permits(const char *list, const char *user,
                                     gid_t gid, bool *ret_may,
                                     struct gc_error *err);

#endif
