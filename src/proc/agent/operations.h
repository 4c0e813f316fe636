/* The operations of the agent, one family a file. */
#pragma once

#include "agent.h"

extern const struct agent_operation command_run_operation, fs_chmod_operation, fs_copy_operation,
    fs_edit_operation, fs_export_operation, fs_import_operation, fs_list_operation,
    fs_mkdir_operation, fs_move_operation, fs_patch_operation, fs_read_operation,
    fs_remove_operation, fs_search_operation, fs_stat_operation, fs_symlink_operation,
    fs_watch_operation, fs_write_operation;

int fs_make_parents(const char *path); /* 0 or errno */
