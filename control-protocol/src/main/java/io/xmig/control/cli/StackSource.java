package io.xmig.control.cli;

import io.xmig.xia.cli.StackOption;
import io.xmig.xia.socket.XiaStack;

/**
 * Where transfers get their stacks from.
 *
 * @threading any
 */
@FunctionalInterface
interface StackSource {
  /** Each opens what its option says. */
  StackSource BY_OPTION = StackOption::open;

  /**
   * Opens one; whoever asked closes it.
   *
   * @param chosen what {@code --xia} of the transfer says
   */
  XiaStack open(StackOption chosen);
}
