// Migration within one AD: a virtual machine moves between HOST_A and HOST_B while HOST_C talks to it.
//
//   HOST_A ── SEGMENT_A ──┐
//               └ VM      │
//   HOST_B ── SEGMENT_B ── ROUTER_1         every segment is an Ethernet switch:
//               └ VM      │                 port 0 the host, 1 the router, 2 a virtual machine
//   HOST_C ── SEGMENT_C ──┘
//               └ VM
//
// Links between router and segments carry 1 Gbit/s with 0.1 ms each way. A virtual machine's network
// card joins a segment with Ethernet frames in UDP datagrams (QEMU: -netdev dgram).
//
// The name server runs on:
// HOST_A :: nameserver

require(library xia_router_lib.click);
require(library xia_address.click);

define($LATENCY 100us);
define($BANDWIDTH 1Gbps);

ROUTER_1 :: XIARouter4Port(RE AD0 RHID0, AD0, RHID0, 0.0.0.0, 1700,
                           02:00:00:00:01:00, 02:00:00:00:01:01, 02:00:00:00:01:02, 02:00:00:00:01:03);

HOST_A :: XIAEndHost(RE AD0 HID0, HID0, 1500, 1, 02:00:00:00:0a:00);
HOST_B :: XIAEndHost(RE AD0 HID1, HID1, 1501, 1, 02:00:00:00:0b:00);
HOST_C :: XIAEndHost(RE AD0 HID2, HID2, 1502, 1, 02:00:00:00:0c:00);

SEGMENT_A, SEGMENT_B, SEGMENT_C :: EtherSwitch;

// hosts
HOST_A -> Unqueue -> SEGMENT_A -> HOST_A;
HOST_B -> Unqueue -> SEGMENT_B -> HOST_B;
HOST_C -> Unqueue -> SEGMENT_C -> HOST_C;

// the router
ROUTER_1[0] -> LinkUnqueue($LATENCY, $BANDWIDTH) -> [1]SEGMENT_A[1]
    -> Queue(1000) -> LinkUnqueue($LATENCY, $BANDWIDTH) -> [0]ROUTER_1;
ROUTER_1[1] -> LinkUnqueue($LATENCY, $BANDWIDTH) -> [1]SEGMENT_B[1]
    -> Queue(1000) -> LinkUnqueue($LATENCY, $BANDWIDTH) -> [1]ROUTER_1;
ROUTER_1[2] -> LinkUnqueue($LATENCY, $BANDWIDTH) -> [1]SEGMENT_C[1]
    -> Queue(1000) -> LinkUnqueue($LATENCY, $BANDWIDTH) -> [2]ROUTER_1;
Idle -> [3]ROUTER_1[3] -> Discard;

// virtual machines: frames come to the first port, and go to the second
Socket("UDP", 127.0.0.1, 21010) -> [2]SEGMENT_A[2] -> Socket("UDP", 127.0.0.1, 21011);
Socket("UDP", 127.0.0.1, 21020) -> [2]SEGMENT_B[2] -> Socket("UDP", 127.0.0.1, 21021);
Socket("UDP", 127.0.0.1, 21030) -> [2]SEGMENT_C[2] -> Socket("UDP", 127.0.0.1, 21031);

ControlSocket(tcp, 7777);
