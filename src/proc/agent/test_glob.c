#include "base/unit_test.h"
#include "glob.h"

struct glob_case {
	const char *pattern, *path;
	bool matches;
};

static const struct glob_case cases[] = {
    {"*.c", "main.c", true},
    {"*.c", "src/main.c", false},
    {"**/*.c", "src/a/main.c", true},
    {"**/*.c", "main.c", true},
    {"src/**", "src/a/b", true},
    {"src/**", "source/a", false},
    {"a?c", "abc", true},
    {"a?c", "a/c", false},
    {"[a-c]x", "bx", true},
    {"[!a-c]x", "bx", false},
    {"[!a-c]x", "dx", true},
    {"[a", "[a", true},
    {"\\*", "*", true},
    {"\\*", "a", false},
    {"", "", true},
    {"", "a", false},
    {"*", "", true},
    {"a/**/b", "a/b", true},
    {"a/**/b", "a/x/y/b", true},
    {"a/**/b", "a/xb", false},
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool matches = glob_match(text_of(cases[i].pattern), text_of(cases[i].path));
		if (matches != cases[i].matches)
			fail_msg("%s against %s", cases[i].pattern, cases[i].path);
	}
}

/* A matcher that backs up would not come back from this one. */
static void test_many_stars(void **state)
{
	(void)state;
	char pattern[2 * 60 + 1], path[201];
	for (size_t i = 0; i < 60; i++)
		memcpy(pattern + 2 * i, "*a", 2);
	pattern[119] = 'b';
	memset(path, 'a', 200);
	assert_false(glob_match((struct text){pattern, 120}, (struct text){path, 200}));
}

static void test_too_long(void **state)
{
	(void)state;
	char pattern[GLOB_LIMIT + 1];
	memset(pattern, '*', sizeof(pattern));
	assert_false(glob_match((struct text){pattern, sizeof(pattern)}, TEXT("a")));
	assert_true(glob_match((struct text){pattern, GLOB_LIMIT}, TEXT("a")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_many_stars),
	    cmocka_unit_test(test_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
