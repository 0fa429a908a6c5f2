#!/usr/bin/env bats
# Back to another image on a real Engine: seadog is killed at each of its steps, and the next one goes on. In the end there
# is one container of that name, with its policy, networks, addresses, volumes and secrets, new or as it was. The target that
# is taken back is in undone.bats: each takes minutes where many test at once.

# shellcheck disable=SC2154 # here comes from there
load lib

drive() {
  local driver=build/release/tests/$1
  make -s -C "$here/../.." "$driver" 3>&-
  SEADOG_TEST_ENGINE=$E2E_DIR/docker.sock SEADOG_TEST_IMAGE=bb:1 timeout 500 "$here/../../$driver" 3>&-
}

rolls_back() { SEADOG_TEST_STORY=$1 drive act/test_rollback_real; }

@test "a good target: committed, or as before, whenever seadog is killed" {
  rolls_back good
}

@test "the model of the Engine answers as this Engine does" {
  drive model/test_model_real
}
