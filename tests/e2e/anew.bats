#!/usr/bin/env bats
# A rollback whose Engine is stopped and started again as each change is asked for. What comes back never runs beside the
# other of the two, and in the end there is one container of that name, whole, good or as before.

# shellcheck disable=SC2154 # here comes from there
load lib

# The command stops the Engine, starts it, and fails where more than one of the two is up then.
rolls_back() {
  local driver=build/release/tests/act/test_rollback_real
  make -s -C "$here/../.." "$driver" 3>&-
  cat >"$E2E_DIR/restart" <<END
exec >>"$E2E_DIR/restart.log" 2>&1
sh "$here/engine.sh" stop "$E2E_DIR"
sh "$here/engine.sh" start "${E2E_ENGINE:-host}" "$E2E_DIR"
[ "\$(docker -H "$DOCKER_HOST" ps -q | wc -l)" -le 1 ]
END
  SEADOG_TEST_ENGINE=$E2E_DIR/docker.sock SEADOG_TEST_IMAGE=bb:1 SEADOG_TEST_RESTART="sh $E2E_DIR/restart" \
    SEADOG_TEST_STORY=$1 timeout 440 "$here/../../$driver" 3>&-
}

@test "37: a good target: committed, or as before, whichever change the Engine goes away at" {
  rolls_back good-anew
}

@test "37: a bad target: taken back, whichever change the Engine goes away at" {
  rolls_back bad-anew
}
