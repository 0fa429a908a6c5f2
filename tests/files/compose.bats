#!/usr/bin/env bats
# The compose files: YAML that can be read, and a proxy that lets through what seadog calls, and no more.

bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_DIRNAME/../../contrib/compose" || return 1
}

# The proxy holds a pattern against the whole path, without the query.
lets_through() {
  local pattern
  pattern=$(sed -n "s/^ *- '-allow$1=\(.*\)'$/\1/p" with-proxy.yml)
  grep -qxE -- "$pattern" <<<"$2"
}

@test "both files are YAML" {
  /usr/bin/python3 -c 'import yaml' 2>/dev/null || skip "no python3-yaml"
  for file in seadog.yml with-proxy.yml; do
    /usr/bin/python3 -c 'import sys, yaml; assert "seadog" in yaml.safe_load(open(sys.argv[1]))["services"]' "$file"
  done
}

@test "what seadog calls goes through" {
  id=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
  for path in /_ping /version /v1.41/info /v1.51/events /v1.45/containers/json "/v1.41/containers/$id/json" \
    /v1.41/containers/shop-web-1/json "/v1.41/containers/$id/logs" "/v1.41/images/sha256:$id/json"; do
    lets_through GET "$path"
  done
  for verb in stop update start restart pause unpause; do
    lets_through POST "/v1.41/containers/$id/$verb"
  done
}

@test "every call that stands in the sources goes through" {
  grep -oE '\.verb = "/[a-z]+' ../../watchdog/act/plans.c | cut -d/ -f2 | sort -u >"$BATS_TEST_TMPDIR/verbs"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/verbs")" -ge 8 ]
  while read -r verb; do
    lets_through POST "/v1.41/containers/web/$verb" || lets_through GET "/v1.41/containers/web/$verb"
  done <"$BATS_TEST_TMPDIR/verbs"
}

@test "nothing else does" {
  for path in /v1.41/containers/create /containers/create /v1.41/containers/web/exec /v1.41/containers/web/kill \
    /v1.41/containers/web/archive /v1.41/containers/web/../create /v1.41/exec/web/start /v1.41/build \
    /v1.41/containers/web/stop/../../create /v1.41/images/create; do
    run ! lets_through POST "$path"
  done
  for path in /v1.41/containers/web/archive /v1.41/containers/web/export /v1.41/secrets /v1.41/images/web/get \
    /v1.41/swarm / /_ping/; do
    run ! lets_through GET "$path"
  done
  run ! grep -E -- '-allow(PUT|DELETE|PATCH|HEAD)' with-proxy.yml
}
