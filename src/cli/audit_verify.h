/* croft audit verify: the log, a copy of it or an export, checked with nothing but its public key.
 */
#pragma once

#include "command.h"

int audit_verify_run(struct cli *cli, int argc, char **argv);
