#!/usr/bin/env bats
# What loops is taken hold of at a hundred moments of its loop, between two runs and in the instant of one: each try stops,
# renames and changes it, finds that the other image cannot be started, and takes all of it back.

# shellcheck disable=SC2154 # here comes from there
load lib

@test "33: stop, rename and update of what loops, at a hundred moments of its loop" {
  local driver=build/release/tests/act/test_rollback_real
  make -s -C "$here/../.." "$driver" 3>&-
  SEADOG_TEST_ENGINE=$E2E_DIR/docker.sock SEADOG_TEST_IMAGE=bb:1 SEADOG_TEST_STORY=often timeout 800 "$here/../../$driver" 3>&-
}
