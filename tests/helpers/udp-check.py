#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""UDP there and back, every datagram of it.

    udp-check.py serve [PORT]           returns what it gets, until told to stop
    udp-check.py ADDRESS [PORT]         sends 600 datagrams of 0 to 1440 bytes and wants each back

At most 16 are under way, which no socket buffer or ring is too small for: what is missing was
lost by the network, however slow or busy the machine is.  (iperf3 cannot tell: its receiver
stops reading when the sender says that it is done, and does not count what it had not read.)"""

import random
import socket
import sys

PORT = 5201
WINDOW = 16
DATAGRAMS = 600
LONGEST = 1440
PATIENCE = 5        # seconds without any answer
STOP = b"no more, thank you"


def serve(port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", port))
    print("listening", flush=True)
    data = b""
    while data != STOP:
        data, client = sock.recvfrom(65536)
        sock.sendto(data, client)
    return 0


def answered(sock, data, tries):
    """Sends the datagram until it is returned."""
    for _ in range(tries):
        sock.send(data)
        try:
            if sock.recv(65536) == data:
                return True
        except OSError:
            pass
    return False


def exchange(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.connect((address, port))
    sock.settimeout(1)
    if not answered(sock, b"hello", 10):
        return f"no answer from {address} port {port}"
    sock.settimeout(PATIENCE)
    rnd = random.Random(port)
    there = [rnd.randbytes(0 if n == 0 else rnd.randrange(2, LONGEST)) for n in range(DATAGRAMS)]
    sent, missing = 0, []
    while sent < DATAGRAMS or missing:
        while sent < DATAGRAMS and len(missing) < WINDOW:
            sock.send(there[sent])
            missing.append(there[sent])
            sent += 1
        try:
            back = sock.recv(65536)
        except socket.timeout:
            return f"{len(missing)} of {sent} datagrams did not come back within {PATIENCE} s"
        if back in missing:
            missing.remove(back)
        elif back != b"hello":
            return f"{len(back)} bytes came that were not sent"
    sock.settimeout(1)
    answered(sock, STOP, 10)
    return 0


def main():
    port = int(sys.argv[2]) if len(sys.argv) > 2 else PORT
    return serve(port) if sys.argv[1] == "serve" else exchange(sys.argv[1], port)


sys.exit(main())
