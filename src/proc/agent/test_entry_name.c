#include "archive/entry_name.h"
#include "base/unit_test.h"

struct name_case {
	const char *given, *clean;
	enum entry_verdict verdict;
};

static void names_stay_below(void **state ATTR_UNUSED)
{
	static const struct name_case cases[] = {
	    {"a", "a", ENTRY_FINE},
	    {"./a//b/./c/", "a/b/c", ENTRY_FINE},
	    {"..a/b..", "..a/b..", ENTRY_FINE},
	    {"\xc3\xbc", "\xc3\xbc", ENTRY_FINE},
	    {".", NULL, ENTRY_IS_FOLDER_ITSELF},
	    {"./", NULL, ENTRY_IS_FOLDER_ITSELF},
	    {"", NULL, ENTRY_EMPTY},
	    {"/a", NULL, ENTRY_ABSOLUTE},
	    {"..", NULL, ENTRY_DOT_DOT},
	    {"a/../b", NULL, ENTRY_DOT_DOT},
	    {"a\nb", NULL, ENTRY_NOT_TEXT},
	    {"\xfc", NULL, ENTRY_NOT_TEXT},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char clean[PATH_MAX];
		assert_int_equal(entry_name_check(text_of(cases[i].given), clean),
				 cases[i].verdict);
		if (cases[i].clean)
			assert_string_equal(clean, cases[i].clean);
	}
}

static void a_nul_is_no_end(void **state ATTR_UNUSED)
{
	char clean[PATH_MAX];
	assert_int_equal(entry_name_check(TEXT("a\0/../b"), clean), ENTRY_NOT_TEXT);
}

static void lengths_have_limits(void **state ATTR_UNUSED)
{
	char name[PATH_MAX + 1], clean[PATH_MAX];
	memset(name, 'a', sizeof(name));
	assert_int_equal(entry_name_check((struct text){name, NAME_MAX}, clean), ENTRY_FINE);
	assert_int_equal(entry_name_check((struct text){name, NAME_MAX + 1}, clean),
			 ENTRY_TOO_LONG);
	for (size_t i = 1; i < sizeof(name); i += 2)
		name[i] = '/';
	assert_int_equal(entry_name_check((struct text){name, 2 * ENTRY_DEPTH_MAX}, clean),
			 ENTRY_FINE);
	assert_int_equal(entry_name_check((struct text){name, 2 * ENTRY_DEPTH_MAX + 1}, clean),
			 ENTRY_TOO_LONG);
	assert_int_equal(entry_name_check((struct text){name, sizeof(name)}, clean),
			 ENTRY_TOO_LONG);
}

struct link_case {
	const char *link, *target;
	enum entry_verdict verdict;
};

static void links_lead_nowhere_else(void **state ATTR_UNUSED)
{
	static const struct link_case cases[] = {
	    {"l", "a", ENTRY_FINE},
	    {"d/l", "../a", ENTRY_FINE},
	    {"d/e/l", "../../a/b", ENTRY_FINE},
	    {"d/l", "..", ENTRY_FINE},
	    {"l", "..", ENTRY_LEADS_OUT},
	    {"d/l", "../../a", ENTRY_LEADS_OUT},
	    {"d/l", "a/../b", ENTRY_LEADS_OUT},
	    {"l", "/etc", ENTRY_LEADS_OUT},
	    {"l", "", ENTRY_EMPTY},
	    {"l", "a\nb", ENTRY_NOT_TEXT},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(entry_link_check(cases[i].link, text_of(cases[i].target)),
				 cases[i].verdict);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_stay_below),
	    cmocka_unit_test(a_nul_is_no_end),
	    cmocka_unit_test(lengths_have_limits),
	    cmocka_unit_test(links_lead_nowhere_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
