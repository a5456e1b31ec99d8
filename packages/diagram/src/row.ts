/** A node in the making: sorted interval starts and their targets. */
import type { Ref } from './store.js';

const MAX_LENGTH = 1 << 16;

export class Row {
  starts: Uint16Array = new Uint16Array(16);
  targets: Int32Array = new Int32Array(16);
  length = 0;

  /** Values from `start` on lead to the target. Starts must come in ascending order, 0 first. */
  push(start: number, target: Ref): void {
    const { length } = this;
    if (length > 0 && this.targets[length - 1] === target) return;
    if (length === this.starts.length) this.#grow();
    this.starts[length] = start;
    this.targets[length] = target;
    this.length = length + 1;
  }

  #grow(): void {
    const capacity = Math.min(this.length * 4, MAX_LENGTH);
    const starts = new Uint16Array(capacity);
    const targets = new Int32Array(capacity);
    starts.set(this.starts);
    targets.set(this.targets);
    this.starts = starts;
    this.targets = targets;
  }
}
