#!/usr/bin/env bats
# Podman behind its Docker-compatible socket: what is the same there, and what is refused because it cannot be known.

# shellcheck disable=SC2154 # home, log and program come from there
load lib

# It is of the newest Debian, as that Engine: once is enough.
is_turn() { [ "${E2E_ENGINE:-host}" = 28.5 ] && engine has podman; }

setup_file() {
  is_turn || return 0
  E2E_DIR=${E2E_DIR:-$(mktemp -d /tmp/seadog-e2e.XXXXXX)}
  export E2E_DIR DOCKER_HOST=unix://$E2E_DIR/docker.sock
  engine start podman "$E2E_DIR"
  engine image "$E2E_DIR" bb:1
}

teardown_file() { ! is_turn || engine remove "$E2E_DIR"; }

setup() {
  is_turn || skip "Podman has its turn with Engine 28.5"
  common_setup
}
teardown() { ! is_turn || common_teardown; }

outcome_is() { [ "$(incident "$1" '.outcome // "open"')" = "$2" ]; }

@test "47: a loop is seen, though Podman knows no restarting and no back-off, and is held" {
  watch
  loop web 3 0.3 --restart always
  wait_until 60 is_held web
  wait_until 20 outcome_is 1 held
  expect_like "$(incident 1 .why)" '^5 restarts within .*last exit code 3'
  expect_stays_down web 3
  expect "$(incident 1 '.steps[-1].detail')" "restart policy always kept for release"
  seadog release web
  wait_until 20 has_restarted web 1
}

@test "47: held and released by hand, over a kill -9" {
  watch
  live web --restart always
  wait_until 20 verdict_is web well
  seadog hold web
  wait_until 20 is_held web
  end_watch KILL
  watch
  is_held web
  expect_stays_down web
  seadog release web
  wait_until 20 state_is web running
  wait_until 20 verdict_is web well
  expect "$(policy web)" always:0
}

# --- rollback: of what podman itself has made, it tells with which options ---------------------------------------------

podman() { engine podman "$E2E_DIR" "$@"; }
make_image() {
  docker rm -f maker >/dev/null 2>&1 || true
  docker create --name maker bb:1 true
  docker commit --change "ENV APP_VERSION=$2" --change "CMD $3" maker "$1"
  docker rm maker
} >/dev/null
setup_images() {
  make_image app:1.0 1.0 '["sh","-c","sleep 86400"]'
  make_image app:1.1 1.1 '["sh","-c","sleep 0.3; exit 3"]'
  podman network create --ignore shop
} >/dev/null
deploy() {
  podman run -d --replace --name web --restart always -e MINE=y --network shop --network-alias w -v data:/data -v /anon \
    --label tier=front --memory 64m --cpus 0.5 --cap-drop NET_RAW --ulimit nofile=100:200 --hostname web1 --stop-timeout 1 \
    --annotation mine=too "$1" >/dev/null
}
image_of() { docker image inspect -f '{{.Id}}' "$1"; }
runs_image() { [ "$(docker inspect -f '{{.Image}} {{.State.Running}}' web 2>/dev/null)" = "$(image_of "$1") true" ]; }
pinned() { [ "$(service web '.pin.image // "none"')" != none ]; }
alone() { [ "$(docker ps -aq | wc -l)" = 1 ]; }
as_given() { # but for what is another's each time
  docker inspect web | jq -S '.[0] | .HostConfig.Annotations |= with_entries(select(.key == "mine")) |
    [.Name, .HostConfig, .Config.Labels, .Config.Hostname, (.Mounts | sort_by(.Destination) | map(del(.Source))),
    (.NetworkSettings.Networks | map_values(.Aliases // [] | map(select(test("^([0-9a-f]{12}|web1)$") | not)) | unique))]'
}

@test "47: a looping service goes back to the image that was learned, the same in all else that Podman shows" {
  setup_images
  configure <<<$'[defaults]\non_restarts = rollback, stop\ngood_after = 2s\nverify = 4s'
  watch
  deploy app:1.0
  docker exec web sh -c 'echo kept >/data/file; echo too >/anon/file'
  wait_until 20 pinned
  deploy app:1.1
  before=$(as_given)
  wait_until 60 runs_image app:1.0
  wait_until 60 outcome_is 1 recovered
  wait_until 30 alone
  diff <(echo "$before") <(as_given)
  expect "$(docker exec web cat /data/file)" kept
  # shellcheck disable=SC2016 # variables of the container
  expect "$(docker exec web sh -c 'echo $APP_VERSION $MINE')" "1.0 y"
}

@test "47: a target that loops is taken back" {
  setup_images
  configure <<<$'[defaults]\nverify = 4s'
  watch
  deploy app:1.0
  wait_until 20 verdict_is web well
  before=$(inspect web '{{.Id}}')
  run -1 seadog rollback web --to app:1.1
  wait_until 30 runs_image app:1.0
  wait_until 30 alone
  expect "$(inspect web '{{.Id}}')" "$before"
  expect "$(policy web)" always:0
}

@test "47: refused is what Podman does not show: what the API has made, and some options" {
  setup_images
  configure </dev/null
  watch
  live api --restart always
  podman run -d --name tuned --restart always --sysctl net.ipv4.ip_forward=1 app:1.0 >/dev/null
  podman run -d --name fixed --restart always --network shop --ip "$(podman network inspect shop |
    jq -r '.[0].subnets[0].subnet' | sed 's|0/.*|77|')" app:1.0 >/dev/null
  for name in api tuned fixed; do wait_until 20 verdict_is $name well; done
  run -5 seadog rollback api --to app:1.1
  expect_like "$output" 'made through the API'
  run -5 seadog rollback tuned --to app:1.1
  expect_like "$output" 'does not show what was given by --sysctl'
  run -5 seadog rollback fixed --to app:1.1
  expect_like "$output" 'does not show what was given by --ip'
  for name in api tuned fixed; do state_is $name running; done
}

@test "47: check finds nothing that is refused" {
  docker run -d --name web bb:1 sleep 1000 >/dev/null
  run seadog check
  expect_like "$output" 'podman [0-9.]+, API'
  [[ $output != *refused* ]]
}
