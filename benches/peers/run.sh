#!/usr/bin/env bash
# Times presswork and its peers on the same jobs, in turn, in one run: run.sh [RUNS]
# Prints a table: wall and processor seconds, sharp's over presswork's, bytes, peak memory, and
# whether the pictures are the same. PEERS and JOBS choose fewer.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
runs=${1:-5}
peers=${PEERS:-sharp skia magick chromium}
jobs=${JOBS:-tee tee-dtg wrap wrap-tumble mug}
assets=$root/benches/assets
out=$root/benches/out
[[ -f $assets/photo.jpg && -d $here/node_modules ]] || "$here/setup.sh"
export FONTCONFIG_FILE=$assets/fonts.conf

cd "$root"
cargo build --release --locked --bin presswork --example alike
floor=$(cargo bench --locked --no-run --bench floor --message-format=json |
  node -e 'for (const l of require("fs").readFileSync(0, "utf8").split("\n")) { const m = l && JSON.parse(l); if (m?.target?.name === "floor" && m.executable) console.log(m.executable) }')
bin=${CARGO_TARGET_DIR:-$root/target}/release
mkdir -p "$out"
rm -rf "${out:?}"/*

command_of() { # PEER JOB: the command, or nothing where the peer has no such job
  local peer=$1 job=$2 plain=${2%-dtg} file=$out/$1-$2.png
  case $peer in
    presswork) echo "$bin/presswork render $root/benches/jobs/$job.json --catalog $root/benches/catalog --profiles $root/render-profiles --out $out/presswork" ;;
    floor) [[ $job == tee || $job == wrap ]] && echo "$floor $job $assets $file" ;;
    magick) [[ $job != wrap-tumble ]] && echo "$here/magick.sh $plain $assets $file" ;;
    *) echo "node $here/$peer.mjs $plain $assets $file" ;;
  esac
  return 0
}

for job in $jobs; do
  for peer in presswork floor $peers; do
    command=$(command_of "$peer" "$job")
    [[ -n $command ]] || continue
    n=$runs
    [[ $peer == magick || $peer == chromium ]] && n=2
    # A peer that cannot do a job is reported as such; presswork itself must.
    if ! hyperfine --style none --warmup 1 --min-runs "$n" --max-runs "$n" --export-json "$out/$peer-$job.json" "$command" >"$out/$peer-$job.log" 2>&1; then
      rm -f "$out/$peer-$job.json"
      tail -3 "$out/$peer-$job.log" >&2
      [[ $peer != presswork ]] || exit 1
      touch "$out/$peer-$job.failed"
      continue
    fi
    /usr/bin/time -f %M -o "$out/$peer-$job.peak" bash -c "$command" >/dev/null 2>&1
    [[ $peer == presswork ]] && cp "$out/presswork/bench-$job/"*.png "$out/presswork-$job.png"
    # Angles of a tumbling wrap are each program's own.
    if [[ $peer != presswork && $peer != floor && $job != wrap-tumble ]]; then
      "$bin/examples/alike" "$out/presswork-$job.png" "$out/$peer-$job.png" >"$out/$peer-$job.alike" || true
    fi
  done
done
node "$here/report.mjs" "$out"
