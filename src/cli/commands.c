#include "commands.h"

const struct command *const commands[] = {
    &cmd_login, &cmd_workspace, &cmd_project, &cmd_run,        &cmd_ls,  &cmd_cat,
    &cmd_cp,    &cmd_rm,        &cmd_edit,    &cmd_sync,       &cmd_ops, &cmd_events,
    &cmd_keys,  &cmd_members,   &cmd_audit,   &cmd_completion,
};
const size_t n_commands = ARRAY_SIZE(commands);
