package io.xmig.xia.socket.libxsocket;

import com.google.protobuf.InvalidProtocolBufferException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.api.proto.XSocketMsg;
import io.xmig.xia.socket.api.proto.XSocketMsg.MsgType;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Asks whoever serves an API port, without the C library: the prototype's library would wait for
 * ever for a Click that does not run.
 *
 * @param problem why the port is of no use, with the next thing to try; {@code null} if it answers
 * @param address of the host that answered
 * @param flowControl whether it is a node of ours rather than the prototype's Click
 */
public record ClickProbe(
    @Nullable String problem, @Nullable LocalAddress address, boolean flowControl) {
  private static final int WINDOW_FIELD = 100;
  private static final int MAX_MESSAGE = 2048;

  /** Asks; blocks at most a little longer than the time given. */
  public static ClickProbe of(int port, Duration timeout) {
    if (UdpTable.ownerOf(port) == UdpTable.NOBODY) {
      return failed(
          "nobody serves UDP port "
              + port
              + " on this host: start Click or 'xmig node FILE.click', or name the port"
              + " (libxsocket:PATH@PORT, "
              + ClickPort.ENVIRONMENT
              + ", click_port in xsockconf.ini)");
    }
    try (DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      socket.setSoTimeout(Math.max(1, (int) timeout.toMillis()));
      XSocketMsg opened =
          ask(
              socket,
              port,
              XSocketMsg.newBuilder()
                  .setType(MsgType.XSOCKET)
                  .setXSocket(XSocketMsg.XSocket.newBuilder().setType(2).setTemp("credit/1")));
      XSocketMsg here =
          ask(socket, port, XSocketMsg.newBuilder().setType(MsgType.XREADLOCALHOSTADDR));
      send(socket, port, XSocketMsg.newBuilder().setType(MsgType.XCLOSE));
      if (opened.getType() != MsgType.XRESULT || here.getType() != MsgType.XREADLOCALHOSTADDR) {
        return failed("UDP port " + port + " answers, but not as Click of release 1.1");
      }
      XSocketMsg.XReadlocalhostaddr names = here.getXReadlocalhostaddr();
      Xid four = names.getIp4Id().isEmpty() ? Xid.NULL_4ID : Xid.parse(names.getIp4Id());
      return new ClickProbe(
          null,
          new LocalAddress(
              Xid.parse(names.getAd()),
              Xid.parse(names.getHid()),
              four.equals(Xid.NULL_4ID) ? null : four),
          opened.getUnknownFields().hasField(WINDOW_FIELD));
    } catch (SocketTimeoutException e) {
      return failed(
          "whoever has UDP port "
              + port
              + " does not answer within "
              + timeout.toMillis()
              + " ms: is it Click, release 1.1?");
    } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
      return failed(
          "UDP port " + port + " answers, but not as Click of release 1.1: " + e.getMessage());
    } catch (IOException e) {
      return failed("cannot ask UDP port " + port + ": " + e.getMessage());
    }
  }

  private static ClickProbe failed(String problem) {
    return new ClickProbe(problem, null, false);
  }

  private static XSocketMsg ask(DatagramSocket socket, int port, XSocketMsg.Builder question)
      throws IOException {
    send(socket, port, question);
    DatagramPacket answer = new DatagramPacket(new byte[MAX_MESSAGE], MAX_MESSAGE);
    socket.receive(answer);
    return XSocketMsg.parser().parseFrom(answer.getData(), 0, answer.getLength());
  }

  private static void send(DatagramSocket socket, int port, XSocketMsg.Builder message)
      throws IOException {
    byte[] bytes = message.build().toByteArray();
    socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), port));
  }
}
