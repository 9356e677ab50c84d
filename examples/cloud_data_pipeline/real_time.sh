#!/usr/bin/env bash
# Runs tasks 2 and 3 of exercise 2 in real time: the unchanged pipelines, waiting on empty buckets. The files of task 2 arrive
# with the delays of the exercise (10, 30, 60 and 120 seconds, one after the other), the file of task 3 after 40 seconds: between
# its poke at 30 s and the one at 90 s. Takes less than four minutes. Only the simulations cover the 45 minutes of task 3's SLA.
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo build --quiet --bin cloud_data_pipeline
binary="${CARGO_TARGET_DIR:-target}/debug/cloud_data_pipeline"
root="$(mktemp -d)"
trap 'rm -rf "$root"' EXIT

"$binary" mock-s3 --root "$root" --date 2024-03-25 --empty
"$binary" mock-s3 --root "$root" --date 2024-03-25 --delayed &
files=$!
trap 'kill "$files" ${critical:-} ${critical_data:-} 2>/dev/null || true; rm -rf "$root"' EXIT

(
    started=$SECONDS
    "$binary" --journal "$root/critical.db" run advanced_cloud_sensors --logical-date 2024-03-25 --param "store=file://$root" \
        > "$root/critical.log"
    echo $((SECONDS - started)) > "$root/critical.seconds"
) &
critical=$!
(
    sleep 40
    echo '{"critical_metrics": {"revenue": 1000000}, "status": "CRITICAL"}' > "$root/critical.json"
    mv "$root/critical.json" "$root/enterprise-bucket/critical/critical_data_20240325.json"
) &
critical_data=$!

started=$SECONDS
"$binary" --journal "$root/journal.db" run multi_bucket_pipeline --logical-date 2024-03-25 --param "store=file://$root"
took=$((SECONDS - started))
wait "$files"

diff - "$root/data-bucket/processed/transactions_20240325.csv" <<'CSV'
id,amount,customer,name
1,100.00,customer1,John
2,250.50,customer2,Jane
CSV
if [ "$took" -lt 219 ] || [ "$took" -ge 240 ]; then
    echo "error: the run took ${took}s; the last file arrives after 220s and is due to be found within 240s" >&2
    exit 1
fi
wait "$critical_data"
wait "$critical"
critical_took="$(cat "$root/critical.seconds")"
if [ "$critical_took" -lt 38 ] || [ "$critical_took" -ge 60 ] || ! grep -q '3 pokes' "$root/critical.log"; then
    cat "$root/critical.log" >&2
    echo "error: task 3 took ${critical_took}s; its file arrives after 40s and is due to be found at once, by the third poke" >&2
    exit 1
fi
echo "real time: task 2 succeeded after ${took}s, and its result is right; task 3 after ${critical_took}s"
