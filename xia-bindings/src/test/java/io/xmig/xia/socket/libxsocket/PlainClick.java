package io.xmig.xia.socket.libxsocket;

import io.xmig.xia.socket.api.proto.XSocketMsg;
import io.xmig.xia.socket.api.proto.XSocketMsg.MsgType;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;

/**
 * Makes a node of ours answer programs as Click of release 1.1 does: what we add to the protocol is
 * taken out on the way, chunk requests may be lost for good, and what the prototype cannot bear is
 * written down.
 *
 * @source XIA prototype v1.1, docs/prototype.md
 */
final class PlainClick implements AutoCloseable {
  /** What the prototype's library reads of an answer. */
  private static final int BUFFER = 15_600;

  /** Things that would have ended Click or broken an answer. */
  final Queue<String> violations = new ConcurrentLinkedQueue<>();

  /** Most chunks that one socket had requested and not read. */
  volatile int mostOutstanding;

  private final int node;
  private final double loss;
  private final Random random;
  private final DatagramSocket front = new DatagramSocket(0, InetAddress.getLoopbackAddress());
  private final DatagramSocket back = new DatagramSocket(0, InetAddress.getLoopbackAddress());
  private final Map<Integer, Program> programs = new ConcurrentHashMap<>();

  /**
   * @param node API port of the node
   * @param loss share of requested chunks that never arrive until requested again
   */
  PlainClick(int node, double loss, long seed) throws IOException {
    this.node = node;
    this.loss = loss;
    this.random = new Random(seed);
    start(this::fromPrograms, "plain-click");
  }

  int port() {
    return front.getLocalPort();
  }

  private static void start(Runnable body, String name) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    thread.start();
  }

  /** One socket of a program, with the socket on which the node knows it. */
  private final class Program implements Runnable {
    final int port;
    final DatagramSocket socket;
    final Set<String> lost = ConcurrentHashMap.newKeySet();
    final Set<String> outstanding = ConcurrentHashMap.newKeySet();
    final Set<String> read = new HashSet<>();

    Program(int port) throws IOException {
      this.port = port;
      this.socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
      start(this, "plain-click-" + port);
    }

    void send(XSocketMsg message) throws IOException {
      byte[] bytes = message.toByteArray();
      socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), node));
    }

    void request(XSocketMsg.Builder message) throws IOException {
      List<String> all = List.copyOf(message.getXRequestchunk().getDagList());
      message.getXRequestchunkBuilder().clearDag();
      for (String dag : all) {
        outstanding.add(dag);
        lost.remove(dag);
        if (random.nextDouble() < loss) {
          lost.add(dag);
        } else {
          message.getXRequestchunkBuilder().addDag(dag);
        }
      }
      mostOutstanding = Math.max(mostOutstanding, outstanding.size());
      send(message.build());
    }

    void read(String dag) {
      outstanding.remove(dag);
      if (!read.add(dag)) {
        violations.add("a chunk is read again on one socket: " + dag);
      }
    }

    @Override
    public void run() {
      byte[] buffer = new byte[70_000];
      try {
        while (true) {
          DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
          socket.receive(packet);
          XSocketMsg.Builder message =
              XSocketMsg.newBuilder().mergeFrom(buffer, 0, packet.getLength());
          if (message.getType() == MsgType.XGETCHUNKSTATUS) {
            var answer = message.getXGetchunkstatusBuilder();
            IntStream.range(0, answer.getDagCount())
                .filter(i -> lost.contains(answer.getDag(i)))
                .forEach(i -> answer.setStatus(i, "WAITING"));
          }
          message.setUnknownFields(com.google.protobuf.UnknownFieldSet.getDefaultInstance());
          byte[] bytes = message.build().toByteArray();
          if (bytes.length > BUFFER) {
            violations.add(message.getType() + ": an answer of " + bytes.length + " bytes");
          }
          back.send(
              new DatagramPacket(
                  bytes, Math.min(BUFFER, bytes.length), InetAddress.getLoopbackAddress(), port));
        }
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void fromPrograms() {
    byte[] buffer = new byte[70_000];
    try {
      while (true) {
        DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
        front.receive(packet);
        XSocketMsg.Builder message =
            XSocketMsg.newBuilder()
                .mergeFrom(java.util.Arrays.copyOf(buffer, packet.getLength()))
                .setUnknownFields(com.google.protobuf.UnknownFieldSet.getDefaultInstance());
        if (message.getType() == MsgType.XSOCKET) {
          message.getXSocketBuilder().clearTemp();
        }
        Program program = programs.get(packet.getPort());
        if (program == null || message.getType() == MsgType.XSOCKET) {
          program = new Program(packet.getPort());
          programs.put(packet.getPort(), program);
        }
        if (message.getType() == MsgType.XREQUESTCHUNK) {
          program.request(message);
          continue;
        }
        if (message.getType() == MsgType.XREADCHUNK) {
          program.read(message.getXReadchunk().getDag());
        }
        program.send(message.build());
      }
    } catch (IOException e) {
      return; // closed
    }
  }

  @Override
  public void close() {
    front.close();
    back.close();
    programs.values().forEach(p -> p.socket.close());
  }
}
