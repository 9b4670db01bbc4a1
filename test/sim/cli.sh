#!/bin/sh
# SPDX-License-Identifier: MIT
# poise-sim's command line: what is wrong gets one line on stderr and exit 2, and changes nothing;
# what is right has the keys that others rely on.
#
#	cli.sh POISE-SIM
set -eu

sim=$1
# shellcheck source=test/sim/lib.sh
. test/sim/lib.sh
traces=test/traces
scenario=test/scenario/hoarder.cfg

for command in run compare predict lru replay validate; do
	good "$command --help" 'usage: poise-sim' $command --help
	good "$command --version" '^poise-sim [0-9]' $command --version
	bad "$command: unknown option" nonsense $command --nonsense
done
good help 'predict' help
bad 'no command' 'no command'
bad 'unknown command' 'fly' fly

head -n 40 $traces/p_web_u.csv | sed '30s/,[0-9]*,/,many,/' >"$dir/text.csv"
head -n 40 $traces/p_web_u.csv | sed '30s/,[0-9]*,/,1000000000,/' >"$dir/large.csv"
head -n 40 $traces/p_web_u.csv | sed '30s/,[0-9]*,/,-4,/' >"$dir/negative.csv"
head -n 40 $traces/p_web_u.csv | sed '30s/^[0-9]*,/3,/' >"$dir/back.csv"
sed 's/,cpu_ms//' $traces/p_num_u.csv >"$dir/column.csv"
: >"$dir/empty.csv"
bad 'trace: text for a number' 'text.csv:30: not a number' predict --alpha 0.5 "$dir/text.csv"
bad 'trace: 10^9 in a field' 'large.csv:30: ' predict --alpha 0.5 "$dir/large.csv"
bad 'trace: negative' 'negative.csv:30: negative' predict --alpha 0.5 "$dir/negative.csv"
bad 'trace: time goes back' 'back.csv:30: time' predict --alpha 0.5 "$dir/back.csv"
bad 'trace: missing column' 'column.csv:[0-9]*: missing column cpu_ms' \
	predict --alpha 0.5 "$dir/column.csv"
bad 'trace: empty' 'empty.csv: empty' predict --alpha 0.5 "$dir/empty.csv"
bad 'trace: not there' 'nowhere.csv: ' predict --alpha 0.5 "$dir/nowhere.csv"
bad 'trace: a folder' "$dir: " predict --alpha 0.5 "$dir"
bad 'alpha: 0' 'alpha' predict --alpha 0 $traces/p_web_u.csv
bad 'alpha: above 1' 'alpha' predict --alpha 1.5 $traces/p_web_u.csv
bad 'alpha: text' 'alpha' predict --alpha half $traces/p_web_u.csv
bad 'basis' 'basis' predict --alpha 0.5 --basis rumour $traces/p_web_u.csv
bad 'total: too small' 'web_u.csv: row' predict --alpha 0.5 --total 10 $traces/p_web_u.csv

printf '2\n3 0 1 2\n3 0 x 2\n' >"$dir/pages"
bad 'pages: text for a number' 'pages:3: not a number' lru --frames 4 --strategy static "$dir/pages"
bad 'frames: 0' 'frames' lru --frames 0 --strategy static "$dir/pages"
bad 'strategy' 'strategy' lru --frames 4 --strategy guess "$dir/pages"
bad 'strategy: recent:0' 'recent' lru --frames 4 --strategy recent:0 "$dir/pages"

