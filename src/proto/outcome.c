#include "proto/outcome.h"

const struct outcome_kind outcome_kinds[OUTCOMES] = {
    [OUTCOME_COMPLETED] = {"completed", 200, "The operation completed", false},
    [OUTCOME_TIMEOUT] = {"timeout", 504, "The operation ran out of time", false},
    [OUTCOME_CANCELLED] = {"cancelled", 409, "The operation was cancelled", false},
    [OUTCOME_OOM] = {"oom", 507, "The instance ran out of memory", false},
    /* Asked for again with its key it has had this end; with a new key it is another operation. */
    [OUTCOME_WORKER_LOST] = {"worker_lost", 503, "The worker was lost while the operation ran",
			     false},
    [OUTCOME_POLICY_DENIED] = {"policy_denied", 403, "The policy does not allow it", false},
    [OUTCOME_QUOTA_EXCEEDED] = {"quota_exceeded", 507, "A quota is used up", false},
    [OUTCOME_INVALID_INPUT] = {"invalid_input", 400, "The input is not valid", false},
    [OUTCOME_NOT_FOUND] = {"not_found", 404, "There is no such file or folder", false},
    [OUTCOME_ALREADY_EXISTS] = {"already_exists", 409, "There is such a file or folder already",
				false},
    [OUTCOME_PRECONDITION_FAILED] = {"precondition_failed", 412, "The file is not the one expected",
				     false},
    [OUTCOME_PERMISSION_DENIED] = {"permission_denied", 403,
				   "The instance's file system does not permit it", false},
    [OUTCOME_INTERNAL] = {"internal", 500, "Something failed inside Croft", true},
};
