/* The whole of who may do what, as a golden table: a change of anybody's rights is a visible change
 * here. */
#include "engine/workspace/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* Letters: Auditor, Viewer, Developer, adMin, Owner; a dot where it is denied. */
static const char *const golden[ACCESS_PERMISSIONS] = {
    [ACCESS_OPEN] = "AVDMO",
    [ACCESS_SIGNED_IN] = "AVDMO",
    [ACCESS_INSTALLATION] = ".....",
    [ACCESS_WORKSPACE_READ] = "AVDMO",
    [ACCESS_WORKSPACE_UPDATE] = "...MO",
    [ACCESS_WORKSPACE_DELETE] = "....O",
    [ACCESS_MEMBERS_READ] = "A..MO",
    [ACCESS_MEMBERS_CHANGE] = "...MO",
    [ACCESS_KEYS_READ] = "A..MO",
    [ACCESS_KEYS_CHANGE] = "...MO",
    [ACCESS_USAGE_READ] = "A.DMO",
    [ACCESS_PROJECT_LIST] = "AVDMO",
    [ACCESS_PROJECT_READ] = "AVDMO",
    [ACCESS_PROJECT_CREATE] = "..DMO",
    [ACCESS_PROJECT_UPDATE] = "..DMO",
    [ACCESS_PROJECT_DELETE] = "...MO",
    [ACCESS_CONTENT_READ] = ".VDMO",
    [ACCESS_CONTENT_CHANGE] = "..DMO",
    [ACCESS_AUDIT_READ] = "A..MO",
};

static const enum tenant_role roles[] = {TENANT_AUDITOR, TENANT_VIEWER, TENANT_DEVELOPER,
					 TENANT_ADMIN, TENANT_OWNER};

static struct access_decision ask(enum access_permission permission, enum access_actor actor,
				  enum tenant_role role)
{
	struct access_question question = {.permission = permission, .actor = actor, .role = role};
	return access_decide(&question);
}

static void every_role_has_exactly_its_rights(void **state ATTR_UNUSED)
{
	for (int permission = 0; permission < ACCESS_PERMISSIONS; permission++) {
		char line[6] = "";
		for (size_t i = 0; i < 5; i++) {
			struct access_decision decision =
			    ask((enum access_permission)permission, ACCESS_MEMBER, roles[i]);
			line[i] = decision.verdict == ACCESS_ALLOW ? "AVDMO"[i] : '.';
			assert_non_null(decision.rule);
			assert_true(decision.verdict == ACCESS_ALLOW ||
				    decision.verdict == ACCESS_DENY_FORBIDDEN);
		}
		if (strcmp(line, golden[permission]) != 0)
			fail_msg("%s: %s, expected %s", access_permission_names[permission], line,
				 golden[permission]);
	}
}

static void nobody_gets_nothing_but_what_is_open(void **state ATTR_UNUSED)
{
	for (int permission = 0; permission < ACCESS_PERMISSIONS; permission++) {
		struct access_decision decision =
		    ask((enum access_permission)permission, ACCESS_ANONYMOUS, TENANT_OWNER);
		assert_int_equal(decision.verdict, permission == ACCESS_OPEN
						       ? ACCESS_ALLOW
						       : ACCESS_DENY_UNAUTHENTICATED);
	}
}

static void strangers_see_nothing(void **state ATTR_UNUSED)
{
	for (int permission = ACCESS_WORKSPACE_READ; permission < ACCESS_PERMISSIONS;
	     permission++) {
		struct access_decision decision =
		    ask((enum access_permission)permission, ACCESS_MEMBER, TENANT_NO_ROLE);
		assert_int_equal(decision.verdict, ACCESS_DENY_HIDDEN);
		assert_string_equal(decision.rule, "deny.not_member");
	}
}

static void the_administrator_may_everything(void **state ATTR_UNUSED)
{
	for (int permission = 0; permission < ACCESS_PERMISSIONS; permission++)
		assert_int_equal(
		    ask((enum access_permission)permission, ACCESS_ADMINISTRATOR, TENANT_NO_ROLE)
			.verdict,
		    ACCESS_ALLOW);
}

/* Letters: . not at all, p in its projects, f everywhere, filtered by the caller. */
static const char restricted_golden[ACCESS_PERMISSIONS + 1] = "ff.........fp.p.pp.";

static char reach_of(enum access_permission permission)
{
	struct access_question question = {
	    .permission = permission,
	    .actor = ACCESS_MEMBER,
	    .role = TENANT_OWNER,
	    .restricted = true,
	};
	enum access_verdict elsewhere = access_decide(&question).verdict;
	question.project_is_listed = true;
	enum access_verdict inside = access_decide(&question).verdict;
	if (elsewhere == ACCESS_ALLOW && inside == ACCESS_ALLOW)
		return 'f';
	if (elsewhere == ACCESS_DENY_HIDDEN && inside == ACCESS_ALLOW)
		return 'p';
	assert_true(elsewhere == ACCESS_DENY_FORBIDDEN && inside == ACCESS_DENY_FORBIDDEN);
	return '.';
}

static void restricted_keys_stay_in_their_projects(void **state ATTR_UNUSED)
{
	char line[ACCESS_PERMISSIONS + 1] = "";
	for (int permission = 0; permission < ACCESS_PERMISSIONS; permission++)
		line[permission] = reach_of((enum access_permission)permission);
	assert_string_equal(line, restricted_golden);
}

static void roles_are_given_downwards_only(void **state ATTR_UNUSED)
{
	for (size_t holder = 0; holder < 5; holder++)
		for (size_t given = 0; given < 5; given++)
			assert_int_equal(tenant_role_may_give(roles[holder], roles[given]),
					 roles[holder] >= TENANT_ADMIN && given <= holder);
	assert_false(tenant_role_may_give(TENANT_OWNER, TENANT_NO_ROLE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_role_has_exactly_its_rights),
	    cmocka_unit_test(nobody_gets_nothing_but_what_is_open),
	    cmocka_unit_test(strangers_see_nothing),
	    cmocka_unit_test(the_administrator_may_everything),
	    cmocka_unit_test(restricted_keys_stay_in_their_projects),
	    cmocka_unit_test(roles_are_given_downwards_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
