#!/usr/bin/env python3
"""Reads the test vectors of docs/PROTOCOL.md as another implementation would: with the document alone."""
import hashlib
import hmac
import ipaddress
import os
import pathlib
import re
import struct
import sys

TOP = pathlib.Path(os.environ.get("top_srcdir", "."))
PAIR_KEY, CLUSTER, KEY_ID = bytes(range(32)), b"edge", 7


def derived_key():
    return hmac.new(PAIR_KEY, b"tandem heartbeat 1" + b"\0" + CLUSTER, hashlib.sha256).digest()


def internet_checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def check_checksum(message, source, destination, form):
    pseudo = b""
    if form == "rfc5798" and source.version == 4:
        pseudo = source.packed + destination.packed + struct.pack(">BBH", 0, 112, len(message))
    if source.version == 6:
        pseudo = source.packed + destination.packed + struct.pack(">IHBB", len(message), 0, 0, 112)
    assert internet_checksum(pseudo + message) == 0, "checksum"


def check_vrrp(message, version):
    version_type, vrid, priority, count, interval = struct.unpack(">BBBBH", message[:6])
    assert version_type >> 4 == 3 and version_type & 15 in (1, 2)
    assert vrid in (51, 52) and priority in (100, 150) and interval == 10
    return 8 + count * (4 if version == 4 else 16)


def check_trailer(trailer, hello):
    magic, form, key, length, boot, counter, echo_boot, echo_counter = struct.unpack(">4sBBHQQQQ", trailer[:40])
    role, priority, fitness, paths, flags, healthy, digest, router = struct.unpack(">BBBBHHII", trailer[40:56])
    family, neighbours, sender = trailer[56], trailer[57], trailer[60:76]
    assert (magic, form, key, length) == (b"TNDM", 1, KEY_ID, len(trailer))
    assert length == 76 + 8 * paths + 4 * neighbours + 32 and paths == 2
    assert trailer[92:-32] == (b"" if hello else bytes([10, 77, 0, 1, 10, 77, 0, 99]))
    assert boot == (0x2222222222222222 if hello else 0x1111111111111111)
    assert counter in (1, 2) and (echo_boot, echo_counter) in ((0, 0), (0x2222222222222222, 1), (0x2222222222222222, 2))
    assert (role, priority, fitness) == ((1, 100, 2) if hello else (2, 150, 2))
    assert flags == (4 if hello else 2 | 16) and healthy == 2 and digest == 0x5EED1234
    assert router in (fnv1a(b"web"), fnv1a(b"web6"))
    assert family == 4 and sender == bytes([10, 77, 0, 12 if hello else 11]) + bytes(12)
    tags = [struct.unpack(">IHBB", trailer[at:at + 8]) for at in (76, 84)]
    assert [t[0] for t in tags] == [fnv1a(b"eth0"), fnv1a(b"cross")]
    assert all(age in (0xFFFF, 97) and carrier == 1 and zero == 0 for _, age, carrier, zero in tags)


def fnv1a(name):
    value = 2166136261
    for byte in name:
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def check(name, source, destination, form, data):
    message = bytes.fromhex(re.sub(r"\s", "", data))
    source, destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    check_checksum(message, source, destination, form)
    at = check_vrrp(message, source.version)
    check_trailer(message[at:], name == "hello")
    signed = message[:6] + b"\0\0" + message[8:-32]
    assert hmac.new(derived_key(), signed, hashlib.sha256).digest() == message[-32:], "MAC"


def main():
    text = (TOP / "docs/PROTOCOL.md").read_text()
    found = re.findall(r"```\nvector (\S+)\nsource (\S+)\ndestination (\S+)\nchecksum (\S+)\n([0-9a-f\n]+)```", text)
    assert derived_key().hex() in text, "the derived key"
    assert len(found) == 4, f"{len(found)} vectors"
    for vector in found:
        check(*vector)
        print("ok", vector[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
