/** Looking into network namespaces: tenants make them, and what can't be told of one hides no other. */
import { BpfError, inNetworkNamespace } from '@sockfilter/bpf';
import { unlessEnded } from './processes.js';

/** What the body gives in each of the network namespaces that these processes are in. */
export type InNamespaces = <T>(
  pids: Iterable<number>,
  body: (pid: number) => readonly T[],
) => readonly T[];

/** Looks at one after the other, and gives what fails to `failed`. */
export const looking =
  (failed: (error: BpfError) => void): InNamespaces =>
  (pids, body) =>
    [...pids].flatMap((pid) => {
      try {
        return unlessEnded(() => inNetworkNamespace(pid, () => body(pid))) ?? [];
      } catch (error) {
        if (!(error instanceof BpfError)) throw error;
        failed(error);
        return [];
      }
    });
