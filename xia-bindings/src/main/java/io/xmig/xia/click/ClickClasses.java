package io.xmig.xia.click;

import java.util.Set;

/** The element classes that a file may use, and those that only Click itself has. */
final class ClickClasses {
  /** Classes that a topology of the embedded node is made of. */
  static final Set<String> OURS =
      Set.of(
          "XIAEndHost",
          "XIARouter2Port",
          "XIARouter4Port",
          "XIADualRouter4Port",
          "EtherSwitch",
          "LinkUnqueue",
          "Queue",
          "Unqueue",
          "RandomSample",
          "Socket",
          "RawSocket",
          "FromDevice",
          "ToDevice",
          "Idle",
          "Discard",
          "ControlSocket",
          "XIAXIDInfo",
          "Script");

  /**
   * Classes that stand in the bodies of the prototype's library. They can be declared there, but a
   * topology that uses one outside a body is for the prototype only.
   */
  private static final Set<String> CLICKS =
      Set.of(
          "XIADualEndhost",
          "XIARoutingCore",
          "RouteEngine",
          "XIAPacketRoute",
          "XIALineCard",
          "IPLineCard",
          "XIADualLineCard",
          "XIAFromHost",
          "XIAToHost",
          "GenericPostRouteProc",
          "XTRANSPORT",
          "XIACache",
          "XIAXIDRouteTable",
          "XIAXIDTypeClassifier",
          "XIAXIDTypeCounter",
          "XIASelectPath",
          "XIANextHop",
          "XIACheckDest",
          "XIADecHLIM",
          "MarkXIAHeader",
          "XIAPaint",
          "XIAPaintSwitch",
          "XCMP",
          "XARPQuerier",
          "XARPResponder",
          "XIAIPEncap",
          "XIAPrint",
          "Tee",
          "Strip",
          "Classifier",
          "IPClassifier",
          "CheckIPHeader",
          "MarkIPHeader",
          "StripIPHeader",
          "IPPrint",
          "DRRSched",
          "Suppressor",
          "EtherEncap",
          "Paint",
          "PaintSwitch",
          "Counter",
          "Print",
          "Null");

  private ClickClasses() {}

  static boolean isKnown(String name) {
    return OURS.contains(name) || CLICKS.contains(name);
  }

  /** Why a class cannot be used, for a message. */
  static String unknown(String name) {
    if (name.equals("XIADualEndhost")) {
      return "the prototype cannot instantiate XIADualEndhost either; use XIAEndHost";
    }
    return (CLICKS.contains(name)
            ? "the prototype has " + name + ", the embedded node has not"
            : "if it belongs to another Click, this file is not for the embedded node")
        + "; it has "
        + String.join(", ", OURS.stream().sorted().toList());
  }
}
