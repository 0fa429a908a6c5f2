# report.jq: raw.jsonl as a page of Markdown.
include "figures";

def spread: if length == 0 then "-" else "\(quantile(0.5) | short) (\(min | short) to \(max | short))" end;

def allowed:
  if .form == "most" then "at most \(.target | short) \(.unit)"
  elif .target > 1 then "at least \(.target | short)x"
  elif .target == 1 then "ahead"
  else "at most \(1 / .target | short)x as much" end;

def outcome:
  if .figure == null then "-"
  elif .form == "most" then "\(.figure | short) \(.unit)"
  else "**\(.figure | short)x** (\(.low | short) to \(.high | short))" end;

def side($subject; $values; $unit):
  if $subject == null then "-" else "\($subject | spoken): \($values | spread) \($unit)" end;

def line:
  "| \(.what) | \(side(.subject; .mine; .unit)) | \(side(.rival; .theirs; .unit)) | \(outcome) | \(allowed) | \(.verdict) |";

def percent: "\(. * 1000 | round | . / 10) %";

def noise($lines; $row):
  $lines | map(select(.kind == "noise" and .row == $row)) | last
  | if . == null then "" else " Others took \(.others | percent) of the CPUs meanwhile, the host \(.stolen | percent)." end;

def section($lines; $claims):
  "## \(.title)\n\n\(.how | gsub("\\s+"; " "))\(noise($lines; .row))\n\n"
  + "| what | this | instead | figure | to reach | |\n| --- | --- | --- | --- | --- | --- |\n"
  + (.row as $row | $claims | map(select(.row == $row) | line) | join("\n")) + "\n";

. as $lines | claims as $claims
| (map(select(.kind == "machine")) | last) as $machine
| "# What seadog costs, and what one would use instead\n\n"
  + "\($machine.date), \($machine.length) run; \($machine.cpus) CPUs \($machine.cpu), \($machine.memory), Linux \($machine.kernel).\n"
  + "Medians of rounds that took turns, lowest to highest in parentheses; a figure is made within one round.\n\n"
  + ($machine.versions | map("- \(.)") | join("\n")) + "\n\n"
  + (map(select(.kind == "row")) | map(section($lines; $claims)) | join("\n"))
