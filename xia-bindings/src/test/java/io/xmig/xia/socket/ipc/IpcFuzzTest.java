package io.xmig.xia.socket.ipc;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.xmig.xia.addr.XidType;
import java.nio.ByteBuffer;

/** Any body either decodes or is refused with the protocol's own exception. */
class IpcFuzzTest {
  @FuzzTest
  void anyBodyDecodesOrIsRefused(FuzzedDataProvider data) {
    int part = data.consumeInt(0, 7);
    ByteBuffer body = ByteBuffer.wrap(data.consumeRemainingAsBytes());
    try {
      switch (part) {
        case 0 -> Body.dag(body);
        case 1 -> Body.dagOrNull(body);
        case 2 -> Body.xid(body, XidType.SID);
        case 3 -> Body.address(body);
        case 4 -> Body.shortText(body);
        case 5 -> Body.cause(body);
        case 6 -> Body.int64(body);
        default -> Body.text(body);
      }
    } catch (IpcProtocolException refused) {
      return;
    }
  }
}
