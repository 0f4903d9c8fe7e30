package io.xmig.xia.link;

import io.xmig.xia.node.FrameSink;

/**
 * One end of something that carries Ethernet frames. {@link #frame} sends; what arrives goes to the
 * receiver set with {@link #receiver}.
 *
 * <p>Sending never blocks: a frame is copied into a bounded queue and leaves at the end of the
 * loop's turn, together with the others; when the queue is full it is dropped and counted.
 *
 * @threading on the loop the link was made for
 */
public interface Link extends FrameSink, AutoCloseable {
  /** Bytes of an Ethernet header. */
  int ETHERNET_HEADER_LENGTH = 14;

  /** Smallest MTU a link may have. */
  int MIN_MTU = 576;

  /** Largest MTU a link may have. */
  int MAX_MTU = 65_535;

  /** What it is called in messages and counters. */
  String name();

  /** Largest frame payload, the Ethernet header not counted. */
  int mtu();

  /** Sets who gets the frames that arrive; they are valid during the call only. */
  void receiver(FrameSink receiver);

  /** What has passed and what was dropped. */
  LinkCounters counters();

  /** Stops the link and frees what it holds; frames still queued are lost. */
  @Override
  void close();
}
