package io.xmig.adapt.lab;

import io.xmig.adapt.names.NameStatement;
import io.xmig.adapt.signal.Location;
import io.xmig.adapt.signal.Signal;
import io.xmig.adapt.signal.SignedBeacon;
import io.xmig.adapt.trust.Delegation;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.Signer;
import io.xmig.xia.node.FrameSink;
import io.xmig.xia.node.NodeConfig;
import io.xmig.xia.node.XiaNode;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimStation;
import io.xmig.xia.testkit.SimSwitch;
import io.xmig.xia.wire.EthernetFlyweight;
import io.xmig.xia.wire.NameServiceMessage;
import io.xmig.xia.wire.RoutingMessage;
import io.xmig.xia.wire.XarpFlyweight;
import io.xmig.xia.wire.XhcpBeacon;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Somebody at a router's port 2 who has heard every frame of the network so far, replays and alters
 * them, and lies with a key of its own. Counts what reaches it of the machine's traffic.
 */
public final class Attacker {
  private static final int MAX_RECORDED = 400;
  private static final long RAW_MAC = 0x02000000ee11L;
  private static final int TARGET_XID = 44; // docs/wire.md section 8
  private static final byte[] MARK = "probe...".getBytes(StandardCharsets.US_ASCII);

  private final Domains lab;
  private final Domains.Domain at;
  private final RandomGenerator random;
  private final Signer key = TestKeys.signer("mallory");
  private final List<byte[]> recorded = new ArrayList<>();
  private final XiaStack stack;
  private final DatagramSocket socket;
  private final Raw raw = new Raw();
  private byte @Nullable [] lastBeacon;
  private long sequence;
  private int stolen;
  private int attacks;

  private final class Raw implements SimStation {
    private @Nullable FrameSink out;

    @Override
    public String name() {
      return "mallory-raw";
    }

    @Override
    public void receive(int port, ByteBuffer frame) {
      if (EthernetFlyweight.type(frame, frame.position()) == EthernetFlyweight.TYPE_XARP) {
        claim(frame);
        return;
      }
      long from = EthernetFlyweight.mac(frame, frame.position() + 6);
      if (from == at.router.config().ports().get(2).mac() && contains(frame, MARK)) {
        stolen++;
      }
    }

    /** Whoever is asked for: that is me. */
    private void claim(ByteBuffer frame) {
      XarpFlyweight asked = new XarpFlyweight();
      int start = frame.position() + EthernetFlyweight.LENGTH;
      if (out == null
          || !asked.tryWrap(frame, start, frame.limit())
          || asked.operation() != XarpFlyweight.REQUEST) {
        return;
      }
      ByteBuffer reply = ByteBuffer.allocate(EthernetFlyweight.LENGTH + XarpFlyweight.LENGTH);
      EthernetFlyweight.write(reply, 0, asked.senderMac(), RAW_MAC, EthernetFlyweight.TYPE_XARP);
      XarpFlyweight.write(
          reply,
          EthernetFlyweight.LENGTH,
          XarpFlyweight.REPLY,
          RAW_MAC,
          Xid.read(frame, start + TARGET_XID),
          asked.senderMac(),
          asked.senderXid());
      out.frame(reply.position(0));
    }

    @Override
    public void plug(int port, @Nullable FrameSink sink) {
      out = sink;
    }
  }

  /** An attacker in a domain. */
  public Attacker(Domains lab, int domain, RandomGenerator random) {
    this.lab = lab;
    this.at = lab.domains.get(domain);
    this.random = random;
    XiaNode node =
        lab.net.add(
            NodeConfig.host(
                "mallory", new LocalAddress(at.ad, key.identity().hid(), null), 0x02000000ee10L));
    SimSwitch hub = lab.net.addSwitch("mallory-hub", 3);
    LinkProfile wire = LinkProfile.delayMs(0);
    lab.net.link(hub, 0, lab.net.station(at.router), 2, wire);
    lab.net.link(lab.net.station(node), 0, hub, 1, wire);
    lab.net.link(raw, 0, hub, 2, wire);
    stack = lab.net.stack(node);
    stack.writeHandler("./xrc/n/proc/rt_HID.set4", "-,0," + at.routerKey.identity().hid() + ",0");
    socket = lab.net.await(stack.openDatagram(null, (s, p, port) -> {}));
    lab.net.await(
        stack.openDatagram(
            Xid.SID_XHCP,
            (source, payload, port) -> {
              byte[] copy = new byte[payload.remaining()];
              payload.get(copy);
              lastBeacon = copy;
            }));
    lab.net.tap(
        (link, from, frame) -> {
          if (from == raw
              || frame.remaining() < 100
              || frame.getShort(frame.position() + 12) != (short) 0xC0DE) {
            return;
          }
          byte[] copy = new byte[frame.remaining()];
          frame.duplicate().get(copy);
          if (recorded.size() < MAX_RECORDED) {
            recorded.add(copy);
          } else {
            recorded.set(random.nextInt(MAX_RECORDED), copy);
          }
        });
  }

  private static boolean contains(ByteBuffer frame, byte[] what) {
    for (int i = frame.position(); i + what.length <= frame.limit(); i++) {
      int k = 0;
      while (k < what.length && frame.get(i + k) == what[k]) {
        k++;
      }
      if (k == what.length) {
        return true;
      }
    }
    return false;
  }

