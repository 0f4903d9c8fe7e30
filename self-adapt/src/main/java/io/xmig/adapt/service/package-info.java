/**
 * Takes a stack and a configuration, gives running services with real keys, clocks and status
 * files; what commands and node processes start.
 */
@NullMarked
package io.xmig.adapt.service;

import org.jspecify.annotations.NullMarked;
