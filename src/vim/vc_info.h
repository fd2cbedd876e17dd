/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stays the same for a vCenter: found out by a session, kept by a store.
 */

#ifndef GC_SRC_VIM_VC_INFO_H
#define GC_SRC_VIM_VC_INFO_H

#define GC_MOID_SIZE 128

/* What stays the same for a vCenter with every login.  Flat, no secret. */
struct gc_vc_info {
    char release[32];       /* "8.0.3.0" */
    char instance_uuid[64]; /* about.instanceUuid, or "" */
    char session_manager[GC_MOID_SIZE];
    char search_index[GC_MOID_SIZE];
    char guest_operations_manager[GC_MOID_SIZE];
    /* Managers of guest operations, each "" until it was looked up. */
    char auth_manager[GC_MOID_SIZE];
    char process_manager[GC_MOID_SIZE];
    char file_manager[GC_MOID_SIZE];
    char registry_manager[GC_MOID_SIZE];
    char alias_manager[GC_MOID_SIZE];
};

#endif
