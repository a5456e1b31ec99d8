/** What machines of an architecture are made of, in qemu's, Debian's, npm's and the kernel's words. */
export const ARCHITECTURES = {
  amd64: {
    qemu: 'qemu-system-x86_64',
    qemuPackage: 'qemu-system-x86',
    machine: ['-machine', 'q35', '-cpu', 'max'],
    console: 'ttyS0',
    /** The package of each kernel, and whether virtiofs is a module there: an initramfs loads it. */
    kernels: {
      6.12: { image: 'linux-image-6.12-cloud-amd64', isModular: false },
      6.1: { image: 'linux-image-cloud-amd64', isModular: true },
    },
  },
  arm64: {
    qemu: 'qemu-system-aarch64',
    qemuPackage: 'qemu-system-arm',
    // The architecture's own algorithm for pointer authentication takes most of the time of an emulated machine.
    machine: ['-machine', 'virt,gic-version=3', '-cpu', 'max,pauth-impdef=on'],
    console: 'ttyAMA0',
    kernels: { 6.12: { image: 'linux-image-6.12-cloud-arm64', isModular: false } },
    /** What this machine can't run is fetched: a Node, what the tests start, and addons for npm's `cpu`. */
    foreign: { npm: 'arm64' },
  },
};
