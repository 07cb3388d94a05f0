#!/usr/bin/env bash
# Fills DIR (benches/assets unless told) with the pictures that benches/jobs/*.json name, made
# from Debian's photos and clipart, and installs the peers beside this script.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:-$here/../assets}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

# ImageMagick asks rsvg-convert for SVG. The peers come built; presswork does not.
packages=(mate-backgrounds openclipart-svg imagemagick librsvg2-bin hyperfine nodejs npm time chromium ca-certificates build-essential)
missing=()
for package in "${packages[@]}"; do
  # A Node.js from elsewhere will do, with its npm.
  [[ $package == nodejs ]] && command -v node >/dev/null && continue
  [[ $package == npm ]] && command -v npm >/dev/null && continue
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if ((${#missing[@]})); then
  root=()
  if ((EUID != 0)); then root=(sudo); fi
  "${root[@]}" apt-get update -q
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
fi
hash -r
# What sharp and the AWS SDK ask for; Debian 12 has 18.
if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 9) ? 0 : 1)'; then
  echo "Node.js is $(node --version), and the peers need 20.9 or newer: 'npm install -g node@22' as root installs one" \
    "beside Debian's, as nvm and the project's own archives do; then run this again" >&2
  exit 1
fi
command -v cargo >/dev/null || { echo "cargo is missing: the peers get the font that presswork builds in" >&2; exit 1; }

photos=/usr/share/backgrounds/mate
# Twelve megapixels, baseline, 4:2:0, as phones write them.
convert $photos/abstract/Elephants_5640x3172.jpg -gravity center -crop 4229x3172+0+0 +repage \
  -resize '4032x3024!' -strip -interlace none -sampling-factor 4:2:0 -quality 90 "$dir/photo.jpg"
# Four of 2560 x 1600, as they come.
cp $photos/nature/Garden.jpg "$dir/mug-a.jpg"
cp $photos/nature/TwoWings.jpg "$dir/mug-b.jpg"
cp $photos/nature/LadyBird.jpg "$dir/mug-c.jpg"
cp $photos/nature/YellowFlower.jpg "$dir/mug-d.jpg"
# A round cut-out with a soft edge.
convert $photos/nature/LadyBird.jpg -gravity center -crop 1200x1200+0+0 +repage -resize '600x600!' \
  \( -size 600x600 xc:black -fill white -draw 'ellipse 300,300 260,290 0,360' -blur 0x2 \) \
  -alpha off -compose CopyOpacity -composite -depth 8 -strip PNG32:"$dir/face.png"
# With a viewBox, without which librsvg enlarges the canvas and not the drawing.
sed 's/<svg height="340pt"/<svg viewBox="0 0 457.333 453.333" height="340pt"/' \
  /usr/share/openclipart/svg/animals/bugs/butterfly_jonvdveen_01.svg >"$dir/art.svg"

# The very font that presswork builds in, for the peers too.
manifest=$(cargo metadata --manifest-path "$here/../../Cargo.toml" --locked --format-version 1 |
  node -e 'const m = JSON.parse(require("fs").readFileSync(0)); console.log(m.packages.find((p) => p.name === "typst-assets").manifest_path)')
cp "$(dirname "$manifest")/files/fonts/LibertinusSerif-Bold.otf" "$dir/"
printf '<fontconfig><dir>%s</dir><cachedir>%s/fontcache</cachedir></fontconfig>\n' "$dir" "$dir" >"$dir/fonts.conf"

# The versions of package-lock.json, and no others.
(cd "$here" && npm ci --no-audit --no-fund)
# What run.sh compares, to see whether pictures and peers are of this very script.
cat "$here/setup.sh" "$here/package-lock.json" | sha256sum >"$dir/.made"
