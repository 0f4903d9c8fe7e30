package io.xmig.xia.node;

/**
 * What a node counts, by name. Every packet that comes in leaves by exactly one way out: forwarded,
 * delivered, broadcast, or one of the drops.
 */
public enum NodeCounter {
  /** Frames received on any port. */
  FRAMES_IN("frames.in", false),
  /** Frames handed to any link. */
  FRAMES_OUT("frames.out", false),
  /** Packets sent on by way of a link that came by a link. */
  FORWARDED("xip.forwarded", false),
  /** Packets begun on this node. */
  ORIGINATED("xip.originated", false),
  /** Packets handed to a transport, XCMP or the content store. */
  DELIVERED("xip.delivered", false),
  /** Packets copied to every link. */
  BROADCAST("xip.broadcast", false),
  /** Content packets shown to the content store on their way through. */
  CONTENT_PASSING("content.passing", false),
  /** HID routes set or changed because of a broadcast. */
  LEARNED("route.learned", false),
  /** XCMP messages sent. */
  XCMP_OUT("xcmp.out", false),
  /** XCMP messages received. */
  XCMP_IN("xcmp.in", false),
  /** Routes changed because of a redirect. */
  REDIRECTS_APPLIED("xcmp.redirects-applied", false),
  /** XARP requests sent. */
  XARP_QUERIES("xarp.queries", false),
  /** XARP replies sent. */
  XARP_RESPONSES("xarp.responses", false),
  /** RARP announcements heard. */
  RARP_IN("rarp.in", false),

  /** A frame shorter than its headers, or with counts or indices that point outside of it. */
  DROP_MALFORMED("drop.malformed", true),
  /** A frame of a type the node does not speak. */
  DROP_ETHERTYPE("drop.ethertype", true),
  /** A unicast frame for another station. */
  DROP_OTHER_STATION("drop.other-station", true),
  /** No edge of the destination leads anywhere. */
  DROP_UNROUTABLE("drop.unroutable", true),
  /** The hop limit was used up. */
  DROP_HOP_LIMIT("drop.hop-limit", true),
  /** A route says drop. */
  DROP_BY_ROUTE("drop.by-route", true),
  /** A broadcast with this node as its source came back. */
  DROP_OWN_BROADCAST("drop.own-broadcast", true),
  /** The route's port has no link. */
  DROP_NO_LINK("drop.no-link", true),
  /**
   * A packet for an IPv4 link that was not routed by a 4ID, or an IPv4 packet without XIP in it.
   */
  DROP_NOT_IP("drop.not-ip", true),
  /** The packet is larger than the link's MTU. */
  DROP_TOO_BIG("drop.too-big", true),
  /** Nobody on this node takes the packet. */
  DROP_NO_RECEIVER("drop.no-receiver", true),
  /** Packets to this node itself came faster than they were taken. */
  DROP_LOCAL_QUEUE("drop.local-queue", true),
  /** Too many packets wait for a next hop's Ethernet address. */
  DROP_XARP_QUEUE("drop.xarp-queue", true),
  /** A next hop did not answer. */
  DROP_XARP_TIMEOUT("drop.xarp-timeout", true),
  /** An XARP frame that makes no sense, or a reply nobody asked for. */
  DROP_XARP("drop.xarp", true),
  /** An XCMP message with a wrong checksum or length, or of an unknown type. */
  DROP_XCMP("drop.xcmp", true),
  /** An XCMP error that was not sent to keep their rate down. */
  DROP_XCMP_RATE("drop.xcmp-rate", true),
  /** A redirect that is not allowed or not plausible. */
  DROP_REDIRECT("drop.redirect", true);

  private final String label;
  private final boolean drop;

  NodeCounter(String label, boolean drop) {
    this.label = label;
    this.drop = drop;
  }

  /** The name under which the count is read. */
  public String label() {
    return label;
  }

  /** Whether it counts packets lost here. */
  public boolean isDrop() {
    return drop;
  }
}
