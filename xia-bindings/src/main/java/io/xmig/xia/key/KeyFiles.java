package io.xmig.xia.key;

import io.xmig.xia.XiaException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.PublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.Map;

/**
 * Key pairs on disk, named as the prototype v1.2 names them: {@code <40 hex digits>} holds the
 * private key, {@code <40 hex digits>.pub} the public one, both PEM.
 */
public final class KeyFiles {
  private static final int MAX_FILE_BYTES = 16 * 1024;

  private KeyFiles() {}

  /** Writes a new pair into {@code directory}, private part readable by its owner only. */
  public static Path create(Path directory) throws IOException {
    try {
      KeyPair pair =
          java.security.KeyPairGenerator.getInstance(Ed25519.ALGORITHM).generateKeyPair();
      String name = new PublicIdentity(pair.getPublic().getEncoded()).hid().idHex();
      Files.createDirectories(directory);
      Path file = directory.resolve(name);
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(
          file,
          pem("PRIVATE KEY", pair.getPrivate().getEncoded()),
          StandardOpenOption.TRUNCATE_EXISTING);
      Files.writeString(
          directory.resolve(name + ".pub"), pem("PUBLIC KEY", pair.getPublic().getEncoded()));
      return file;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this Java platform has no Ed25519", e);
    }
  }

  /**
   * Reads a pair.
   *
   * @param file the private part; its public part stands beside it as {@code .pub}
   * @throws XiaException when the files are no such pair
   */
  public static Signer load(Path file) throws IOException {
    Path publicFile = file.resolveSibling(file.getFileName() + ".pub");
    byte[] privateDer = read(file, "PRIVATE KEY");
    PublicKey publicKey = parsePublic(publicFile, read(publicFile, "PUBLIC KEY"));
    Signer signer;
    try {
      KeyFactory factory = KeyFactory.getInstance(Ed25519.ALGORITHM);
      signer =
          Ed25519.signer(
              new KeyPair(publicKey, factory.generatePrivate(new PKCS8EncodedKeySpec(privateDer))));
    } catch (GeneralSecurityException e) {
      throw new XiaException(
          XiaException.Recovery.ABORT, "not an Ed25519 private key", Map.of("file", file), e);
    }
    byte[] probe = "pair".getBytes(StandardCharsets.US_ASCII);
    if (!new Ed25519().verify(signer.identity(), probe, signer.sign(probe))) {
      throw new XiaException(
          XiaException.Recovery.ABORT,
          "private and public key do not belong together",
          Map.of("file", file, "public", publicFile));
    }
    return signer;
  }

  /** Reads a public key file. */
  public static PublicIdentity loadPublic(Path file) throws IOException {
    return new PublicIdentity(parsePublic(file, read(file, "PUBLIC KEY")).getEncoded());
  }

  private static PublicKey parsePublic(Path file, byte[] der) {
    try {
      return KeyFactory.getInstance(Ed25519.ALGORITHM).generatePublic(new X509EncodedKeySpec(der));
    } catch (GeneralSecurityException e) {
      throw new XiaException(
          XiaException.Recovery.ABORT, "not an Ed25519 public key", Map.of("file", file), e);
    }
  }

  private static String pem(String what, byte[] der) {
    return "-----BEGIN "
        + what
        + "-----\n"
        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
        + "\n-----END "
        + what
        + "-----\n";
  }

  private static byte[] read(Path file, String what) throws IOException {
    if (Files.size(file) > MAX_FILE_BYTES) {
      throw new XiaException(
          XiaException.Recovery.ABORT, "key file too large", Map.of("file", file));
    }
    String text = Files.readString(file, StandardCharsets.ISO_8859_1);
    String begin = "-----BEGIN " + what + "-----";
    String end = "-----END " + what + "-----";
    int from = text.indexOf(begin);
    int to = text.indexOf(end);
    if (from < 0 || to < from) {
      throw new XiaException(
          XiaException.Recovery.ABORT,
          "no PEM "
              + what
              + " in file"
              + (text.contains("PRIVATE KEY")
                  ? "; this is a private key, its public one is in the file with .pub"
                  : ""),
          Map.of("file", file));
    }
    try {
      return Base64.getMimeDecoder().decode(text.substring(from + begin.length(), to));
    } catch (IllegalArgumentException e) {
      throw new XiaException(
          XiaException.Recovery.ABORT, "bad base64 in key file", Map.of("file", file), e);
    }
  }
}
