#include <stdio.h>

#include <support/unit.h>
#include <watchdog/map.h>

static void what_is_set_is_found(void **state)
{
	struct wd_map *map = wd_map_new();
	char key[] = "web";
	int one = 1, two = 2;

	(void)state;
	assert_null(wd_map_get(map, "web"));
	assert_null(wd_map_set(map, key, &one));
	key[0] = 'X';
	assert_ptr_equal(wd_map_get(map, "web"), &one);
	assert_null(wd_map_get(map, "Web"));
	assert_ptr_equal(wd_map_set(map, "web", &two), &one);
	assert_int_equal(wd_map_count(map), 1);
	assert_ptr_equal(wd_map_remove(map, "web"), &two);
	assert_null(wd_map_remove(map, "web"));
	assert_int_equal(wd_map_count(map), 0);
	assert_null(wd_map_free(map));
}

static void iteration_is_in_order_of_insertion(void **state)
{
	struct wd_map *map = wd_map_new();
	char key[16];
	int values[500];
	int i = 0;

	(void)state;
	for (i = 0; i < 500; i++) {
		snprintf(key, sizeof(key), "%d", i * 7919 % 500);
		wd_map_set(map, key, &values[i]);
	}
	wd_map_set(map, "0", &values[0]); /* replaced in its place */
	i = 0;
	for (struct wd_map_entry *e = wd_map_first(map); e; e = wd_map_next(e), i++) {
		snprintf(key, sizeof(key), "%d", i * 7919 % 500);
		assert_string_equal(wd_map_key(e), key);
		assert_ptr_equal(wd_map_value(e), &values[i]);
	}
	assert_int_equal(i, 500);
	wd_map_free(map);
}

static void the_current_entry_may_be_removed(void **state)
{
	struct wd_map *map = wd_map_new();
	struct wd_map_entry *next;
	int value;

	(void)state;
	for (const char *const *key = (const char *[]){"a", "b", "c", "d", NULL}; *key; key++)
		wd_map_set(map, *key, &value);
	for (struct wd_map_entry *e = wd_map_first(map); e; e = next) {
		next = wd_map_next(e);
		if (wd_map_key(e)[0] != 'c')
			wd_map_remove(map, wd_map_key(e));
	}
	assert_int_equal(wd_map_count(map), 1);
	assert_string_equal(wd_map_key(wd_map_first(map)), "c");
	wd_map_free(map);
}

static void no_map_is_an_empty_map(void **state)
{
	(void)state;
	assert_null(wd_map_free(NULL));
	assert_null(wd_map_get(NULL, "a"));
	assert_null(wd_map_remove(NULL, "a"));
	assert_null(wd_map_first(NULL));
	assert_int_equal(wd_map_count(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_set_is_found),
		cmocka_unit_test(iteration_is_in_order_of_insertion),
		cmocka_unit_test(the_current_entry_may_be_removed),
		cmocka_unit_test(no_map_is_an_empty_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
