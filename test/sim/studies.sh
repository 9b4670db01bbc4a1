#!/bin/sh
# SPDX-License-Identifier: MIT
# The commands that study earlier work, from the command line: keys and columns, what is refused,
# and that equal inputs give equal output.
#
#	studies.sh POISE-SIM
set -eu

sim=$1
# shellcheck source=test/sim/lib.sh
. test/sim/lib.sh

for command in workloads sigma estimate series; do
	good "$command --help" "usage: poise-sim $command" $command --help
	good "$command --version" '^poise-sim [0-9]' $command --version
	bad "$command: unknown option" nonsense $command --nonsense
	good "help names $command" "^  $command " help
done

# --- scenarios with workloads and with sums of loads ---

vm='name = "x"; total = 128; seconds = 5; vms = ( { name = "a"; boot = 64; min = 50; load = '
idle='{ kind = "idle"; low = 4; }'

# scenario NAME LOAD [MORE]: a small one.
scenario() {
	printf '%s\n%s\n; } );\n%s\n' "$vm" "$2" "${3-}" >"$dir/$1"
}

scenario good.cfg "$idle" 'workloads = (
	{ name = "still"; load = { kind = "idle"; low = 4; }; },
	{ name = "busy"; load = { kind = "sum"; of = ( { kind = "spike"; low = 50; high = 90; },
		{ kind = "stream"; low = 8; } ); }; } );'
scenario plain.cfg "$idle"
scenario sum-of-sums.cfg "{ kind = \"sum\"; of = ( $idle,
	{ kind = \"sum\"; of = ( $idle ); } ); }"
scenario sum-of-sweeps.cfg '{ kind = "sum"; of = (
	{ kind = "sweep"; low = 9; } ); }'
scenario sum-of-nothing.cfg '{ kind = "sum";
	of = ( ); }'
scenario sum-of-numbers.cfg '{ kind = "sum"; of = (
	3 ); }'
scenario sum-touch.cfg '{ kind = "sum"; of = (
	{ kind = "idle"; low = 4;
	touch = 3; } ); }'
scenario of.cfg '{ kind = "idle"; low = 4;
	of = ( ); }'
scenario workloads.cfg "$idle" 'workloads = "many";'
scenario workload.cfg "$idle" "workloads = (
	$idle );"
scenario nameless.cfg "$idle" "workloads = (
	{ load = $idle; } );"

bad 'sum: of sums' 'sum-of-sums.cfg:3: a sum is of' run --scenario "$dir/sum-of-sums.cfg"
bad 'sum: of sweeps' 'sum-of-sweeps.cfg:3: a sum is of' run --scenario "$dir/sum-of-sweeps.cfg"
bad 'sum: of nothing' 'sum-of-nothing.cfg:3: of has to be a list' \
	run --scenario "$dir/sum-of-nothing.cfg"
bad 'sum: of numbers' 'sum-of-numbers.cfg:3: a load has to be' \
	run --scenario "$dir/sum-of-numbers.cfg"
bad 'sum: a setting of the whole' 'sum-touch.cfg:4: .*touch' run --scenario "$dir/sum-touch.cfg"
bad 'of without a sum' 'of.cfg:3: only a sum' run --scenario "$dir/of.cfg"
bad 'workloads: no list' 'workloads.cfg:4: workloads has to be a list' \
	run --scenario "$dir/workloads.cfg"
bad 'workloads: unknown setting' 'workload.cfg:5: ' run --scenario "$dir/workload.cfg"
bad 'workloads: no name' 'nameless.cfg:5: ' run --scenario "$dir/nameless.cfg"

# --- workloads ---

good 'workloads: table' '^busy ' workloads --scenario "$dir/good.cfg"
good 'workloads: other policies' '"policy": "equal"' \
	workloads --scenario "$dir/good.cfg" --policy equal --json
for key in '"workload": "busy"' '"static": {' '"best": {' '"balanced": {' '"stall_ms"' '"refault"' \
	'"others_swap_out"' '"reduction_percent": null'; do
	good "workloads: $key" "$key" workloads --scenario "$dir/good.cfg" --json
done
good 'run: a workload' swap-out run --scenario "$dir/good.cfg" --workload busy
bad 'run: no such workload' 'good.cfg: no workload lazy' run --scenario "$dir/good.cfg" --workload lazy
bad 'workloads: none there' 'plain.cfg: it has no list of workloads' \
	workloads --scenario "$dir/plain.cfg"
bad 'workloads: no scenario' '--scenario is missing' workloads
bad 'workloads: no such policy' 'nobody' workloads --scenario "$dir/good.cfg" --policy nobody
bad 'workloads: seed' 'seed' workloads --scenario "$dir/good.cfg" --seed -1

# --- sigma ---

for key in '"unmanaged_work"' '"threshold": 0.0' '"loss_percent": 3.0' '"mean_pages"' '"sigma": 0.5'; do
	good "sigma: $key" "$key" sigma --scenario "$dir/plain.cfg" --loss 3 --step 0.25 --json
done
good 'sigma: what was found' '^a: sigma 0.000 or more loses no more than 5 %' \
	sigma --scenario "$dir/plain.cfg" --to 0.1 --step 0.1
