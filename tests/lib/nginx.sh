# shellcheck shell=bash
# A real web server on a node of the bed: port 8080, `OK` on every path, the node's name on /who.
# nginx_start NODE [LOCATIONS]

nginx_start()
{
	cat > "$LAB/$1.nginx.conf" <<-END
	pid $LAB/$1.nginx;
	error_log $LAB/$1.nginx.log;
	worker_processes 1;
	events { worker_connections 1024; }
	http { access_log off; client_body_temp_path $LAB/$1.b; proxy_temp_path $LAB/$1.p; fastcgi_temp_path $LAB/$1.f;
	  uwsgi_temp_path $LAB/$1.u; scgi_temp_path $LAB/$1.s;
	  server { listen 8080; location / { return 200 "OK\n"; } location = /who { return 200 "$1\n"; } ${2:-} } }
	END
	in_ns "$1" nginx -c "$LAB/$1.nginx.conf" 2> /dev/null || fail "nginx does not start in $1"
}

# nginx_signal NODE SIGNAL: master and workers at once.
nginx_signal()
{
	local p

	for p in $(ip netns pids "$(ns "$1")"); do
		[ "$(cat "/proc/$p/comm" 2> /dev/null)" = nginx ] && kill "-$2" "$p"
	done
	true
}

# With every worker at once: as a crash, and not a shutdown that serves on.
nginx_kill()
{
	nginx_signal "$1" KILL
	rm -f "$LAB/$1.nginx"
}

# It still has its socket, so that connections are accepted, and says nothing any more.
nginx_stop()
{
	nginx_signal "$1" STOP
}

nginx_go()
{
	nginx_signal "$1" CONT
}
