#!/bin/bash
# Programs as probes, in the daemon as it is: verdicts, evidence, who runs them, a pool process that dies, a
# reload, and a stop that leaves nothing running. A machine that is busy may take as long as it likes: how often a
# program runs is compared with how often another one does, and with the time that it took.
. "$(dirname "$0")/../lib/scenario.sh"
interval_ms=600
nap="sleep 43210.$$" # nobody else's

server_is() # name health
{
	[ "$(ctl n1 --json status | jq -r ".virtual_servers[0].real_servers[] | select(.name == \"$1\").health")" = "$2" ]
}

runs()
{
	wc -l < "$LAB/runs/$1"
}

hangs()
{
	pgrep -f "^$nap" > /dev/null
}

one_hangs() # one that was killed may be seen for a moment beside its successor
{
	[ "$(pgrep -fc "^$nap")" -le 1 ]
}

has_run() # name times
{
	[ "$(runs "$1")" -ge "$2" ]
}

# No more often than its interval lets it, give or take one at each end.
no_storm() # runs since-ms
{
	[ "$1" -le $((($(date +%s%3N) - $2) / interval_ms + 2)) ]
}

programs_told()
{
	ctl n1 --json status | jq -e '.programs | .targets == 2 and .started > 4 and .queued == 0 and .local_errors == 0'
}

pool_conf() # weight
{
	conf 100 'prefer = "lb1"; standby = "hot";' "virtual_servers = ( { name = \"app\"; router = \"web\";
  listen = \"10.77.0.100:7000\";
  probe = { type = \"exec\"; command = [ \"$LAB/check\", \"two words\" ]; environment = [ \"RUNS=$LAB/runs\", \"NAP=$nap\" ];
    interval_ms = $interval_ms; timeout_ms = $((interval_ms - 10)); rise = 1; fall = 2; };
  real_servers = ( { name = \"r1\"; address = \"10.88.0.21:7000\"; weight = $1; },
                   { name = \"r2\"; address = \"10.88.0.22:7000\"; } ); } );"
}

lab_up
mkdir -m 777 "$LAB/runs"
chmod 755 "$LAB"
cat > "$LAB/check" <<'END'
#!/bin/sh
echo "$(id -un) $1 $TANDEM_ADDRESS $TANDEM_PORT" >> "$RUNS/$TANDEM_SERVER"
[ ! -e "$RUNS/hang.$TANDEM_SERVER" ] || $NAP
[ ! -e "$RUNS/fail.$TANDEM_SERVER" ] || { echo "no disk"; exit 3; }
END
chmod 755 "$LAB/check"
pool_conf 1
start_tandemd n1 "$LAB/tandem.conf"
wait_role n1 web active || exit 1
within 10 "programs say that servers are up" server_is r1 up
within 10 "each for itself" server_is r2 up
expect "run by nobody, with their arguments and server" \
	[ "$(head -1 "$LAB/runs/r1")" = "nobody two words 10.88.0.21 7000" ]
within 10 "the status has how it goes" programs_told
touch "$LAB/runs/fail.r1"
within 10 "one says down" logged n1 event=server server=r1 virtual=app from=up to=down reason=exec-failed detail=3
expect "with what it wrote" logged n1 event=server server=r1 'evidence="no disk"'
rm "$LAB/runs/fail.r1"
within 10 "and up again" logged n1 event=server server=r1 from=down to=up reason=ok
touch "$LAB/runs/hang.r2"
within 10 "one hangs and is killed" logged n1 event=server server=r2 from=up to=down reason=exec-timeout
before=$(runs r1)
within 30 "it is asked again all the same" has_run r2 $(($(runs r2) + 4))
expect "the other one goes on meanwhile" has_run r1 $((before + 2))
within 5 "no more than one of it runs" one_hangs
rm "$LAB/runs/hang.r2"
within 10 "it is back" logged n1 event=server server=r2 from=down to=up
pool_conf 2
kill -HUP "${LAB_DAEMON[n1]}"
within 10 "a reload that changes something else" logged n1 event=config reason=loaded generation=2
before=$(runs r1)
since_ms=$(date +%s%3N)
within 30 "leaves the program running" has_run r1 $((before + 4))
expect "in its rhythm" no_storm $(($(runs r1) - before)) "$since_ms"
expect "and is no result" [ "$(grep -c 'event=server server=r1 ' "$LAB/n1.syslog")" = 3 ]
kill -9 "$(process_pid n1 pool)"
within 15 "after a crash of the pool process they are asked again" server_is r1 up
touch "$LAB/runs/fail.r1"
within 10 "and heard" server_is r1 down
touch "$LAB/runs/hang.r2"
within 10 "one hangs" hangs
stop_node n1
within 5 "a stop leaves nothing running" not hangs
