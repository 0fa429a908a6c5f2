#!/usr/bin/env bats
# Images that are known to be good: learned, pinned, gone back to, and remembered as bad.

# shellcheck disable=SC2154 # home, log and program come from there
load lib

# An image is a version that prints itself and lives as long as it is told to.
make_image() {
  docker rm -f maker >/dev/null 2>&1 || true
  docker create --name maker bb:1 true
  docker commit --change "ENV APP_VERSION=$2" --change "CMD $3" maker "$1"
  docker rm maker
}

setup_images() {
  make_image app:1.0 1.0 '["sh","-c","echo app 1.0; sleep 86400"]'
  make_image app:1.1 1.1 '["sh","-c","sleep 0.3; echo app 1.1; exit 3"]'
  make_image app:bad 0.9 '["sh","-c","sleep 0.3; exit 4"]'
}

deploy() { # a deployment as compose does it: another container under the same name
  docker rm -f web >/dev/null 2>&1 || true
  docker network inspect shop >/dev/null 2>&1 || docker network create --subnet 10.91.0.0/24 shop
  docker run -d --name web --restart always --network shop --ip 10.91.0.9 -p 127.0.0.1:18080:80 \
    -v data:/data --label tier=front --label com.docker.compose.image=x "$1"
}

image_of() { docker inspect -f '{{.Image}}' "$1"; }
id_of() { docker image inspect -f '{{.Id}}' "$1"; }
runs_image() { [ "$(docker inspect -f '{{.Image}} {{.State.Running}}' web 2>/dev/null)" = "$(id_of "$1") true" ]; }
is_kept() { [ "$(id_of "seadog/keep:$(id_of "$1" | cut -c8-31)" 2>/dev/null)" = "$(id_of "$1")" ]; }
is_let_go() { ! is_kept "$1"; }
pin_is() { [ "$(service web '.pin.image // "none"')" = "$1" ]; }
closed_as() { [ "$(incident 1 '.outcome // "open"')" = "$1" ]; }
logged() { grep -q -- "$1" "$log"; }
containers() { docker ps -aq --filter name=web | wc -l; }

@test "a learned image comes back within seconds of the fifth crash, with all that was the container's" {
  setup_images
  configure <<<$'[defaults]\non_restarts = rollback, stop\ngood_after = 2s\nverify = 4s'
  watch
  deploy app:1.0
  docker exec web sh -c 'echo kept >/data/file'
  wait_until 20 pin_is app:1.0
  expect "$(service web .pin.by)" learned
  is_kept app:1.0
  deploy app:1.1
  wait_until 60 runs_image app:1.0
  wait_until 60 closed_as recovered
  wait_until 30 test_one_container
  expect "$(docker inspect -f '{{.HostConfig.RestartPolicy.Name}} {{index .Config.Labels "tier"}}' web)" "always front"
  expect "$(docker inspect -f '{{(index .NetworkSettings.Networks "shop").IPAddress}}' web)" 10.91.0.9
  expect "$(docker port web 80)" 127.0.0.1:18080
  expect "$(docker exec web cat /data/file)" kept
  expect "$(docker exec web sh -c 'echo $APP_VERSION')" 1.0
  expect_like "$(incident 1 '.steps | map(.action + " " + .result + " " + .detail) | join(",")')" \
    "^rollback done verified, it runs: app:1.0 in place of app:1.1$"
  expect "$(seadog pins --json | jq -r '.pins[0] | .service + " " + .image + " " + .by')" "web app:1.0 learned"
  expect "$(seadog pins --json | jq -r '.swaps[0] | .image + " " + (.bad | tostring)')" "app:1.1 true"
  # The bad one is deployed again: a warning at once, and the same rollback is not done twice.
  deploy app:1.1
  wait_until 20 logged "app:1.1 was deployed again: it was rolled back from"
  docker rm -fv web
}

test_one_container() { [ "$(containers)" = 1 ]; }

@test "a target that loops too is taken back, the pair is remembered, and the next rung is taken" {
  setup_images
  configure <<<$'[defaults]\non_restarts = rollback, stop\nrollback_to = app:bad\nverify = 20s\ncooldown = 0s'
  watch
  deploy app:1.1
  wait_until 60 is_held web
  expect "$(image_of web)" "$(id_of app:1.1)"
  expect "$(containers)" 1
  expect "$(policy web)" no:0
  expect_like "$(incident 1 '.steps | map(.action + " " + .result) | join(",")')" "^rollback undone,stop done$"
  expect "$(seadog pins --json | jq -r '.swaps[0] | .image + " " + .result')" "app:1.1 in vain"
  seadog release web
  wait_until 60 is_held web
  expect_like "$(incident 2 '.steps | map(.result + " " + .detail) | join(",")')" \
    "^skipped already rolled back from app:1.1 to app:bad, and it did not help"
}

@test "by hand: pinned, rehearsed, rolled back and verified; what is refused touches nothing" {
  setup_images
  configure <<<$'[defaults]\nverify = 3s\non_restarts = notify'
  watch
  deploy app:1.0
  run -5 seadog rollback web
  expect_like "$output" "no pinned image"
  run -4 seadog pin web app:none
  seadog pin web app:1.0
  expect "$(service web '.pin.image + " " + .pin.by')" "app:1.0 hand"
  run -5 seadog rollback web
  make_image app:2.0 2.0 '["sh","-c","sleep 86400"]'
  before=$(docker inspect -f '{{.Id}}' web)
  run -0 seadog rollback web --to app:2.0 --dry-run
  expect_like "$output" "APP_VERSION"
  expect "$(docker inspect -f '{{.Id}}' web)" "$before"
  run -0 seadog rollback web --to app:2.0
  runs_image app:2.0
  wait_until 30 test_one_container
  run -1 seadog rollback web --to app:bad
  wait_until 30 runs_image app:2.0
  wait_until 30 test_one_container
  run -0 seadog unpin web
  wait_until 20 is_let_go app:1.0
  run -0 seadog forgive web
  end_watch
  run -0 seadog pins web
}

@test "kill -9 while it is on trial: verified anew, and committed" {
  setup_images
  configure <<<$'[defaults]\non_restarts = rollback, stop\nrollback_to = app:1.0\nverify = 10s'
  watch
  deploy app:1.1
  wait_until 60 runs_image app:1.0
  wait_until 20 verdict_is web verifying
  end_watch KILL
  watch
  wait_until 60 closed_as recovered
  wait_until 30 test_one_container
  runs_image app:1.0
}
