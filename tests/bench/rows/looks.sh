#!/bin/sh
# One look at one container, against the least that it can cost.
# shellcheck source=tests/bench/kit.sh
. "$(dirname "$0")/../kit.sh"

rounds() { by_length 5 9; }

claims() {
  title 'a look at a container, CPU' "seadog's sampler (whose file, what is wished, limits now and then) and two bare pread()
    calls on files that are kept open, on 10, 100 and 1,000 cgroups made by hand, every 20 ms, $(looks) times."
  for many in 10 100 1000; do
    less "$many cgroups, as many times as two bare calls (3 at most)" "us_$many" median sampler preads 0.333333 us
  done
  most 'with 1,000 cgroups, against 10' growth median sampler '' 1.5 times
}

looks() { by_length 100 500; }

prepare() { :; }

measure() {
  for many in 10 100 1000; do
    usec=$("$build/tests/bench/looks" "$subject" "$many" "$(looks)")
    say "us_$many" "$usec"
    [ "$many" -ne 10 ] || first=$usec
  done
  say growth "$(calc "$usec / $first")"
}

measure_sampler() { measure; }
measure_preads() { measure; }

row sampler preads
