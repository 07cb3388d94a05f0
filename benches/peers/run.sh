#!/usr/bin/env bash
# Times presswork and its peers on the same jobs, in turn, in one run: run.sh [RUNS]
# Prints a table: wall and processor seconds, each program's over presswork's, bytes, peak memory, and
# whether the pictures are the same; below it a verdict for every bar. Exits 1 where one is missed.
# PEERS and JOBS choose fewer.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
runs=${1:-5}
all_peers="sharp sharp-fast skia magick chromium"
all_jobs="tee tee-dtg wrap wrap-tumble mug"
peers=${PEERS:-$all_peers}
jobs=${JOBS:-$all_jobs}
assets=$root/benches/assets
out=$root/benches/out

known() { # WHAT, KNOWN, GIVEN: stops at a name that is not known
  local name
  for name in $3; do
    [[ " $2 " == *" $name "* ]] || { echo "there is no $1 '$name'; there are: $2" >&2; exit 2; }
  done
}
known peer "$all_peers" "$peers"
known job "$all_jobs" "$jobs"
[[ $runs =~ ^[1-9][0-9]*$ ]] || { echo "usage: run.sh [RUNS]" >&2; exit 2; }

# Whatever is missing, or was made by another setup.sh, is made.
is_set_up() {
  local name
  [[ $(cat "$assets/.made" 2>/dev/null) == $(cat "$here/setup.sh" "$here/package-lock.json" | sha256sum) ]] || return 1
  for name in photo.jpg mug-a.jpg mug-b.jpg mug-c.jpg mug-d.jpg face.png art.svg LibertinusSerif-Bold.otf fonts.conf; do
    [[ -s $assets/$name ]] || return 1
  done
  for name in sharp @napi-rs/canvas puppeteer-core; do [[ -f $here/node_modules/$name/package.json ]] || return 1; done
  for name in node convert rsvg-convert hyperfine chromium /usr/bin/time; do command -v "$name" >/dev/null || return 1; done
}
is_set_up || "$here/setup.sh"
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

failed() { # PEER JOB: says so, here and to the report
  echo "$1 failed at $2:" >&2
  tail -3 "$out/$1-$2.log" >&2
  rm -f "$out/$1-$2.json"
  touch "$out/$1-$2.failed"
  # A peer that cannot do a job is reported as such; presswork itself must.
  [[ $1 != presswork ]] || exit 1
}

timed() { # NAME RUNS COMMAND
  hyperfine --style none --warmup 1 --min-runs "$2" --max-runs "$2" --export-json "$out/$1.json" "$3" >"$out/$1.log" 2>&1
}

for job in $jobs; do
  layers=$(node -e 'import(process.argv[1]).then(({ boxes, jobs }) => console.log(boxes(jobs[process.argv[2]]).join(" ")))' "$here/jobs.mjs" "${job%-dtg}")
  for peer in presswork floor $peers; do
    command=$(command_of "$peer" "$job")
    if [[ -z $command ]]; then
      [[ $peer == floor ]] || touch "$out/$peer-$job.none"
      continue
    fi
    n=$runs
    # The slow ones get two.
    [[ ($peer == magick || $peer == chromium) && $runs -gt 2 ]] && n=2
    if ! timed "$peer-$job" "$n" "$command"; then
      failed "$peer" "$job"
      continue
    fi
    # The most that one process had: of a tree, its largest.
    if ! /usr/bin/time -f %M -o "$out/$peer-$job.peak" bash -c "$command" >"$out/$peer-$job.log" 2>&1; then
      failed "$peer" "$job"
      continue
    fi
    [[ $peer == presswork ]] && cp "$out/presswork/bench-$job/"*.png "$out/presswork-$job.png"
    # Angles of a tumbling wrap are each program's own.
    if [[ $peer != presswork && $peer != floor && $job != wrap-tumble ]]; then
      # shellcheck disable=SC2086 # a word for each layer
      if ! "$bin/examples/alike" "$out/presswork-$job.png" "$out/$peer-$job.png" $layers >"$out/$peer-$job.alike" 2>"$out/$peer-$job.unlike"; then
        echo "$peer's $job is not the same picture:" >&2
        cat "$out/$peer-$job.unlike" >&2
        touch "$out/$peer-$job.differs"
      fi
    fi
  done
done
for package in sharp @napi-rs/canvas; do
  name=start-${package##*/}
  timed "$name" "$runs" "node $here/start.mjs $package" || { cat "$out/$name.log" >&2; exit 1; }
done
node "$here/report.mjs" "$out" "$jobs" "$peers"
