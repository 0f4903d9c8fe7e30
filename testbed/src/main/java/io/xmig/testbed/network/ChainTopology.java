package io.xmig.testbed.network;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Click text of a chain of administrative domains, each with a router; a host that can run the VM
 * in each of the first ones, and a host with the clients somewhere. The paper's Fig. 1b is a chain
 * of two with the client in the first; {@code testbed/topologies} holds that one and the one with
 * the client in a third domain.
 *
 * @param domains domains with a host for the VM
 * @param clientDomain number of the client's domain, from 1; the chain is as long as needed
 */
public record ChainTopology(int domains, int clientDomain) {
  /** Domains at most: each costs three processes. */
  public static final int MAX_DOMAINS = 8;

  /** Where the client is in the paper's figures. */
  public static final String CLIENT = "HOST_C";

  private static final int NAMED_ROUTERS = 4;
  private static final int NAMED_DOMAINS = 5;
  private static final int NAMED_HOSTS = 6;

  public ChainTopology {
    if (domains < 2 || domains > MAX_DOMAINS || clientDomain < 1 || clientDomain > MAX_DOMAINS) {
      throw new IllegalArgumentException(
          "a chain has 2 to "
              + MAX_DOMAINS
              + " domains, and the client is in one of them, not "
              + domains
              + " and "
              + clientDomain);
    }
  }

