#!/usr/bin/env bats
# Snapshots of volumes: taken, listed, verified, unpacked elsewhere, kept by their rules, and taken by schedule.

# shellcheck disable=SC2154 # home, log and program come from there
load lib

# A service with a volume in which something of all kinds is.
filled() {
  docker run -d --name db --restart always -v data:/data bb:1 sh -c '
    cd /data && [ -e full ] || {
      mkdir -p many empty deep/er; for i in $(seq 1 300); do echo "$i" >many/$i; done
      echo secret >many/setuid; chmod 4750 many/setuid; chown 1234:4321 many/setuid
      ln many/1 many/hard; ln -s ../many/2 deep/soft; ln -s /nowhere deep/dangling
      printf "x" >"$(printf "name\377")"; touch -d "2001-02-03 04:05:06" many/3; mkfifo deep/pipe
      dd if=/dev/zero of=sparse bs=1 count=1 seek=64M 2>/dev/null; touch full; }
    trap "exit 0" TERM; trap "exit 3" USR1; while :; do sleep 0.1; done' >/dev/null
  wait_until 20 has_file full
}

volume() { docker volume inspect -f '{{.Mountpoint}}' data; }
has_file() { [ -e "$(volume)/$1" ]; }
snapshots() { seadog snapshot list db --json 2>/dev/null | jq -r '.snapshots[].id'; }
snapshot() { seadog snapshot list --json 2>/dev/null | jq -er ".snapshots[$1] | $2"; }
count_is() { [ "$(snapshots | wc -l)" -eq "$1" ]; }
newest_is_verified() { [ "$(snapshot 0 .verified)" = true ]; }
archive_of() { echo "$home/state/snapshots/db/$1/data.tar.zst"; }

# Everything about every file that is no fifo, as find tells it: those are left out of a snapshot.
listing() { (cd "$1" && find . ! -type p -printf '%P %y %m %U %G %s %T@ %n %l\n' | sort); }

take() { # one that is not like the one before it
  echo "$RANDOM" >"$(volume)/changed"
  seadog snapshot create db 2>/dev/null
}

@test "what is unpacked elsewhere is what was in the volume, and tar alone unpacks it too" {
  filled
  watch
  seadog snapshot create db
  wait_until 20 newest_is_verified
  expect "$(state db)" running
  expect "$(restarts db)" 0
  expect "$(snapshot 0 .volume)" data
  expect "$(snapshot 0 .kind)" volume
  expect "$(snapshot 0 .well)" true
  expect "$(snapshot 0 .image)" bb:1
  expect "$(service db .snapshot.id)" "$(snapshot 0 .id)"
  expect_like "$(snapshot 0 '.warnings | join(" ")')" pipe
  expect "$(snapshot 0 .sha256)" "$(sha256sum "$(archive_of "$(snapshot 0 .id)")" | cut -d' ' -f1)"
  [ "$(snapshot 0 .stored_bytes)" -lt 1000000 ]

  seadog snapshot restore db --to "$home/out"
  diff <(listing "$(volume)") <(listing "$home/out/data")
  rm "$(volume)/deep/pipe"
  diff -r --no-dereference "$(volume)" "$home/out/data"
  [ "$(du -k "$home/out/data/sparse" | cut -f1)" -lt 1024 ]

  mkdir "$home/by-tar"
  tar --zstd -xpf "$(archive_of "$(snapshot 0 .id)")" -C "$home/by-tar"
  diff -r --no-dereference "$(volume)" "$home/by-tar"

  run seadog snapshot restore db --to "$home/out"
  expect "$status" 5
  expect_like "$output" "is there already"
}

@test "an archive that was changed on the disk is found, marked, and never used" {
  filled
  watch
  take
  wait_until 20 newest_is_verified
  good=$(snapshot 0 .id)
  take
  wait_until 20 newest_is_verified
  bad=$(snapshot 0 .id)
  printf X | dd of="$(archive_of "$bad")" bs=1 seek=200 conv=notrunc 2>/dev/null
  run seadog snapshot verify db
  expect "$status" 3
  expect_like "$output" "$good is as it was written"
  expect_like "$output" "$bad: data: .*checksum"
  run seadog snapshot verify "$bad" --json
  expect "$status" 1
  expect "$(snapshot 0 .verified)" false
  expect_like "$(snapshot 0 .broken)" checksum
  expect "$(service db .snapshot.id)" "$good"
  run seadog snapshot restore db "$bad" --to "$home/out"
  expect "$status" 5
  seadog snapshot restore db --to "$home/out" --json | jq -e --arg id "$good" '.restored == $id'
  run seadog snapshot restore db --to "$home/other" --dry-run
  expect_like "$output" "unpack data of $good"
  [ ! -e "$home/other" ]
}

