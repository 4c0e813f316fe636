#include "operations.h"

const struct agent_operation *const agent_operations[OPERATION_KINDS] = {
    [OPERATION_FS_READ] = &fs_read_operation,
    [OPERATION_FS_WRITE] = &fs_write_operation,
    [OPERATION_FS_STAT] = &fs_stat_operation,
    [OPERATION_FS_LIST] = &fs_list_operation,
    [OPERATION_FS_MKDIR] = &fs_mkdir_operation,
    [OPERATION_FS_MOVE] = &fs_move_operation,
    [OPERATION_FS_COPY] = &fs_copy_operation,
    [OPERATION_FS_REMOVE] = &fs_remove_operation,
    [OPERATION_FS_CHMOD] = &fs_chmod_operation,
    [OPERATION_FS_SYMLINK] = &fs_symlink_operation,
    [OPERATION_FS_PATCH] = &fs_patch_operation,
    [OPERATION_FS_SEARCH] = &fs_search_operation,
    [OPERATION_FS_IMPORT] = &fs_import_operation,
    [OPERATION_FS_EXPORT] = &fs_export_operation,
    [OPERATION_FS_WATCH] = &fs_watch_operation,
    [OPERATION_FS_EDIT] = &fs_edit_operation,
    [OPERATION_COMMAND_RUN] = &command_run_operation,
};
