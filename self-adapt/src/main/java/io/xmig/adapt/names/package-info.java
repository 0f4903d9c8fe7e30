/** Takes registrations and queries, gives answers: the name service, v1.1 and signed. */
@NullMarked
package io.xmig.adapt.names;

import org.jspecify.annotations.NullMarked;
