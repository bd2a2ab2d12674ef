#!/bin/bash
# on_active, on_backup and on_fault: run in the order of the roles with the router, the role and
# the reason, on a hot and on a cold standby; a hook that hangs holds up no takeover.
. "$(dirname "$0")/../lib/scenario.sh"

# "role:router:reason" of every hook of a node so far, in order.
ran()
{
	tr '\n' ' ' < "$LAB/$1.hooks" 2> /dev/null
}

ran_is()
{
	[ "$(ran "$1")" = "$2" ] || { echo "$1 ran: $(ran "$1")" >&2; return 1; }
}

hooks()
{
	cat > "$LAB/hook" <<-END
	#!/bin/sh
	[ "\$TANDEM_ROUTER \$TANDEM_ROLE \$TANDEM_REASON" = "\$*" ] || echo "environment differs" >> "$LAB/n\${TANDEM_NODE#lb}.hooks"
	echo "\$2:\$1:\$3" >> "$LAB/n\${TANDEM_NODE#lb}.hooks"
	$1
	END
	chmod 755 "$LAB/hook"
	rm -f "$LAB"/n?.hooks
}

stop_both()
{
	stop_node n1
	stop_node n2
}

lab_up
for standby in hot cold; do
	hooks ""
	conf 100 "prefer = \"lb1\"; standby = \"$standby\"; on_active = \"$LAB/hook\"; on_backup = \"$LAB/hook\";
	  on_fault = \"$LAB/hook\";"
	pair
	within 2 "$standby: n1 ran on_backup, on_active" ran_is n1 "backup:web:started active:web:peer-silent "
	within 2 "$standby: n2 ran on_backup" ran_is n2 "backup:web:started "
	sleep 0.3
	cable_pull n1 eth0
	within 2 "$standby: n2 ran on_active" ran_is n2 "backup:web:started active:web:peer-silent "
	within 2 "$standby: n1 ran on_fault" ran_is n1 "backup:web:started active:web:peer-silent fault:web:carrier-lost "
	cable_plug n1 eth0
	within 5 "$standby: n1 ran on_backup again" ran_is n1 \
		"backup:web:started active:web:peer-silent fault:web:carrier-lost backup:web:fit-again "
	stop_both
done

hooks "sleep 20"
conf 100 "prefer = \"lb1\"; on_active = \"$LAB/hook\"; on_backup = \"$LAB/hook\";"
pair
sleep 0.3
kill9_all n1
within 1 "with hooks that hang the takeover is as quick" role_is n2 web active
within 5 "and complete" only_holder n2 $vip
expect "the client is served" client_served
