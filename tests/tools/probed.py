#!/usr/bin/env python3
"""probed.py CERTIFICATE KEY: a server for every kind of probe, at the ports 7001 and on, over IPv4.

7001 echoes a line; 7002 HTTP; 7003 HTTPS; 7004 answers datagrams; 7005 DNS; 7006 an agent."""
import socket
import socketserver
import ssl
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            self.request.sendall(b"hello " + self.request.recv(100))
        except OSError:
            pass


class Agent(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"up 75%\n")


class Web(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b'{ "status": "UP" }' + b" " * 30000
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def datagrams():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", 7004))
    while True:
        data, peer = s.recvfrom(2000)
        s.sendto(b"hello " + data, peer)


def dns():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", 7005))
    while True:
        data, peer = s.recvfrom(2000)
        end = data.index(b"\0", 12) + 5
        answer = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes((192, 0, 2, 1))
        s.sendto(data[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + data[12:end] + answer, peer)


def tcp(port, handler):
    server = socketserver.ThreadingTCPServer(("", port), handler)
    server.daemon_threads = True
    return server


socketserver.TCPServer.allow_reuse_address = True
https = ThreadingHTTPServer(("", 7003), Web)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
https.socket = context.wrap_socket(https.socket, server_side=True, do_handshake_on_connect=False)
servers = [tcp(7001, Echo), ThreadingHTTPServer(("", 7002), Web), https, tcp(7006, Agent)]
threads = [threading.Thread(target=s.serve_forever, daemon=True) for s in servers]
threads += [threading.Thread(target=t, daemon=True) for t in (datagrams, dns)]
for t in threads:
    t.start()
threads[0].join()