  /** One attack, chosen at random. */
  public void strike() {
    attacks++;
    switch (random.nextInt(11)) {
      case 0, 1 -> replay(false);
      case 2 -> replay(true);
      case 3 -> send(Dag.path(Xid.BHID, Signal.SID_ADAPT), new Signal.Register(lie(0)).encode());
      case 4 -> forgedRepoint();
      case 5 ->
          send(
              Dag.path(Xid.BHID, Xid.SID_XROUTE),
              new RoutingMessage.HostRegister(lab.vmKey.identity().hid()).encode());
      case 6 -> forgedRouting();
      case 7 -> forgedBeacon();
      case 8 -> announceTheMachineHere();
      case 9 -> tellTheMachineTheBeaconOfThisLink();
      default -> forgedName();
    }
  }

  private void replay(boolean altered) {
    if (recorded.isEmpty() || raw.out == null) {
      return;
    }
    byte[] frame = recorded.get(random.nextInt(recorded.size())).clone();
    java.util.Arrays.fill(frame, 0, 6, (byte) 0xff);
    if (altered) {
      for (int i = 1 + random.nextInt(4); i > 0; i--) {
        frame[14 + random.nextInt(frame.length - 14)] ^= (byte) (1 << random.nextInt(8));
      }
    }
    raw.out.frame(ByteBuffer.wrap(frame));
  }

  private io.xmig.adapt.trust.Envelope lie(int former) {
    Xid ad = lab.domains.get(random.nextInt(lab.domains.size())).ad;
    List<Xid> formers = former == 0 ? List.of() : List.of(at.ad);
    Location location =
        new Location(
            lab.vmKey.identity().hid(),
            former == 0 ? at.ad : ad,
            at.routerKey.identity().hid(),
            lab.epochMicros(),
            0,
            60,
            0,
            formers);
    Delegation stolenLeave =
        random.nextBoolean()
            ? null
            : Delegation.issue(key, key.identity(), Delegation.SCOPE_LOCATION, 0, Long.MAX_VALUE);
    sequence = Math.max(sequence + 1, lab.epochMicros() + random.nextInt(1_000_000));
    return location.seal(key, stolenLeave, sequence);
  }

  private void forgedRepoint() {
    send(
        Dag.path(at.routerKey.identity().hid(), Signal.SID_ADAPT),
        new Signal.Repoint(at.ad, lie(1)).encode());
    send(
        Dag.path(at.routerKey.identity().hid(), Signal.SID_ADAPT),
        new Signal.Withdraw(lie(1)).encode());
  }

  private void forgedRouting() {
    Xid ad = lab.domains.get(random.nextInt(lab.domains.size())).ad;
    byte[] hello = new RoutingMessage.Hello(ad, key.identity().hid()).encode();
    send(Dag.path(Xid.BHID, Xid.SID_XROUTE), hello);
    sequence = Math.max(sequence + 1, lab.epochMicros());
    send(
        Dag.path(Xid.BHID, Signal.SID_ADAPT),
        new Signal.Routing(
                io.xmig.adapt.trust.Envelope.seal(
                    key, null, io.xmig.adapt.trust.Envelope.KIND_ROUTING, sequence, hello))
            .encode());
  }

  private void forgedBeacon() {
    XhcpBeacon v1 =
        new XhcpBeacon(
            random.nextInt(),
            lab.domains.get(random.nextInt(lab.domains.size())).ad,
            random.nextBoolean() ? key.identity().hid() : at.routerKey.identity().hid(),
            Xid.NULL_4ID,
            lab.nameServerDag().toString());
    byte[] bytes =
        random.nextBoolean()
            ? v1.encode()
            : SignedBeacon.seal(v1, key, null, lab.epochMicros(), 1000, 60, List.of(), List.of())
                .encode();
    send(Dag.path(at.hostKey.identity().hid(), Xid.SID_XHCP), bytes);
    send(lab.vmDag(Math.max(0, lab.vmAt)).withIntent(Xid.SID_XHCP), bytes);
  }

  /** A RARP as QEMU sends it, for the machine's Ethernet address. */
  private void announceTheMachineHere() {
    if (raw.out == null) {
      return;
    }
    ByteBuffer frame = ByteBuffer.allocate(EthernetFlyweight.LENGTH + 46);
    EthernetFlyweight.write(frame, 0, 0xffff_ffff_ffffL, Domains.VM_MAC, 0x8035);
    frame.putShort(14, (short) 1).putShort(16, (short) 0x0800).put(18, (byte) 6).put(19, (byte) 4);
    frame.putShort(20, (short) 3);
    for (int field : new int[] {22, 32}) {
      frame
          .putShort(field, (short) (Domains.VM_MAC >>> 32))
          .putInt(field + 2, (int) Domains.VM_MAC);
    }
    raw.out.frame(frame.position(0));
  }

  /** Carries the newest beacon of the attacker's own link to the machine. */
  private void tellTheMachineTheBeaconOfThisLink() {
    byte[] beacon = lastBeacon;
    if (beacon != null) {
      send(lab.vmDag(Math.max(0, lab.vmAt)).withIntent(Xid.SID_XHCP), beacon);
    }
  }

  private void forgedName() {
    Dag mine = Dag.path(at.ad, key.identity().hid(), Domains.SERVICE);
    sequence = Math.max(sequence + 1, lab.epochMicros());
    send(
        lab.nameServerDag(),
        random.nextBoolean()
            ? new NameServiceMessage(
                    NameServiceMessage.Type.REGISTER, Domains.NAME, mine.toString())
                .encode()
            : new NameStatement(Domains.NAME, mine, 0).seal(key, null, sequence).encode());
  }

  private void send(Dag to, byte[] bytes) {
    socket.send(to, ByteBuffer.wrap(bytes));
  }

  /** Packets for the machine that reached the attacker. */
  public int stolen() {
    return stolen;
  }

  /** Attacks so far. */
  public int attacks() {
    return attacks;
  }
}
