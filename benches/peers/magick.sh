#!/usr/bin/env bash
# A job by ImageMagick: magick.sh JOB ASSETS OUT.png
set -euo pipefail
job=$1 assets=$2 out=$3
# Annotations hang from the top of the line: their baseline is the ascent, 376 and 179 px, further down. Letters stand
# on whole pixels, which makes the shirt's line 5 px wider than the font has it: a negative kerning takes them back.
export MAGICK_CONFIGURE_PATH="$(cd "$(dirname "$0")" && pwd)/magick"
font=$assets/LibertinusSerif-Bold.otf
case $job in
  tee)
    convert -size 4500x5400 xc:none \
      \( "$assets/photo.jpg" -filter Lanczos -resize '3900x2925!' \
         \( -size 3900x2925 xc:black -fill white -draw 'roundrectangle 0,0 3899,2924 150,150' \) \
         -alpha off -compose CopyOpacity -composite \) -compose over -geometry +300+300 -composite \
      -font $font -pointsize 420 -kerning -0.26 -gravity north -stroke white -strokewidth 24 -annotate -1+3330 'Happy Birthday Grace' \
      -stroke none -fill '#ff69b4' -annotate -1+3330 'Happy Birthday Grace' \
      -gravity northwest \( -background none "$assets/art.svg" -resize 1400x1400 \) -geometry +1550+3906 -composite \
      -density 300 -units PixelsPerInch "$out" ;;
  mug)
    convert -size 2700x1105 xc:'#fdf6ec' \
      \( "$assets/mug-a.jpg" -resize 560x560^ -gravity center -extent 560x560 \) -gravity northwest -geometry +100+100 -composite \
      \( "$assets/mug-b.jpg" -resize 560x560^ -gravity center -extent 560x560 \) -gravity northwest -geometry +750+100 -composite \
      \( "$assets/mug-c.jpg" -resize 560x560^ -gravity center -extent 560x560 \) -gravity northwest -geometry +1400+100 -composite \
      \( "$assets/mug-d.jpg" -resize 560x560^ -gravity center -extent 560x560 \) -gravity northwest -geometry +2050+100 -composite \
      -font $font -pointsize 200 -gravity north -fill '#2a4858' -annotate +0+756 'Four of us, one mug' \
      -density 300 -units PixelsPerInch "$out" ;;
  wrap)
    # A tile keeps no transparency: it is laid on the ground first.
    convert "$assets/face.png" -background '#8ecae6' -flatten -write mpr:face +delete \
      -size 7200x10800 tile:mpr:face \
      -density 300 -units PixelsPerInch "$out" ;;
  *)
    echo "ImageMagick has no job $job" >&2
    exit 2 ;;
esac
