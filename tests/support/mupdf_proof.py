"""One page of a PDF as MuPDF shows it, stretched to so many pixels: FILE PAGE WIDTH HEIGHT OUT."""

import sys

import pymupdf

source, number, width, height, out = sys.argv[1:]
pymupdf.TOOLS.set_icc(True)
pymupdf.TOOLS.set_aa_level(8)
page = pymupdf.open(source)[int(number) - 1]
box = page.rect
matrix = pymupdf.Matrix(int(width) / box.width, int(height) / box.height)
picture = page.get_pixmap(matrix=matrix, colorspace=pymupdf.csRGB, alpha=False)
assert (picture.width, picture.height) == (int(width), int(height)), (picture.width, picture.height)
picture.save(out)
