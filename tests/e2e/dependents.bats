#!/usr/bin/env bats
# Who depends on a container by its ID, when that is rolled back: refused with their names, or made again as well.

# shellcheck disable=SC2154 # home, log and program come from there
load lib

make_image() {
  docker rm -f maker >/dev/null 2>&1 || true
  docker create --name maker bb:1 true
  docker commit --change "CMD $2" maker "$1"
  docker rm maker
} >/dev/null

# web runs app:2.0; net, pid, ipc and link depend on it, as does via, which shares the network of net.
deploy_all() {
  make_image app:1.0 '["sh","-c","sleep 86400"]'
  make_image app:2.0 '["sh","-c","sleep 86400"]'
  make_image app:bad '["sh","-c","sleep 0.3; exit 4"]'
  docker run -d --name web --stop-timeout 1 --restart always --ipc shareable app:2.0
  follow net --network container:web --restart always
  follow via --network container:net
  follow pid --pid container:web --restart always
  follow ipc --ipc container:web
  follow link --link web:w --restart unless-stopped
  docker create --name from --volumes-from web --stop-timeout 1 bb:1 true
} >/dev/null
follow() { docker run -d --stop-timeout 1 --name "$@" bb:1 sleep 86400; }

id() { inspect "$1" '{{.Id}}'; }
all_up() {
  local name
  for name in web net via pid ipc link; do state_is "$name" running || return 1; done
}
shares() { [ "$(namespace "$1" "$3")" = "$(namespace "$2" "$3")" ]; }
namespace() { readlink "/proc/$(inspect "$1" '{{.State.Pid}}')/ns/$2"; }
knows_web() { docker exec link cat /etc/hosts | grep -qE "^$(inspect web '{{.NetworkSettings.IPAddress}}')[[:space:]]+w "; }

# What they share they share with the web that runs now.
all_work() {
  all_up && shares net web net && shares via web net && shares pid web pid && shares ipc web ipc && knows_web
}
no_spares() { [ "$(docker ps -a --format '{{.Names}}' | grep -cE '\.rb(new|old)-')" = 0 ]; }

@test "41: they are named, and nothing is touched" {
  configure <<<$'[defaults]\nverify = 3s'
  deploy_all
  watch
  before=$(id web)
  run -5 seadog rollback web --to app:1.0
  expect_like "$output" 'net \(network\)'
  expect_like "$output" 'pid \(pid\)'
  expect_like "$output" 'ipc \(ipc\)'
  expect_like "$output" 'link \(link\)'
  [[ $output != *"from ("* ]]
  expect "$(id web)" "$before"
  all_work
}

@test "41: with cascade all are up with the new ID" {
  configure <<<$'[defaults]\nverify = 3s\ndependents = cascade'
  deploy_all
  watch
  before=$(id web)
  run -0 seadog rollback web --to app:1.0 --dry-run
  expect_like "$output" 'made again with it: net'
  expect "$(id web)" "$before"
  run -0 seadog rollback web --to app:1.0
  [ "$(id web)" != "$before" ]
  wait_until 60 log_has 'made again with it: '
  wait_until 60 all_work
  for name in net pid; do expect "$(policy $name)" always:0; done
  expect "$(inspect net '{{.HostConfig.NetworkMode}}')" "container:$(id web)"
  expect "$(inspect via '{{.HostConfig.NetworkMode}}')" "container:$(id net)"
  expect "$(inspect pid '{{.HostConfig.PidMode}}')" "container:$(id web)"
  expect "$(inspect ipc '{{.HostConfig.IpcMode}}')" "container:$(id web)"
  run ! log_has 'could not be made again'
  no_spares
  # A restart of any of them finds the one that it joins.
  for name in web net via pid ipc link; do docker restart -t 1 "$name" >/dev/null; done
  all_up
}

@test "41: after an undo they work again" {
  configure <<<$'[defaults]\nverify = 3s\ndependents = cascade'
  deploy_all
  watch
  before=$(for name in web net via pid ipc link; do id "$name"; done)
  run -1 seadog rollback web --to app:bad
  expect_like "$output" 'taken back'
  wait_until 60 all_work
  expect "$(for name in web net via pid ipc link; do id "$name"; done)" "$before"
  expect "$(policy web)" always:0
  no_spares
}

@test "41: who is never touched is not made again, so that it is refused" {
  configure <<<$'never = net\n[defaults]\nverify = 3s\ndependents = cascade'
  deploy_all
  watch
  before=$(id web)
  run -5 seadog rollback web --to app:1.0
  expect_like "$output" 'net depends on it, and is never touched'
  expect "$(id web)" "$before"
  all_work
}
