# figures.jq: from the lines of raw.jsonl to one object a claim. Included by report.jq and picture.jq.

def quantile($q):
  sort | if length == 0 then null else
    ((length - 1) * $q) as $at | ($at | floor) as $low | .[$low] as $value
    | $value + ((.[$low + 1] // $value) - $value) * ($at - $low)
  end;

def one($of):
  if $of == "median" then quantile(0.5)
  elif $of == "p99" then quantile(0.99)
  elif $of == "most" then max
  else add end;

def of_round($claim; $subject; $round):
  map(select(.kind == "values" and .row == $claim.row and .metric == $claim.metric and .subject == $subject
    and .round == $round) | .values | one($claim.of)) | first;

# What a round says of a claim: how many times better than the rival, or how much of what is allowed.
def figure($claim; $mine; $theirs):
  if $claim.form == "more" then $mine / $theirs
  elif $claim.form == "less" then $theirs / ([$mine, 1e-9] | max)
  else $mine - ($theirs // 0) end;

def pairs($claim):
  . as $lines
  | [.[] | select(.kind == "values" and .row == $claim.row and .subject == $claim.subject) | .round] | unique
  | map(. as $round | {
      mine: ($lines | of_round($claim; $claim.subject; $round)),
      theirs: (if $claim.rival then ($lines | of_round($claim; $claim.rival; $round)) else null end)
    } | select(.mine != null and ($claim.rival == null or .theirs != null))
      | .figure = figure($claim; .mine; .theirs));

# The worse and the better quarter of the rounds decide; where they disagree, nobody can tell. Of less than eight rounds
# a quarter is no more than a guess: there all must agree.
def verdict($claim):
  (if length < 8 then 0 else 0.25 end) as $worst
  | if length == 0 then "not measured"
  elif $claim.of == "sum" then if add <= $claim.target then "reached" else "missed" end
  elif $claim.form == "most" then
    if quantile(1 - $worst) <= $claim.target then "reached"
    elif quantile($worst) > $claim.target then "missed" else "too noisy to tell" end
  elif quantile($worst) >= $claim.target then "reached"
  elif quantile(1 - $worst) < $claim.target then "missed" else "too noisy to tell" end;

def claims:
  . as $lines
  | map(select(.kind == "claim") | . as $claim | ($lines | pairs($claim)) as $pairs | ($pairs | map(.figure)) as $figures
    | . + {
        rounds: ($pairs | length),
        mine: ($pairs | map(.mine)), theirs: ($pairs | map(.theirs // empty)),
        figure: (if $claim.of == "sum" then ($figures | add) else ($figures | quantile(0.5)) end),
        low: ($figures | min), high: ($figures | max),
        verdict: ($figures | verdict($claim))
      });

# Three digits that count.
def short:
  if . == null then "-"
  elif . == 0 then "0"
  else fabs as $size
    | if $size >= 1e6 then "\((. / 1e4 | round) / 100) M"
      elif $size >= 100 then "\(round)"
      elif $size >= 10 then "\((. * 10 | round) / 10)"
      elif $size >= 1 then "\((. * 100 | round) / 100)"
      else "\((. * 1000 | round) / 1000)" end
  end;

def spoken: gsub("_"; " ");
