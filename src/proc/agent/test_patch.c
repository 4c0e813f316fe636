#include "base/unit_test.h"
#include "patch.h"

static const char *apply(const char *diff, const char *before, struct buffer *after)
{
	struct patch patch;
	size_t failed = 0;
	buffer_clear(after);
	assert_int_equal(patch_parse(text_of(diff), &patch), 0);
	int r = patch_apply(&patch, &patch.files[0], text_of(before), after, &failed);
	patch_free(&patch);
	buffer_append_byte(after, '\0');
	return r == 0 ? (const char *)after->data : NULL;
}

#define HEAD "--- a/f\n+++ b/f\n"

static void test_apply(void **state)
{
	(void)state;
	struct buffer after ATTR_BUFFER = {0};
	assert_string_equal(apply(HEAD "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n", "a\nb\nc\n", &after),
			    "a\nB\nc\n");
	assert_string_equal(apply(HEAD "@@ -0,0 +1,2 @@\n+x\n+y\n", "", &after), "x\ny\n");
	assert_string_equal(apply(HEAD "@@ -1 +0,0 @@\n-x\n", "x\n", &after), "");
	assert_string_equal(apply(HEAD "@@ -1,2 +1,2 @@\n a\n-b\n+c\n@@ -4 +4 @@\n-d\n+e\n",
				  "a\nb\nx\nd\n", &after),
			    "a\nc\nx\ne\n");
}

static void test_place_may_be_off(void **state)
{
	(void)state;
	struct buffer after ATTR_BUFFER = {0};
	assert_string_equal(apply(HEAD "@@ -1 +1 @@\n-b\n+B\n", "x\ny\nb\n", &after), "x\ny\nB\n");
	/* of two places the nearer one */
	assert_string_equal(apply(HEAD "@@ -4 +4 @@\n-b\n+B\n", "b\nx\ny\nz\nb\n", &after),
			    "b\nx\ny\nz\nB\n");
}

static void test_content_must_be_exact(void **state)
{
	(void)state;
	struct buffer after ATTR_BUFFER = {0};
	assert_null(apply(HEAD "@@ -1 +1 @@\n-b\n+B\n", "b \n", &after));
	assert_null(apply(HEAD "@@ -1 +1 @@\n-b\n+B\n", "b", &after));
	assert_null(apply(HEAD "@@ -1 +1 @@\n-b\n+B\n", "", &after));
}

static void test_no_newline_at_end(void **state)
{
	(void)state;
	struct buffer after ATTR_BUFFER = {0};
	const char *both = HEAD
	    "@@ -1 +1 @@\n-b\n\\ No newline at end of file\n+B\n\\ No newline at end of file\n";
	const char *gains = HEAD "@@ -1 +1 @@\n-b\n\\ No newline at end of file\n+b\n";
	assert_string_equal(apply(both, "b", &after), "B");
	assert_string_equal(apply(gains, "b", &after), "b\n");
	assert_null(apply(both, "b\n", &after));
}

static void test_headers(void **state)
{
	(void)state;
	static const char diff[] =
	    "--- plain\t2026-01-01\n+++ plain\t2026-01-02\n@@ -1 +1 @@\n-1\n+2\n"
	    "diff --git a/old b/new\nsimilarity index 90%\nrename from old\nrename to new\n"
	    "diff --git a/x b/x\nnew file mode 100755\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+1\n"
	    "diff --git a/y b/y\ndeleted file mode 100644\n--- a/y\n+++ /dev/null\n@@ -1 +0,0 "
	    "@@\n-1\n"
	    "diff --git \"a/\\303\\244\" \"b/\\303\\244\"\nold mode 100644\nnew mode 100755\n";
	struct patch patch;
	assert_int_equal(patch_parse(text_of(diff), &patch), 0);
	assert_int_equal(patch.n_files, 5);
	assert_true(text_equal(patch.files[1].old_name, TEXT("old")));
	assert_true(text_equal(patch.files[1].new_name, TEXT("new")));
	assert_int_equal(patch.files[2].old_name.size, 0);
	assert_int_equal(patch.files[2].mode, 0755);
	assert_int_equal(patch.files[3].new_name.size, 0);
	assert_true(text_equal(patch.files[4].new_name, TEXT("\xc3\xa4")));
	assert_true(text_equal(patch.files[0].new_name, TEXT("plain")));
	assert_int_equal(patch.files[0].n_hunks, 1);
	patch_free(&patch);
}

static const char *const refused[] = {
    "",
    "no diff at all\n",
    "@@ -1 +1 @@\n-a\n+b\n",
    HEAD "@@ -1,2 +1,2 @@\n a\n",
    HEAD "@@ -1 +1 @@\n-a\n*b\n",
    HEAD "@@ -1 +1\n-a\n+b\n",
    HEAD "@@ -99999999999 +1 @@\n-a\n+b\n",
    HEAD "@@ -2,1 +2,2 @@\n-a\n-b\n+c\n+d\n",
    "--- a/../f\n+++ b/../f\n@@ -1 +1 @@\n-a\n+b\n",
    "--- /etc/passwd\n+++ /etc/passwd\n@@ -1 +1 @@\n-a\n+b\n",
    "--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n",
    "diff --git a/f b/f\nGIT binary patch\n",
    "diff --git a/f b/g\ncopy from f\ncopy to g\n",
    "diff --git a/f b/f\nrename from f\nrename to ../f\n",
    "diff --git \"a/\\056\\056/f\" \"b/\\056\\056/f\"\nnew mode 100755\n",
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct patch patch;
		if (patch_parse(text_of(refused[i]), &patch) != 1)
			fail_msg("was taken: %s", refused[i]);
		assert_non_null(patch.why);
		patch_free(&patch);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_apply),
	    cmocka_unit_test(test_place_may_be_off),
	    cmocka_unit_test(test_content_must_be_exact),
	    cmocka_unit_test(test_no_newline_at_end),
	    cmocka_unit_test(test_headers),
	    cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
