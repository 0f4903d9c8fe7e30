@NullMarked
package io.xmig.control.cli;

import org.jspecify.annotations.NullMarked;