printf 'name = "x";\ntotal = 64;\nseconds = 1;\nvms = ( 3 );\n' >"$dir/vms.cfg"
bad 'scenario: line of the mistake' 'vms.cfg:4: ' run --scenario "$dir/vms.cfg"
# A right scenario with a line more.
at_end() {
	{
		cat test/scenario/hoarder.cfg
		echo "$2"
	} >"$dir/wrong.cfg"
	bad "scenario: $1" "wrong.cfg:[0-9]*: $3" run --scenario "$dir/wrong.cfg"
}
at_end 'event of no VM' 'events = ( { at = 1; kind = "reset"; } );' 'vm is missing'
at_end 'event of nobody' 'events = ( { at = 1; kind = "reset"; vm = "x"; } );' 'no VM has'
at_end 'events back in time' 'events = ( { at = 2; kind = "burst"; }, { at = 1; kind = "burst"; } );' 'events have to be in'
at_end 'event of no kind' 'events = ( { at = 1; } );' 'kind is missing'
at_end 'event without time' 'events = ( { kind = "burst"; } );' 'at is missing'
at_end 'events that are none' 'events = 3;' 'has to be a list'
at_end 'pool without a size' 'events = ( { at = 1; kind = "pool"; } );' 'total is missing'
at_end 'limits the wrong way round' \
	'events = ( { at = 1; kind = "limits"; vm = "starved"; min = 300; max = 200; } );' 'sizes have to be min <= max'
at_end 'unknown way of a call' 'port = ( { way = "somehow"; } );' 'way has to be one of'
at_end '10^9 in a field' 'jitter = 1000000000;' 'jitter has to be in'
at_end 'twice the same setting' 'total = 3;' 'duplicate'
at_end 'text for a number' 'step_ms = "ten";' 'step_ms has to be a number'
at_end 'negative' 'interval_ms = -100;' 'interval_ms has to be in'
: >"$dir/nothing.cfg"
bad 'scenario: empty' 'nothing.cfg:[0-9]*: name is missing' run --scenario "$dir/nothing.cfg"
head -c 1100000 /dev/zero | tr '\0' '1' >"$dir/line.cfg"
bad 'scenario: a line of a megabyte' 'line.cfg: longer' run --scenario "$dir/line.cfg"
bad 'trace: a line of a megabyte' 'line.cfg:1: ' predict --alpha 0.5 "$dir/line.cfg"
bad 'pages: a line of a megabyte' 'line.cfg:1: ' lru --frames 4 --strategy static "$dir/line.cfg"
bad 'recording: a line of a megabyte' 'line.cfg:1: ' replay "$dir/line.cfg"
rm "$dir/line.cfg" "$dir/wrong.cfg" "$dir/nothing.cfg"
bad 'scenario: not there' 'nowhere.cfg: ' run --scenario "$dir/nowhere.cfg" --record "$dir/r"
bad 'policy: none of that name' 'nobody' run --scenario $scenario --policy nobody --record "$dir/r"
bad 'policies: empty name' 'policies' compare --scenario $scenario --policies poise,,paper
mkdir "$dir/empty"
bad 'compare: a folder without scenarios' "empty: no scenario" compare --scenario "$dir/empty" --policies static
bad 'compare: a wrong scenario in a folder' 'vms.cfg:4: ' compare --scenario "$dir" --policies static
bad 'compare: no scenario' 'scenario' compare --policies static
bad 'jobs: 0' 'jobs' compare --scenario $scenario --policies static --jobs 0
bad 'seed: text' 'seed' run --scenario $scenario --seed lucky
bad 'record: no such folder' 'nowhere' run --scenario $scenario --record "$dir/nowhere/r"
bad 'replay: no recording' 'text.csv:1: ' replay "$dir/text.csv"

good 'predict: keys' '"mean_abs"' predict --alpha 0.75 --basis resident --json $traces/p_web_512.csv
good 'compare: keys' '"relief_ms_worst"' compare --scenario $scenario --policies static --json
good 'compare: a set' '"over_oracle"' compare --scenario $scenario --scenario test/scenario/stuck.cfg \
	--policies static,oracle --json
good 'compare: each of a set' '^stuck, 240 s' compare --scenario $scenario \
	--scenario test/scenario/stuck.cfg --policies static --each --jobs 3
good 'run: records' 'swap-out' run --scenario $scenario --record "$dir/record" --series "$dir/series"
good 'replay: no difference' 'no difference' replay "$dir/record"
sed '0,/ plan vm=0 .*goal=/s/\( plan vm=0 .*goal=\)/\19/' "$dir/record" >"$dir/forged"
code=0
"$sim" replay "$dir/forged" >"$dir/log.out" || code=$?
[ "$code" -eq 1 ] && grep -q 'recorded:' "$dir/log.out" && ok=0 || ok=1
result 'replay: names the first difference' "$ok"
