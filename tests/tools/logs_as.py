"""
logs_as.py PID TEXT: a log line in the words of that child of tandemd, as if it had been taken over.

Its socket for log lines is the one of its two kinds with the smaller buffer (src/proc/relay.c).
"""
import ctypes
import os
import socket
import struct
import sys
import time

PIDFD_GETFD = 438
LOG_NOTICE = 5

pid, text = int(sys.argv[1]), sys.argv[2].encode("latin-1").decode("unicode_escape").encode("latin-1")
libc = ctypes.CDLL(None, use_errno=True)
process = os.pidfd_open(pid)
found = []
for name in os.listdir(f"/proc/{pid}/fd"):
    if not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
        continue
    fd = libc.syscall(PIDFD_GETFD, process, int(name), 0)
    if fd == -1:
        sys.exit(f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
    s = socket.socket(fileno=fd)
    if s.family == socket.AF_UNIX and s.type & 0xF == socket.SOCK_SEQPACKET:
        found.append((s.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF), s))
found.sort(key=lambda row: row[0])
if len(found) < 2 or found[0][0] == found[1][0]:
    sys.exit("no socket for log lines")
found[0][1].send(struct.pack("@qIxxxx", time.monotonic_ns(), LOG_NOTICE) + text)
