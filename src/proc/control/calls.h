/* The handlers, one family a file; calls.c holds the table that names them. */
#pragma once

#include "proc/control/request.h"

/* workspaces.c */
control_handler workspace_create;
control_handler workspace_list;
control_handler workspace_get;
control_handler workspace_update;
control_handler workspace_delete;
control_handler workspace_usage;

/* members.c */
control_handler member_add;
control_handler member_list;
control_handler member_get;
control_handler member_update;
control_handler member_remove;

/* keys.c */
control_handler key_create;
control_handler key_list;
control_handler key_get;
control_handler key_revoke;

/* projects.c */
control_handler project_create;
control_handler project_list;
control_handler project_get;
control_handler project_update;
control_handler project_delete;

/* operations.c */
control_handler operation_create;
control_handler operation_list;
control_handler operation_get;
control_handler operation_cancel;
int operation_locate(struct control_request *request, struct uuid *project);

/* operation_talk.c */
control_handler operation_input;
control_handler operation_signal;
control_handler operation_resize;

/* files.c */
control_handler file_get;
control_handler file_put;
control_handler file_delete;
control_handler archive_get;
control_handler archive_put;

/* streams.c */
control_handler stream_publish;

/* events.c */
control_handler events_read;

/* session.c */
control_handler session_whoami;
control_handler session_socket;
control_handler session_ticket;

/* audit_calls.c */
control_handler audit_list;
control_handler audit_checkpoint;
control_handler audit_tile;
