/**
 * Takes wishes of people and of other host services, gives virtual machines that run on exactly one
 * host: the host service, and the two-phase hand-off between two of them.
 */
@NullMarked
package io.xmig.control.host;

import org.jspecify.annotations.NullMarked;
