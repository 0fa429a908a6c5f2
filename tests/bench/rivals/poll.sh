#!/bin/sh
# poll.sh SOCKET: a watchdog as a shell loop, after autoheal: every five seconds it lists the containers with curl and
# jq. It stops what was restarted five times within a minute. Only what the list shows to be young or waiting is
# inspected, so that a turn with nothing to do costs one call.
socket=$1
seen=$(mktemp)
trap 'rm -f "$seen"' EXIT
trap 'exit 0' TERM INT

engine() {
  curl -s --max-time 30 --unix-socket "$socket" "$@"
}

# The file's lines: ID COUNT SECONDS, oldest first. Who is not in it a minute ago is new: it began at none.
count_before() {
  awk -v id="$1" -v then="$2" '$1 == id && $3 <= then { count = $2 } END { print count + 0 }' "$seen"
}

for id in $(engine 'http://localhost/containers/json?all=1' | jq -r '.[].Id'); do
  engine "http://localhost/containers/$id/json" | jq -r '"\(.Id) \(.RestartCount) 0"'
done >"$seen"

while :; do
  now=$(date +%s)
  for id in $(engine 'http://localhost/containers/json?all=1' |
    jq -r '.[] | select(.State == "restarting" or (.Status | test("^Up .*second"))) | .Id'); do
    count=$(engine "http://localhost/containers/$id/json" | jq -r .RestartCount)
    if [ $((count - $(count_before "$id" $((now - 60))))) -ge 5 ]; then
      engine -X POST "http://localhost/containers/$id/stop?t=0"
      sed -i "/^$id/d" "$seen"
    else
      echo "$id $count $now" >>"$seen"
    fi
  done
  sleep 5 &
  wait $!
done
