#!/usr/bin/env bats
# The other half of rollback.bats: the target does no good, and is taken back, whenever seadog is killed.

# shellcheck disable=SC2154 # here comes from there
load lib

@test "a bad target: taken back, whenever seadog is killed" {
  local driver=build/release/tests/act/test_rollback_real
  make -s -C "$here/../.." "$driver" 3>&-
  SEADOG_TEST_ENGINE=$E2E_DIR/docker.sock SEADOG_TEST_IMAGE=bb:1 SEADOG_TEST_STORY=bad \
    timeout 500 "$here/../../$driver" 3>&-
}