@test "a volume that has not changed costs no second archive" {
  filled
  watch
  seadog snapshot create db
  wait_until 20 newest_is_verified
  seadog snapshot create db
  wait_until 20 count_is 2
  first=$(archive_of "$(snapshot 1 .id)")
  expect "$(stat -c %i "$(archive_of "$(snapshot 0 .id)")")" "$(stat -c %i "$first")"
}

@test "as many are kept as the rules say, and none goes that a held service may need" {
  filled
  configure <<<$'[container db]\nsnapshots_kept = 2'
  watch
  take
  take
  take
  wait_until 20 count_is 2
  run seadog snapshot prune db
  expect "$status" 0
  expect_like "$output" "nothing to delete"
  end_watch
  configure <<<$'[container db]\nsnapshots_kept = 1'
  watch
  oldest=$(snapshot 1 .id)
  run seadog snapshot prune --dry-run
  expect_like "$output" "delete $oldest of db"
  seadog hold db
  run seadog snapshot prune db
  expect_like "$output" "nothing to delete"
  seadog release db
  wait_until 20 verdict_is db well
  seadog snapshot prune db
  expect "$(snapshots | wc -l)" 1
  [ ! -e "$(archive_of "$oldest")" ]
}

@test "the catalogue is read without a watchdog, and made anew from what is on the disk" {
  filled
  watch
  take
  wait_until 20 newest_is_verified
  id=$(snapshot 0 .id)
  sum=$(snapshot 0 .sha256)
  end_watch
  run seadog snapshot list db
  expect "$status" 0
  expect_like "$output" "the watchdog is not running"
  expect_like "$output" "$id.*verified"
  expect "$(seadog status --json 2>/dev/null | jq -r '.services[0].snapshot.id')" "$id"
  seadog snapshot restore db --to "$home/out"
  diff -r --no-dereference "$(volume)/many" "$home/out/data/many"
  run seadog snapshot create db
  expect "$status" 7
  rm "$home"/state/seadog.db*
  watch
  wait_until 20 count_is 1
  expect "$(snapshot 0 .id)" "$id"
  expect "$(snapshot 0 .sha256)" "$sum"
  expect "$(snapshot 0 .verified)" false
  seadog snapshot verify
  expect "$(snapshot 0 .verified)" true
}

@test "whoever ends or dies while one is taken leaves nobody standing still, and nothing behind the next" {
  filled
  docker exec db dd if=/dev/urandom of=/data/big bs=1M count=400 2>/dev/null
  watch
  seadog snapshot create db >/dev/null 2>&1 &
  wait_until 20 state_is db paused
  end_watch KILL
  expect "$(state db)" paused
  watch
  wait_until 20 state_is db running
  seadog snapshot create db >/dev/null 2>&1 &
  wait_until 20 state_is db paused
  end_watch TERM
  expect "$(state db)" running
  watch
  expect "$(restarts db)" 0
  expect "$(snapshots | wc -l)" 0
  seadog snapshot create db # what was left of the others goes with it
  expect "$(find "$home/state/snapshots" -name '*.tmp')" ""
  expect "$(snapshots | wc -l)" 1
}

@test "what cannot be taken is refused with the reason" {
  live bare
  filled
  printf '#!/bin/sh\nexit 4\n' >"$home/before" && chmod +x "$home/before"
  configure <<<"[safety]"$'\n'"never = spared*"$'\n'"[container db]"$'\n'"snapshot_before = hook:dump"$'\n'"[hook dump]"$'\n'"command = $home/before"
  live spared
  watch
  run seadog snapshot create bare
  expect "$status" 5
  expect_like "$output" "no volume"
  run seadog snapshot create spared
  expect "$status" 5
  run seadog snapshot create nobody
  expect "$status" 4
  run seadog snapshot create db
  expect "$status" 1
  expect_like "$output" "snapshot_before: exit code 4"
  expect "$(snapshots | wc -l)" 0
  run seadog snapshot create db --dry-run
  expect "$status" 0
  expect_like "$output" "volume data"
}

@test "one is taken when the schedule says so, and what was missed is caught up once" {
  filled
  configure <<<$'[container db]\nsnapshot_schedule = * * * * *\nsnapshots_kept = 100'
  watch
  wait_until 150 count_is 1
  expect "$(state db)" running
  id=$(snapshot 0 .id)
  end_watch
  minute=$(date +%M)
  wait_until 70 minute_is_not "$minute"
  watch
  wait_until 100 count_is 2
  expect "$(snapshot 1 .id)" "$id"
}

minute_is_not() { [ "$(date +%M)" != "$1" ]; }