bad 'sigma: no scenario' '--scenario is missing' sigma
bad 'sigma: step 0' 'step' sigma --scenario "$dir/plain.cfg" --step 0
bad 'sigma: above 1' 'to' sigma --scenario "$dir/plain.cfg" --to 1.5
bad 'sigma: from above to' 'from' sigma --scenario "$dir/plain.cfg" --from 0.9
bad 'sigma: text' 'loss' sigma --scenario "$dir/plain.cfg" --loss much
bad 'sigma: feedback' 'feedback' sigma --scenario "$dir/plain.cfg" --feedback -1
bad 'sigma: no such file' 'nowhere.cfg: ' sigma --scenario "$dir/nowhere.cfg"
bad 'sigma: unexpected' 'unexpected' sigma --scenario "$dir/plain.cfg" more

# --- estimate ---

for key in '"estimator": "dirty"' '"estimator": "accessed"' '"sample": "all"' '"sample": "7"' '"truth"' \
	'"error_percent"' '"probes"' '"intervals": 5'; do
	good "estimate: $key" "$key" estimate --scenario "$dir/plain.cfg" --period 1 --samples 7,all --json
done
good 'estimate: table' '^a .* accessed .* 7 ' estimate --scenario "$dir/plain.cfg" --period 1 --samples 7
bad 'estimate: no scenario' '--scenario is missing' estimate
bad 'estimate: sample 0' 'samples' estimate --scenario "$dir/plain.cfg" --samples 0
bad 'estimate: nothing between commas' 'samples' estimate --scenario "$dir/plain.cfg" --samples 1,,2
bad 'estimate: too many' 'samples' \
	estimate --scenario "$dir/plain.cfg" --samples 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17
bad 'estimate: period' 'period' estimate --scenario "$dir/plain.cfg" --period 61

# --- the two paths of policy cagma, by the command that the README names ---

good 'cagma: compared' '^cagma:emergency=0 ' compare --scenario test/scenario/launches.cfg \
	--policies cagma,cagma:emergency=0

# --- lru ---

good 'lru: keys' '"sequence"' lru --frames 16 --strategy total --json test/study/wu1.txt
good 'lru: sweep keys' '"every": 10' lru --frames 16 --sweep --json test/study/wu1.txt
good 'lru: table 2, its last line' '^10 6 0 2 6 14$' lru --frames 16 --sweep test/study/wu1.txt
good 'lru: a miss sequence' '^Page miss sequence of VM-0: 0 0 0 0 1 1 1 1 1 1 $' \
	lru --frames 16 --strategy static test/study/wu1.txt
{ printf '1\n20001'; yes ' 1' | head -n 20001; } >"$dir/long"
bad 'lru: too long for a sweep' 'long: a list is too long' lru --frames 4 --sweep "$dir/long"
good 'lru: not too long to run' ' 0 of 20001 = 0.000' lru --frames 4 --strategy static "$dir/long"

# --- series ---

"$sim" run --scenario test/scenario/hoarder.cfg --record "$dir/record" >/dev/null
good 'series: columns' '^run,policy,t_ms,vm,size,target,swap_used,swap_out,swap_in$' series "$dir/record"
good 'series: the last tick' '^1,poise,239000,1,' series "$dir/record"
bad 'series: no such file' 'nowhere: ' series "$dir/nowhere"
bad 'series: no recording' 'plain.cfg:1: does not start with' series "$dir/plain.cfg"
sed '2d' "$dir/record" >"$dir/headless"
bad 'series: no init' 'headless:2: an event before init' series "$dir/headless"
sed '2s/policy=poise/policy=best/' "$dir/record" >"$dir/policy"
bad 'series: no such policy' 'policy:2: ' series "$dir/policy"
sed '/ sample /s/vm=0/vm=4000000000/' "$dir/record" >"$dir/number"
bad 'series: no such VM' 'number:[0-9]*: ' series "$dir/number"
sed '0,/ tick /s/ tick at=/ tick at=x/' "$dir/record" >"$dir/text"
bad 'series: text for a number' 'text:[0-9]*: ' series "$dir/text"
head -n 1 "$dir/record" >"$dir/empty"
bad 'series: nothing in it' 'empty:2: no run' series "$dir/empty"

# Runs one after the other, as the board records them, count their time from 0 each.
{ cat "$dir/record"; tail -n +2 "$dir/record"; } >"$dir/two"
good 'series: two runs' '^2,poise,0,0,' series "$dir/two"

# --- equal inputs ---

same() {
	name=$1
	shift
	"$sim" "$@" >"$dir/log.first"
	"$sim" "$@" >"$dir/log.second"
	code=0
	cmp -s "$dir/log.first" "$dir/log.second" || code=1
	result "$name" "$code"
}
same 'workloads: the same twice' workloads --scenario "$dir/good.cfg" --json
same 'sigma: the same twice' sigma --scenario "$dir/good.cfg" --step 0.25 --json
same 'estimate: the same twice' estimate --scenario "$dir/good.cfg" --period 1 --samples 50 --json
