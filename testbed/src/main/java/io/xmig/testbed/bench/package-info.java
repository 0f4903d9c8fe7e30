/** {@code xmig bench}: how fast nodes, links, the local API and hashing are on this machine. */
@NullMarked
package io.xmig.testbed.bench;

import org.jspecify.annotations.NullMarked;
