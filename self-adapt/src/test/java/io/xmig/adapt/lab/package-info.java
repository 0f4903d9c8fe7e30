/** Takes a seed, gives domains with gateways, hosts and a machine that moves, in virtual time. */
@NullMarked
package io.xmig.adapt.lab;

import org.jspecify.annotations.NullMarked;
