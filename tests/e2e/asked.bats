#!/usr/bin/env bats
# What people and tools ask for is no crash; and whose word counts: a label's, if the container was given it.

# shellcheck disable=SC2154 # home, log and program come from there
load lib

expect_untouched() {
  sleep 1
  expect "$(incidents)" 0
  expect "$(verdict web)" well
  expect "$(service web '.restarts | map(.count) | add')" 0
  expect "$(policy web)" always:0
}

@test "docker restart, ten times" {
  live web --restart always
  watch
  for _ in 1 2 3 4 5 6 7 8 9 10; do docker restart -t 5 web; done
  expect_untouched
}

@test "docker stop and start, ten times" {
  live web --restart always
  watch
  for _ in 1 2 3 4 5 6 7 8 9 10; do docker stop -t 5 web && docker start web; done
  expect_untouched
}

@test "docker kill and start, ten times" {
  live web --restart always
  watch
  for _ in 1 2 3 4 5 6 7 8 9 10; do docker kill web && docker start web; done
  expect_untouched
}

@test "docker stop -t 20 of what asks for a second, and takes eight" {
  docker run -d --name web --restart always --stop-timeout 1 bb:1 \
    sh -c 'trap "sleep 8; exit 1" TERM; while :; do sleep 0.1; done'
  watch
  wait_until 10 verdict_is web well
  docker stop -t 20 web
  docker start web
  expect_untouched
}

# As compose does it: the new one under a name of its own, then the old one goes, then it gets the name.
recreate() {
  local old
  old=$(inspect web '{{.Id}}')
  docker create --name "${old:0:12}_web" --restart always "$@" bb:1 \
    sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done' >/dev/null
  docker stop -t 5 "$old" && docker rm "$old"
  docker rename "${old:0:12}_web" web
  docker start web
}

@test "recreated as compose does it, six times" {
  local compose=(--label com.docker.compose.project=shop --label com.docker.compose.service=web
    --label com.docker.compose.container-number=1)
  live web --restart always "${compose[@]}"
  watch
  for _ in 1 2 3 4 5 6; do recreate "${compose[@]}"; done
  wait_until 10 verdict_is web well
  expect_untouched
  expect "$(service web .service)" shop/web/1
  expect "$(seadog status --json | jq '.services | length')" 1
}

@test "a new deployment ends a hold: its policy is its own" {
  watch
  loop web 3 0 --restart always
  wait_until 30 is_held web
  docker rm web
  live web --restart unless-stopped
  wait_until 10 verdict_is web well
  expect "$(policy web) $(state web)" "unless-stopped:0 running"
  expect "$(service web .hold)" null
}

@test "HUP is no request to end: a crash after it is a crash" {
  configure <<<$'[defaults]\nrestarts = 2/60s'
  live web --restart always
  watch
  crash web
  wait_until 10 has_restarted web 1
  wait_until 10 state_is web running
  docker exec web sh -c 'kill -USR1 1'
  wait_until 30 is_held web
}

@test "a container without a policy that something starts again and again counts too" {
  configure <<<$'[defaults]\nrestarts = 3/60s'
  watch
  live web --restart no
  for _ in 1 2 3; do
    crash web
    wait_until 10 state_is web exited
    sleep 0.3
    docker start web
  done
  wait_until 30 is_held web
}

@test "labels that the container was given are obeyed" {
  watch
  loop web 3 0 --restart always --label seadog.restarts=4/60s
  wait_until 30 is_held web
  expect "$(starts web)" 4
  expect_like "$(incident 1 .why)" "^4 restarts within 60s \(limit 4/60s\)"
}

@test "labels that it inherits from its image are not" {
  engine image "$E2E_DIR" bb:labelled -c 'LABEL seadog.restarts=2/60s'
  watch
  docker run -d --name web --restart always bb:labelled sh -c 'exit 3'
  wait_until 30 is_held web
  expect "$(starts web)" 5
  expect_like "$(incident 1 .why)" "limit 5/60s"
}

@test "the same label given as well is obeyed all the same" {
  engine image "$E2E_DIR" bb:labelled -c 'LABEL seadog.restarts=2/60s'
  watch
  docker run -d --name web --restart always --label seadog.restarts=4/60s bb:labelled sh -c 'exit 3'
  wait_until 30 is_held web
  expect "$(starts web)" 4
}

@test "an unknown label is a warning that names it" {
  watch
  live web --label seadog.restrats=3/60s
  wait_until 10 log_has "seadog.restrats.*did you mean"
}

@test "seadog.enable=false: it is left alone" {
  watch
  loop web 3 0 --restart always --label seadog.enable=false
  wait_until 30 has_restarted web 6
  expect "$(policy web)" always:0
  expect "$(incidents)" 0
}

@test "watch = labelled: only what asks for it" {
  configure <<<$'[seadog]\nwatch = labelled\n[defaults]\nrestarts = 3/60s'
  watch
  loop web 3 0 --restart always
  loop api 3 0 --restart always --label seadog.enable=true
  wait_until 30 is_held api
  wait_until 30 has_restarted web 6
  expect "$(policy web)" always:0
}
