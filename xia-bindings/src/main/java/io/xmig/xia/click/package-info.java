/** Takes Click configuration files, gives nodes and links; answers Click's ControlSocket. */
@NullMarked
package io.xmig.xia.click;

import org.jspecify.annotations.NullMarked;
