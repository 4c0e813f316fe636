/* One operation, waited for: what ls, rm and sync are made of. */
#pragma once

#include "command.h"

/* Sends {"type":`type`,"input":`input`} and waits to its end. 0 and the operation when it
 * completed, else an exit status after having said why. */
int operate(struct cli *cli, const char *type, struct text input, struct document **operation);
