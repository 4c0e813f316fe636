#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"
#include "base/unit_test.h"

#include <stdlib.h>

struct number {
	struct map_node node;
	struct list link;
	uint32_t value;
};

static struct bytes key_of(const uint32_t *value)
{
	return (struct bytes){(const uint8_t *)value, sizeof(*value)};
}

static void a_map_finds_what_it_holds(void **state ATTR_UNUSED)
{
	enum { COUNT = 5000 };
	struct map map = {0};
	struct number *numbers = calloc(COUNT, sizeof(*numbers));
	for (uint32_t i = 0; i < COUNT; i++) {
		numbers[i].value = i;
		assert_int_equal(map_insert(&map, &numbers[i].node, key_of(&numbers[i].value)), 0);
	}
	struct number again = {.value = 7};
	assert_int_equal(map_insert(&map, &again.node, key_of(&again.value)), 1);
	for (uint32_t i = 0; i < COUNT; i += 2)
		map_remove(&map, &numbers[i].node);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct number *found = map_object(&map, key_of(&i), struct number, node);
		assert_ptr_equal(found, i % 2 ? &numbers[i] : NULL);
	}
	size_t seen = 0;
	map_for_each (node, &map) {
		map_remove(&map, node);
		seen++;
	}
	assert_int_equal(seen, COUNT / 2);
	assert_int_equal(map.count, 0);
	map_free(&map);
	free(numbers);
}

static void a_list_survives_removal_while_walking(void **state ATTR_UNUSED)
{
	struct number numbers[10], *item;
	struct list list = LIST_EMPTY(list);
	for (uint32_t i = 0; i < 10; i++) {
		numbers[i].value = i;
		list_append(&list, &numbers[i].link);
	}
	list_for_each (item, &list, link)
		if (item->value % 2)
			list_remove(&item->link);
	uint32_t expected = 0;
	list_for_each (item, &list, link) {
		assert_int_equal(item->value, expected);
		expected += 2;
	}
	assert_int_equal(expected, 10);
}

static void an_arena_is_zeroed_aligned_and_limited(void **state ATTR_UNUSED)
{
	struct arena arena ATTR_ARENA = {.limit = 100000};
	for (int round = 0; round < 3; round++) {
		for (size_t size = 1; size < 300; size++) {
			uint8_t *piece = arena_alloc(&arena, size);
			assert_non_null(piece);
			assert_int_equal((uintptr_t)piece % 16, 0);
			for (size_t i = 0; i < size; i++)
				assert_int_equal(piece[i], 0);
			memset(piece, 0xff, size);
		}
		assert_null(arena_alloc(&arena, 100000));
		arena_reset(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_map_finds_what_it_holds),
	    cmocka_unit_test(a_list_survives_removal_while_walking),
	    cmocka_unit_test(an_arena_is_zeroed_aligned_and_limited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
