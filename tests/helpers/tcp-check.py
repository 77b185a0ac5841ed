#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A few MiB over TCP, byte for byte.

    tcp-check.py serve [PORT]           takes one connection, answers with the SHA-256 of all of it
    tcp-check.py ADDRESS [PORT]         sends, and fails if the answer is another sum

The serving side also fails if its stack has refused packets for their checksums meanwhile."""

import hashlib
import random
import socket
import sys

PORT = 5201
LENGTH = 4 << 20
PATIENCE = 30       # seconds


def csum_errors():
    """TCP packets refused for their checksum in this network namespace, so far."""
    with open("/proc/net/snmp", encoding="ascii") as file:
        names, values = [line.split() for line in file if line.startswith("Tcp:")]
    return int(values[names.index("InCsumErrors")])


def serve(port):
    before = csum_errors()
    sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("::", port))
    sock.listen()
    print("listening", flush=True)
    conn, _ = sock.accept()
    digest = hashlib.sha256()
    while data := conn.recv(1 << 16):
        digest.update(data)
    conn.sendall(digest.digest())
    conn.close()
    wrong = csum_errors() - before
    return f"{wrong} packets with wrong checksums" if wrong else 0


def send(address, port):
    rnd = random.Random(port)
    data = rnd.randbytes(LENGTH)
    sock = socket.create_connection((address, port), PATIENCE)
    sent = 0
    while sent < LENGTH:
        size = rnd.choice((1, 100, 1447, 1449, 65537))
        sock.sendall(data[sent:sent + size])
        sent += size
    sock.shutdown(socket.SHUT_WR)
    answer = sock.recv(1000)
    return 0 if answer == hashlib.sha256(data).digest() else "other bytes arrived"


def main():
    port = int(sys.argv[2]) if len(sys.argv) > 2 else PORT
    return serve(port) if sys.argv[1] == "serve" else send(sys.argv[1], port)


sys.exit(main())
