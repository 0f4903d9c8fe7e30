@NullMarked
package io.xmig.control.session;

import org.jspecify.annotations.NullMarked;
