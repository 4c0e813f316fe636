/* The commands, one file each. */
#pragma once

#include "command.h"
#include "output.h"

extern const struct command cmd_audit, cmd_cat, cmd_completion, cmd_cp, cmd_edit, cmd_events,
    cmd_keys, cmd_login, cmd_ls, cmd_members, cmd_ops, cmd_project, cmd_rm, cmd_run, cmd_sync,
    cmd_workspace;
