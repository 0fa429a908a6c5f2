#!/usr/bin/env bats
# More of rollback.bats, in minutes where many test at once: seadog is killed while a change is on its way, and at each end.

# shellcheck disable=SC2154 # here comes from there
load lib

rolls_back() {
  local driver=build/release/tests/act/test_rollback_real
  make -s -C "$here/../.." "$driver" 3>&-
  SEADOG_TEST_ENGINE=$E2E_DIR/docker.sock SEADOG_TEST_IMAGE=bb:1 SEADOG_TEST_STORY=$1 timeout 400 "$here/../../$driver" 3>&-
}

@test "34: a good target: committed, or as before, whichever change is on its way when seadog is killed" {
  rolls_back good-on-way
}

@test "34: a bad target: taken back, whichever change is on its way when seadog is killed" {
  rolls_back bad-on-way
}
