# SPDX-License-Identifier: MIT
# What all figures have in common. `figure` is the file to write.
if (!exists("wide")) wide = 960
if (!exists("high")) high = 640
set encoding utf8
set terminal svg size wide, high dynamic background "white" font "sans,12"
set output figure
set border 3
set tics nomirror out
set grid y linecolor "#dddddd"
set key top left reverse Left samplen 2
set datafile missing "-"
# Colours that people with colour-blindness tell apart.
blue = "#0072b2"
orange = "#e69f00"
green = "#009e73"
red = "#d55e00"
grey = "#999999"
violet = "#cc79a7"
set linetype 1 linecolor rgb blue linewidth 1.5
set linetype 2 linecolor rgb orange linewidth 1.5
set linetype 3 linecolor rgb green linewidth 1.5
set linetype 4 linecolor rgb red linewidth 1.5
set linetype 5 linecolor rgb violet linewidth 1.5
set linetype 6 linecolor rgb grey linewidth 1.5
set linetype cycle 6
set style fill solid 0.85 noborder
mib(pages) = pages / 256.0
