// Migration between administrative domains: a virtual machine moves along HOST_A, HOST_B
// while HOST_C talks to it.
//
//   AD0  ROUTER_1 ── SEGMENT_A ── HOST_A (VM)
//          │
//   AD1  ROUTER_2 ── SEGMENT_B ── HOST_B (VM)
//          │
//   AD2  ROUTER_3 ── SEGMENT_C ── HOST_C
//
// Every segment is an Ethernet switch: port 0 the host, 1 the router, 2 a virtual machine. HIDs are
// placeholders; a run of the testbed puts an xia_address.click with those of its keys beside its copy.
//
// The name server runs on:
// HOST_A :: nameserver

require(library xia_router_lib.click);
require(library xia_address.click);

define($LATENCY 100us);
define($WAN 1ms);
define($BANDWIDTH 1Gbps);

ROUTER_1 :: XIARouter4Port(RE AD0 RHID0, AD0, RHID0, 0.0.0.0, 1700,
                           02:00:00:00:01:00, 02:00:00:00:01:01, 02:00:00:00:01:02, 02:00:00:00:01:03);
ROUTER_2 :: XIARouter4Port(RE AD1 RHID1, AD1, RHID1, 0.0.0.0, 1800,
                           02:00:00:00:02:00, 02:00:00:00:02:01, 02:00:00:00:02:02, 02:00:00:00:02:03);
ROUTER_3 :: XIARouter4Port(RE AD2 RHID2, AD2, RHID2, 0.0.0.0, 1900,
                           02:00:00:00:03:00, 02:00:00:00:03:01, 02:00:00:00:03:02, 02:00:00:00:03:03);

HOST_A :: XIAEndHost(RE AD0 HID0, HID0, 1500, 1, 02:00:00:00:0a:00);
HOST_B :: XIAEndHost(RE AD1 HID1, HID1, 1501, 1, 02:00:00:00:0b:00);
HOST_C :: XIAEndHost(RE AD2 HID2, HID2, 1502, 1, 02:00:00:00:0c:00);

SEGMENT_A, SEGMENT_B, SEGMENT_C :: EtherSwitch;

// hosts
HOST_A -> Unqueue -> SEGMENT_A -> HOST_A;
HOST_B -> Unqueue -> SEGMENT_B -> HOST_B;
HOST_C -> Unqueue -> SEGMENT_C -> HOST_C;

// AD0
ROUTER_1[0] -> LinkUnqueue($LATENCY, $BANDWIDTH) -> [1]SEGMENT_A[1]
    -> Queue(1000) -> LinkUnqueue($LATENCY, $BANDWIDTH) -> [0]ROUTER_1;
Idle -> [1]ROUTER_1[1] -> Discard;
Idle -> [3]ROUTER_1[3] -> Discard;

// AD1
ROUTER_2[0] -> LinkUnqueue($LATENCY, $BANDWIDTH) -> [1]SEGMENT_B[1]
    -> Queue(1000) -> LinkUnqueue($LATENCY, $BANDWIDTH) -> [0]ROUTER_2;
Idle -> [1]ROUTER_2[1] -> Discard;

// AD2
Idle -> [0]ROUTER_3[0] -> Discard;
ROUTER_3[1] -> LinkUnqueue($LATENCY, $BANDWIDTH) -> [1]SEGMENT_C[1]
    -> Queue(1000) -> LinkUnqueue($LATENCY, $BANDWIDTH) -> [1]ROUTER_3;
Idle -> [2]ROUTER_3[2] -> Discard;

// between the domains
ROUTER_1[2] -> LinkUnqueue($WAN, $BANDWIDTH) -> [3]ROUTER_2[3]
    -> LinkUnqueue($WAN, $BANDWIDTH) -> [2]ROUTER_1;
ROUTER_2[2] -> LinkUnqueue($WAN, $BANDWIDTH) -> [3]ROUTER_3[3]
    -> LinkUnqueue($WAN, $BANDWIDTH) -> [2]ROUTER_2;

// virtual machines: frames come to the first port, and go to the second
Socket("UDP", 127.0.0.1, 21010) -> [2]SEGMENT_A[2] -> Socket("UDP", 127.0.0.1, 21011);
Socket("UDP", 127.0.0.1, 21020) -> [2]SEGMENT_B[2] -> Socket("UDP", 127.0.0.1, 21021);
Socket("UDP", 127.0.0.1, 21030) -> [2]SEGMENT_C[2] -> Socket("UDP", 127.0.0.1, 21031);

ControlSocket(tcp, 7777);
