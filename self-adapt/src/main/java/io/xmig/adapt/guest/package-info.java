/**
 * Takes a hypervisor's events, gives guests that run no agent their routes and names: the host
 * speaks for them with a key that their owner let it have.
 */
@NullMarked
package io.xmig.adapt.guest;

import org.jspecify.annotations.NullMarked;
