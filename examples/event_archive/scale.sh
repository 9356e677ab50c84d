#!/usr/bin/env bash
# What `event_archive` takes for large data: one late file for an archive of 1 GiB without an index, another one for the same
# archive with an index, and an interval of 100,000 new files. Runs on folders; takes minutes. Prints the largest resident memory
# of the process, as the system reports it, and checks every row.
#
#   examples/event_archive/scale.sh                          what the design asks for
#   SIZE=100M FILES=1000 examples/event_archive/scale.sh     less of it
set -euo pipefail
cd "$(dirname "$0")/../.."
size="${SIZE:-1G}"
files="${FILES:-100000}"

cargo build --quiet --release --bin event_archive
binary="${CARGO_TARGET_DIR:-target}/release/event_archive"
root="$(mktemp -d)"
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/source" "$root/target"

run() { # run LOGICAL-DATE HEADER -> the largest resident memory, in MiB
  local before=${EPOCHREALTIME/[.,]/} peak=0 now
  "$binary" --journal "$root/journal.db" run --new --logical-date "$1" \
    --param "source=file://$root/source" --param "target=file://$root/target" --param "header=$2" >"$root/log" 2>&1 &
  local process=$!
  while now="$(awk '/VmHWM/ {print $2}' "/proc/$process/status" 2>/dev/null)" && [ -n "$now" ]; do
    peak=$now
    sleep 0.02
  done
  wait "$process" || { tail -n 20 "$root/log" >&2; exit 1; }
  awk -v peak="$peak" -v took="$((${EPOCHREALTIME/[.,]/} - before))" 'BEGIN { printf "%d MiB at most, %.2f s\n", peak / 1024, took / 1e6 }'
}

# Random bytes, because compressible data would make a small archive.
archive="$root/target/target/large/2021-09-01/07.csv.gz"
mkdir -p "$(dirname "$archive")" "$root/source/source/large/2021-09-01"
head -c "$size" /dev/urandom | gzip -1 >"$archive"
before="$(gzip -dc "$archive" | cksum)"
echo late >"$root/source/source/large/2021-09-01/07_59_file_2.csv"
echo "one file for an archive of $(du -h "$archive" | cut -f1): $(run 2021-09-01T07:00:00Z keep)"
rm "$root/source/source/large/2021-09-01/07_59_file_2.csv"
echo again >"$root/source/source/large/2021-09-01/07_59_file_3.csv"
echo "one more, by its index: $(run 2021-09-01T08:00:00Z keep)"
[ "$(gzip -dc "$archive" | head -c -11 | cksum)" = "$before" ] && [ "$(gzip -dc "$archive" | tail -c 11)" = $'late\nagain' ] ||
  { echo "error: the archive does not hold what it ought to" >&2; exit 1; }
rm -r "$root/source/source/large" "$archive"

# Spread over a day, so that every hour's archive gets a share.
many="$root/source/source/many/2021-09-01"
mkdir -p "$many"
for ((i = 0; i < files; i++)); do
  printf 'row\nrow %d\n' "$i" >"$(printf '%s/%02d_%02d_file_%d.csv' "$many" $((i % 24)) $((i % 60)) "$i")"
done
echo "$files new files in an interval: $(run 2021-09-01T07:30:00Z apart)"
for archive in "$root"/target/target/many/2021-09-01/*.csv.gz; do gzip -dc "$archive" | tail -n +2; done | sort >"$root/archived"
for ((i = 0; i < files; i++)); do echo "row $i"; done | sort | cmp - "$root/archived"
echo "each row is there, once"
