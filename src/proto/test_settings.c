#include "base/unit_test.h"
#include "proto/settings.h"

static void test_every_setting_is_whole(void **state ATTR_UNUSED)
{
	for (size_t i = 0; i < n_settings; i++) {
		assert_ptr_equal(setting_find(text_of(settings[i].name)), &settings[i]);
		assert_true(settings[i].roles != 0);
		assert_true(*settings[i].help != '\0');
		assert_non_null(setting_forms[settings[i].type]);
		assert_int_equal(settings[i].most > 0, setting_has_range(&settings[i]));
	}
}

static void test_fallbacks_are_values(void **state ATTR_UNUSED)
{
	uint64_t value;
	for (size_t i = 0; i < n_settings; i++)
		if (setting_has_range(&settings[i]) || settings[i].type == SETTING_LEVEL)
			assert_int_equal(
			    setting_parse(&settings[i], text_of(settings[i].fallback), &value), 0);
}

static void assert_shown_as_parsed(const struct setting *setting, uint64_t value)
{
	char shown[SETTING_SHOWN_SIZE];
	uint64_t again;
	setting_show(setting, value, shown);
	assert_int_equal(setting_parse(setting, text_of(shown), &again), 0);
	assert_int_equal(again, value);
}

static void assert_refused(const struct setting *setting, uint64_t value)
{
	char shown[SETTING_SHOWN_SIZE];
	uint64_t kept = 12345;
	setting_show(setting, value, shown);
	assert_int_equal(setting_parse(setting, text_of(shown), &kept), 1);
	assert_int_equal(kept, 12345);
}

static void test_ranges_hold_at_their_ends(void **state ATTR_UNUSED)
{
	for (size_t i = 0; i < n_settings; i++) {
		const struct setting *setting = &settings[i];
		if (!setting_has_range(setting))
			continue;
		assert_shown_as_parsed(setting, setting->least);
		assert_shown_as_parsed(setting, setting->most);
		assert_refused(setting, setting->most + 1);
		if (setting->least > 0)
			assert_refused(setting, setting->least - 1);
	}
}

static void test_units(void **state ATTR_UNUSED)
{
	static const struct {
		const char *name, *text;
		uint64_t value; /* 0: refused */
	} cases[] = {
	    {"instance.memory", "64M", UINT64_C(64) << 20},
	    {"instance.memory", "64 M", UINT64_C(64) << 20},
	    {"instance.memory", "1T", UINT64_C(1) << 40},
	    {"instance.memory", "64m", 0},
	    {"instance.memory", "M", 0},
	    {"instance.memory", "", 0},
	    {"instance.memory", "-1", 0},
	    {"instance.memory", "99999999999T", 0},
	    {"instance.idle", "1500", 1500},
	    {"instance.idle", "2h", 7200000},
	    {"instance.idle", "2H", 0},
	    {"instance.idle", "1.5s", 0},
	    {"instance.pids", "64k", 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 0;
		int r = setting_parse(setting_find(text_of(cases[i].name)), text_of(cases[i].text),
				      &value);
		assert_int_equal(r, cases[i].value == 0);
		assert_int_equal(value, cases[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_setting_is_whole),
	    cmocka_unit_test(test_fallbacks_are_values),
	    cmocka_unit_test(test_ranges_hold_at_their_ends),
	    cmocka_unit_test(test_units),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
