# picture.jq: raw.jsonl as a picture: how many times better than what one would use instead, on a logarithmic scale, row by
# row. What is held against a limit of nature or against nobody is no rival's, and stands in the table alone.
include "figures";

def width: 940;
def left: 430;
def right: 850;
def top: 78;
def step: 24;
def decades: 4; # 1x is four tenths of a decade from the left

def clamp($low; $high): if . < $low then $low elif . > $high then $high else . end;
def x: (log10 + 0.4) / (decades + 0.4) * (right - left) + left | clamp(left; right) | . * 10 | round | . / 10;
def escaped: gsub("&"; "&amp;") | gsub("<"; "&lt;") | gsub("->"; "→") | gsub(">"; "&gt;");

# It has a ground of its own: whoever shows it may be dark where the reader's system is light.
def style: "
  .ground { fill: #ffffff; stroke: #d1d9e0 } text { font: 13px system-ui, sans-serif; fill: #3d444d }
  .title { font-size: 17px; font-weight: 600 } .row { font-weight: 600 } .small { font-size: 11px; fill: #59636e }
  .end { text-anchor: end } .mid { text-anchor: middle }
  .grid { stroke: #8b949e; stroke-opacity: .25 } .one { stroke: #8b949e }
  .range { stroke-width: 7; stroke-linecap: round; stroke-opacity: .35 } .goal { stroke: #3d444d; stroke-width: 2 }
  .reached { fill: #1a7f8e; stroke: #1a7f8e } .missed { fill: #c4632d; stroke: #c4632d } .noisy { fill: #8b949e; stroke: #8b949e }
  .value { font-weight: 600 }
  @media (prefers-color-scheme: dark) { .ground { fill: #0d1117; stroke: #30363d } text { fill: #d1d7e0 }
    .small { fill: #9198a1 } .goal { stroke: #d1d7e0 }
    .reached { fill: #3fb6c6; stroke: #3fb6c6 } .missed { fill: #e58a56; stroke: #e58a56 } }";

def tick($height):
  "<line class=\"\(if . == 1 then "one" else "grid" end)\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(top - 14)\" y2=\"\($height - 34)\"/>"
  + "<text class=\"small mid\" x=\"\(x)\" y=\"\(top - 20)\">\(if . == 1 then "as good" else "\(.)x" end)</text>";

def class: if .verdict == "reached" then "reached" elif .verdict == "missed" then "missed" else "noisy" end;

def row($y): "<text class=\"row\" x=\"20\" y=\"\($y + 5)\">\(escaped)</text>";

def bar($y):
  "<text class=\"end\" x=\"\(left - 14)\" y=\"\($y + 4)\">\(.label | escaped)</text>"
  + "<line class=\"goal\" x1=\"\(.target | x)\" x2=\"\(.target | x)\" y1=\"\($y - 8)\" y2=\"\($y + 8)\"/>"
  + "<line class=\"range \(class)\" x1=\"\(.low | x)\" x2=\"\(.high | x)\" y1=\"\($y)\" y2=\"\($y)\"/>"
  + "<circle class=\"\(class)\" cx=\"\(.figure | x)\" cy=\"\($y)\" r=\"5\"/>"
  + "<text class=\"value\" x=\"\(right + 12)\" y=\"\($y + 4)\">\(.figure | short)x</text>";

# The titles of rows, each with its bars below it.
def lines($rows):
  map(select(.form != "most" and .target >= 1 and .figure != null) | .label = "\(.what) vs \(.rival | spoken)")
  | . as $bars
  | [$rows[] | .row as $row | ($bars | map(select(.row == $row))) as $mine | select($mine | length > 0)
     | {title}, $mine[]];

(map(select(.kind == "row"))) as $rows
| (map(select(.kind == "machine")) | last) as $machine
| (claims | lines($rows)) as $lines
| (top + step * ($lines | length) + 44) as $height
| "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(width) \($height)\" role=\"img\""
  + " aria-label=\"seadog against what one would use instead\">\n<style>\(style)</style>\n"
  + "<rect class=\"ground\" x=\"0.5\" y=\"0.5\" width=\"\(width - 1)\" height=\"\($height - 1)\" rx=\"8\"/>\n"
  + "<text class=\"title\" x=\"20\" y=\"30\">seadog against what one would use instead: how many times better</text>\n"
  + ([1, 10, 100, 1000, 10000] | map(tick($height)) | join("\n")) + "\n"
  + ([$lines | to_entries[] | (top + step * .key + 6) as $y | .value
      | if .title then .title | row($y) else bar($y) end] | join("\n")) + "\n"
  + "<text class=\"small\" x=\"20\" y=\"\($height - 12)\">dot: median of the rounds; bar: lowest to highest; upright mark: what was to be reached. "
  + "\($machine.cpus) CPUs, \($machine.date)</text>\n</svg>"
