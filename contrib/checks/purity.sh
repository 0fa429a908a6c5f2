#!/bin/sh
# Proves that the core has no clock, no file, no socket and no log: what its objects want from elsewhere is on this list.
# usage: purity.sh OBJECT...
set -eu

# The compiler's own, and what of libc only computes. Then ours: memory, texts, maps, words, and printers of times that
# are told; neither the log, nor the loop, nor wd_time_now() and wd_stamp_now(), nor local time (it reads TZ).
allowed='
__assert_fail|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__(memcpy|memmove|memset|strcpy|strcat|snprintf|vsnprintf)_chk
free|mem(cpy|move|set|cmp|chr)|str(len|cmp|ncmp|chr|rchr|str|spn|cspn|pbrk|nlen)|snprintf|vsnprintf|qsort|bsearch
l?l?round|floor|ceil|fmin|fmax|exp|exp2|log|log2|sqrt|pow
wd_(alloc|realloc|need|copy|copy_part|format|replace|auto_free)
wd_(text|list|rune|map)_[a-z_]+|wd_glob_match|wd_size_print|wd_span_print(_short)?|wd_stamp_print
wd_fail|wd_fail_in
wd_(trigger|action|verdict|outcome|result|state|restart|health|event)_name
wd_resource_name|wd_restart_policy_equal|wd_container_(free|label)
wd_memory_(done|kind|is_bound)|wd_pins_(done|copy|bad)|wd_incident_(free|copy)
wd_cpu(s_count|s_equal|_cut_is)
wd_policy_free|wd_codes_has|wd_ladder_acts|wd_action_changes|wd_settings_policy|wd_findings_(done|add)'
allowed=$(echo "$allowed" | sed '/^$/d' | paste -sd '|')

[ $# -gt 0 ] || { echo "purity.sh: no objects given" >&2; exit 2; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
nm --defined-only "$@" | awk 'NF == 3 { print $3 }' | sort -u >"$scratch/own"
nm -u "$@" | awk 'NF == 2 { print $2 }' | sort -u >"$scratch/wanted"
comm -13 "$scratch/own" "$scratch/wanted" | grep -vxE "$allowed" >"$scratch/foreign" || exit 0
while read -r name; do
  echo "$name: wanted by $(nm -A -u "$@" | awk -v name="$name" '$NF == name { print $1 }' | sed 's/:$//' | paste -sd ' ')," \
    "but the core only computes (contrib/checks/purity.sh)"
done <"$scratch/foreign"
exit 1
