# picture.jq: raw.jsonl as a picture: how many times better than what one would use instead, on a logarithmic scale.
include "figures";

def width: 860;
def left: 390;
def right: 780;
def top: 64;
def step: 26;
def decades: 4; # 1x is a quarter of a decade from the left

def clamp($low; $high): if . < $low then $low elif . > $high then $high else . end;
def x: (log10 + 0.4) / (decades + 0.4) * (right - left) + left | clamp(left; right) | . * 10 | round | . / 10;
def escaped: gsub("&"; "&amp;") | gsub("<"; "&lt;") | gsub(">"; "&gt;");

def style: "
  text { font: 13px system-ui, sans-serif; fill: #59636e }
  .title { font-size: 16px; font-weight: 600 } .small { font-size: 11px } .end { text-anchor: end } .mid { text-anchor: middle }
  .grid { stroke: #8b949e; stroke-opacity: .3 } .one { stroke: #8b949e }
  .range { stroke-width: 6; stroke-linecap: round; stroke-opacity: .35 } .goal { stroke: #8b949e; stroke-width: 2 }
  .reached { fill: #1a7f8e; stroke: #1a7f8e } .missed { fill: #c4632d; stroke: #c4632d } .noisy { fill: #8b949e; stroke: #8b949e }
  .value { font-weight: 600 }
  @media (prefers-color-scheme: dark) { text { fill: #9da7b3 }
    .reached { fill: #3fb6c6; stroke: #3fb6c6 } .missed { fill: #e58a56; stroke: #e58a56 } }";

def tick($height):
  "<line class=\"\(if . == 1 then "one" else "grid" end)\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(top - 14)\" y2=\"\($height - 34)\"/>"
  + "<text class=\"small mid\" x=\"\(x)\" y=\"\($height - 20)\">\(.)x</text>";

def class: if .verdict == "reached" then "reached" elif .verdict == "missed" then "missed" else "noisy" end;

def bar($y):
  "<text class=\"end\" x=\"\(left - 12)\" y=\"\($y + 4)\">\(.label | escaped)</text>"
  + "<line class=\"goal\" x1=\"\(.target | x)\" x2=\"\(.target | x)\" y1=\"\($y - 8)\" y2=\"\($y + 8)\"/>"
  + "<line class=\"range \(class)\" x1=\"\(.low | x)\" x2=\"\(.high | x)\" y1=\"\($y)\" y2=\"\($y)\"/>"
  + "<circle class=\"\(class)\" cx=\"\(.figure | x)\" cy=\"\($y)\" r=\"5\"/>"
  + "<text class=\"value\" x=\"\(right + 12)\" y=\"\($y + 4)\">\(.figure | short)x</text>";

(map(select(.kind == "row")) | map({key: .row, value: .title}) | from_entries) as $titles
| (map(select(.kind == "machine")) | last) as $machine
| [claims[] | select(.form != "most" and .figure != null)
   | .label = "\(.brief // .what) vs \(.rival | spoken)"] as $bars
| (top + step * ($bars | length) + 40) as $height
| "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(width) \($height)\" role=\"img\""
  + " aria-label=\"seadog against what one would use instead\">\n<style>\(style)</style>\n"
  + "<text class=\"title\" x=\"16\" y=\"26\">seadog against what one would use instead: how many times better</text>\n"
  + ([1, 10, 100, 1000, 10000] | map(tick($height)) | join("\n")) + "\n"
  + ([$bars | to_entries[] | .key as $i | .value | bar(top + step * $i + 6)] | join("\n")) + "\n"
  + "<text class=\"small\" x=\"16\" y=\"\($height - 4)\">dot: median of the rounds; bar: lowest to highest; upright mark: what was to be reached. "
  + "\($machine.cpus) CPUs, \($machine.date)</text>\n</svg>"
