package io.xmig.chunk.compress;

import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import io.xmig.chunk.ChunkException;
import java.nio.ByteBuffer;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One zstd frame per chunk. The native library is loaded on first use.
 *
 * @threading one lane for each direction
 */
public final class ZstdCodec implements AutoCloseable {
  private static final int LEVEL = 1;

  private @Nullable ZstdCompressCtx compressor;
  private @Nullable ZstdDecompressCtx decompressor;

  /** Loads the native library and makes what compressing needs, so that no piece has to wait. */
  public void prepareToCompress() {
    compressor();
  }

  private ZstdCompressCtx compressor() {
    ZstdCompressCtx context = compressor;
    if (context == null) {
      context = new ZstdCompressCtx();
      context.setLevel(LEVEL);
      compressor = context;
    }
    return context;
  }

  /**
   * Compresses the remaining bytes of {@code raw} into {@code target} if that saves at least a
   * twentieth.
   *
   * @param raw direct; position and limit stay
   * @param target direct, at least as large as {@code raw}
   * @return bytes written from the start of the target, or 0 if it does not pay
   */
  public int compress(ByteBuffer raw, ByteBuffer target) {
    ZstdCompressCtx context = compressor();
    int most = raw.remaining() - raw.remaining() / 20;
    if (most < 32) {
      return 0;
    }
    try {
      return context.compressDirectByteBuffer(
          target, 0, most, raw, raw.position(), raw.remaining());
    } catch (ZstdException doesNotFit) {
      return 0;
    }
  }

  /**
   * The bytes that {@code payload} carries.
   *
   * @param rawLength how many they must be
   * @param raw direct, at least as large; filled from its start
   * @return the part of {@code raw} that was filled
   * @throws ChunkException if the payload is not one frame of exactly that many bytes
   */
  public ByteBuffer decompress(ByteBuffer payload, int rawLength, ByteBuffer raw) {
    ZstdDecompressCtx context = decompressor;
    if (context == null) {
      context = new ZstdDecompressCtx();
      decompressor = context;
    }
    ByteBuffer source = payload;
    if (!source.isDirect()) {
      source = ByteBuffer.allocateDirect(payload.remaining()).put(payload.duplicate()).flip();
    }
    int got;
    try {
      got =
          context.decompressDirectByteBuffer(
              raw, 0, rawLength, source, source.position(), source.remaining());
    } catch (ZstdException e) {
      throw new ChunkException(
          "chunk is not valid zstd", Map.of("reason", String.valueOf(e.getMessage())), e);
    }
    if (got != rawLength) {
      throw new ChunkException(
          "chunk expands to another length", Map.of("announced", rawLength, "found", got));
    }
    return raw.slice(0, rawLength);
  }

  @Override
  public void close() {
    if (compressor != null) {
      compressor.close();
      compressor = null;
    }
    if (decompressor != null) {
      decompressor.close();
      decompressor = null;
    }
  }
}
