package io.xmig.control.qemu;

/** How QEMU runs the guest's instructions. Source and destination must use the same one. */
public enum Accelerator {
  /** Hardware virtualisation through the kernel. */
  KVM,
  /** Translation by QEMU itself; works everywhere. */
  TCG
}