  /** Hosts that can run the VM, by domain: HOST_A, HOST_B, HOST_D … */
  public List<String> hosts() {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < domains; i++) {
      names.add("HOST_" + letter(i));
    }
    return names;
  }

  private static char letter(int domain) {
    return (char) ('A' + (domain < 2 ? domain : domain + 1)); // C is the client
  }

  private int length() {
    return Math.max(domains, clientDomain);
  }

  /** The text. */
  public String click() {
    StringBuilder out = new StringBuilder();
    picture(out);
    declareNames(out);
    out.append("require(library xia_router_lib.click);\nrequire(library xia_address.click);\n\n");
    out.append("define($LATENCY 100us);\ndefine($WAN 1ms);\ndefine($BANDWIDTH 1Gbps);\n\n");
    for (int i = 0; i < length(); i++) {
      out.append(router(i));
    }
    out.append('\n');
    List<String> segments = new ArrayList<>();
    for (int i = 0; i < domains; i++) {
      segments.add("SEGMENT_" + letter(i));
      out.append(host("HOST_" + letter(i), i, letter(i)));
    }
    segments.add("SEGMENT_C");
    out.append(host(CLIENT, clientDomain - 1, 'C'));
    out.append('\n').append(String.join(", ", segments)).append(" :: EtherSwitch;\n\n// hosts\n");
    for (int i = 0; i < domains; i++) {
      out.append(onSegment(letter(i)));
    }
    out.append(onSegment('C')).append('\n');
    for (int i = 0; i < length(); i++) {
      wire(out, i);
    }
    out.append("// between the domains\n");
    for (int i = 0; i + 1 < length(); i++) {
      String here = "ROUTER_" + (i + 1);
      String next = "ROUTER_" + (i + 2);
      out.append(here).append("[2] -> LinkUnqueue($WAN, $BANDWIDTH) -> [3]").append(next);
      out.append("[3]\n    -> LinkUnqueue($WAN, $BANDWIDTH) -> [2]").append(here).append(";\n");
    }
    out.append("\n// virtual machines: frames come to the first port, and go to the second\n");
    for (int i = 0; i < segments.size(); i++) {
      int port = 21_010 + 10 * i;
      out.append("Socket(\"UDP\", 127.0.0.1, ").append(port).append(") -> [2]");
      out.append(segments.get(i)).append("[2] -> Socket(\"UDP\", 127.0.0.1, ");
      out.append(port + 1).append(");\n");
    }
    return out.append("\nControlSocket(tcp, 7777);\n").toString();
  }

  private void picture(StringBuilder out) {
    out.append("// Migration between administrative domains: a virtual machine moves along ");
    out.append(String.join(", ", hosts())).append("\n// while HOST_C talks to it.\n//\n");
    for (int i = 0; i < length(); i++) {
      out.append(String.format(Locale.ROOT, "//   AD%d  ROUTER_%d", i, i + 1));
      if (i < domains) {
        char l = letter(i);
        out.append(" ── SEGMENT_").append(l).append(" ── HOST_").append(l).append(" (VM)");
      }
      if (i == clientDomain - 1) {
        out.append(i < domains ? "\n//          │  └── " : " ── ").append("SEGMENT_C ── HOST_C");
      }
      out.append(i + 1 < length() ? "\n//          │\n" : "\n");
    }
    out.append("//\n// Every segment is an Ethernet switch: port 0 the host, 1 the router, 2 a ");
    out.append("virtual machine. HIDs are\n// placeholders; a run of the testbed puts an ");
    out.append("xia_address.click with those of its keys beside its copy.\n//\n");
    out.append("// The name server runs on:\n// HOST_A :: nameserver\n\n");
  }

  /** Names beyond those that the prototype's xia_address.click has. */
  private void declareNames(StringBuilder out) {
    List<String> names = new ArrayList<>();
    for (int i = NAMED_ROUTERS; i < length(); i++) {
      names.add(String.format(Locale.ROOT, "RHID%d HID:11%038d", i, i));
      if (i >= NAMED_DOMAINS) {
        names.add(String.format(Locale.ROOT, "AD%d AD:1%039d", i, i));
      }
    }
    for (int i = NAMED_HOSTS; i <= domains; i++) {
      names.add(String.format(Locale.ROOT, "HID%d HID:%040d", i, i));
    }
    if (!names.isEmpty()) {
      out.append("XIAXIDInfo(").append(String.join(",\n           ", names)).append(");\n");
    }
  }

  private static String router(int i) {
    StringBuilder macs = new StringBuilder();
    for (int port = 0; port < 4; port++) {
      macs.append(
          String.format(Locale.ROOT, "%s02:00:00:00:%02x:0%d", port == 0 ? "" : ", ", i + 1, port));
    }
    return String.format(
        Locale.ROOT,
        "ROUTER_%d :: XIARouter4Port(RE AD%d RHID%d, AD%d, RHID%d, 0.0.0.0, %d,\n"
            + "                           %s);\n",
        i + 1,
        i,
        i,
        i,
        i,
        1700 + 100 * i,
        macs);
  }

  private static String host(String name, int domain, char letter) {
    int number = letter - 'A';
    return String.format(
        Locale.ROOT,
        "%s :: XIAEndHost(RE AD%d HID%d, HID%d, %d, 1, 02:00:00:00:%02x:00);\n",
        name,
        domain,
        number,
        number,
        1500 + number,
        10 + number);
  }

  private static String onSegment(char letter) {
    return "HOST_" + letter + " -> Unqueue -> SEGMENT_" + letter + " -> HOST_" + letter + ";\n";
  }

  private void wire(StringBuilder out, int i) {
    out.append("// AD").append(i).append('\n');
    port(out, i, 0, i < domains ? "SEGMENT_" + letter(i) : null);
    port(out, i, 1, i == clientDomain - 1 ? "SEGMENT_C" : null);
    if (i + 1 == length()) {
      port(out, i, 2, null);
    }
    if (i == 0) {
      port(out, i, 3, null);
    }
    out.append('\n');
  }

  private static void port(StringBuilder out, int router, int port, @Nullable String segment) {
    String at = "ROUTER_" + (router + 1);
    if (segment == null) {
      out.append("Idle -> [").append(port).append(']').append(at).append('[').append(port);
      out.append("] -> Discard;\n");
      return;
    }
    out.append(at).append('[').append(port).append("] -> LinkUnqueue($LATENCY, $BANDWIDTH) -> [1]");
    out.append(segment).append("[1]\n    -> Queue(1000) -> LinkUnqueue($LATENCY, $BANDWIDTH) -> [");
    out.append(port).append(']').append(at).append(";\n");
  }
}
