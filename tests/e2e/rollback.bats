#!/usr/bin/env bats
# Back to another image on a real Engine: seadog is killed at each of its steps, and the next one goes on. In the end there
# is one container of that name, with its policy, networks, addresses, volumes and secrets, new or as it was.

# shellcheck disable=SC2154 # here comes from there
load lib

rolls_back() {
  local driver=$here/../../build/release/tests/act/test_rollback_real
  [ -x "$driver" ] || make -s -C "$here/../.." "${driver#"$here/../../"}"
  SEADOG_TEST_ENGINE=$E2E_DIR/docker.sock SEADOG_TEST_IMAGE=bb:1 SEADOG_TEST_STORY=$1 timeout 280 "$driver"
}

@test "a good target: committed, or as before, whenever seadog is killed" {
  rolls_back good
}

@test "a bad target: taken back, whenever seadog is killed" {
  rolls_back bad
}
