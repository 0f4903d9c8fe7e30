/**
 * Carries a byte stream as self-verifying chunks: the sending half takes bytes and gives published
 * chunks, the receiving half takes announcements and gives the same bytes in order. What the bytes
 * mean and how announcements travel is not known here.
 */
@NullMarked
package io.xmig.chunk;

import org.jspecify.annotations.NullMarked;
